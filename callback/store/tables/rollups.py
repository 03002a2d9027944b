"""Tables of figures of past half hours and days, and of what changed in them since they were counted.

One row for each half hour (or day of the site), group, queue, kind of call and trunk of which there is anything to
count. Nothing of a person stands in them. Why they are as they are: docs/adr/0028.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, String, Table, text

from callback.store.tables.base import Instant, Key, metadata

BINS: Final = 24
COUNTS: Final = (
    "calls", "served", "lost", "requested", "numberless", "short",
    "valid", "refused", "withdrawn", "carried_over", "returned", "left", "handled", "by_hand",
    "due_30", "due_60", "dialled_30", "dialled_60", "reached_30", "reached_60", "closed_30", "closed_60",
    "dialled", "reached", "tries", "texts_sent", "texts_delivered", "texts_failed", "scored", "score_sum",
    "called_back", "called_back_redialled", "not_called_back", "not_called_back_redialled",
)  # fmt: skip
FIRST_TRY: Final = tuple(f"first_try_{number:02}" for number in range(1, BINS + 1))
REACH: Final = tuple(f"reach_{number:02}" for number in range(1, BINS + 1))
HEAT: Final = (
    "calls", "served", "lost", "valid", "due_30", "due_60", "dialled_30", "dialled_60",
    "reached_30", "reached_60", "closed_30", "closed_60",
)  # fmt: skip
OF_AGENTS: Final = ("tried", "reached", "talked_us")
"""What is counted; each is a column."""


def _table(name: str, keys: tuple[tuple[str, int], ...], counted: tuple[str, ...]) -> Table:
    return Table(
        name,
        metadata,
        Column("pbx", String(32), primary_key=True),
        Column("begins_at", Instant, primary_key=True, autoincrement=False),
        *(Column(key, String(room), primary_key=True) for key, room in keys),
        *(Column(one, BigInteger, nullable=False, server_default=text("0")) for one in counted),
    )


_OF_CALLS = (("queue_group", 64), ("queue", 128), ("kind", 20), ("trunk", 64))
_OF_ATTEMPTS = (("queue_group", 64), ("queue", 128), ("agent", 200))
rollup_half_hour = _table("rollup_half_hour", _OF_CALLS, (*COUNTS, *FIRST_TRY, *REACH))
rollup_day = _table("rollup_day", _OF_CALLS, (*COUNTS, *FIRST_TRY, *REACH))
rollup_heat = _table("rollup_heat", (("queue_group", 64),), HEAT)  # half hours of a whole group: few, for heat maps
rollup_agent_half_hour = _table("rollup_agent_half_hour", _OF_ATTEMPTS, OF_AGENTS)
rollup_agent_day = _table("rollup_agent_day", _OF_ATTEMPTS, OF_AGENTS)

rollup_state = Table(
    "rollup_state",
    metadata,
    Column("pbx", String(32), primary_key=True),
    Column("zone", String(64), nullable=False),  # whose half hours and days are counted
    Column("since_at", Instant, nullable=False),  # all that lies between these two is counted
    Column("until_at", Instant, nullable=False),
)

rollup_mark = Table(
    "rollup_mark",  # written by triggers (callback/store/marking.py): what belongs to this instant has changed
    metadata,
    Column("id", Key, primary_key=True),
    Column("pbx", String(32), nullable=False),
    Column("at", Instant, nullable=False),
)

rollup_again = Table(
    "rollup_again",  # half hours of which more counts once this time has come, though nothing is written
    metadata,
    Column("pbx", String(32), primary_key=True),
    Column("begins_at", Instant, primary_key=True, autoincrement=False),
    Column("due_at", Instant, nullable=False),
    Index("ix_rollup_again_due", "pbx", "due_at"),
)
