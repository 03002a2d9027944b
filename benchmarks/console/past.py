"""The figures of that site's year, as its service would have rolled them up: by half hour, queue, kind and trunk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, TextClause, text

from benchmarks.console.site import GROUPS, QUEUES, YEAR
from callback.store.tables.rollups import COUNTS, FIRST_TRY, HEAT, OF_AGENTS, REACH
from scheduler.clock import DAY, MINUTE

HALF_HOUR: Final = 30 * MINUTE
AGENTS: Final = 3
"""Of one queue, who make callbacks in a half hour."""
_DAY: Final = f"begins_at / {DAY} * {DAY}"
_FIGURES: Final = {
    "served": {"calls": "6 + n % 9", "served": "6 + n % 9"},
    "abandoned": {
        "calls": "1 + n % 3", "lost": "1 + n % 3", "numberless": "n % 7 / 6", "short": "n % 11 / 10",
        "valid": "1 + n % 3", "due_30": "1 + n % 3", "due_60": "1 + n % 3",
        "dialled_30": "n % 3", "dialled_60": "1 + n % 3", "reached_30": "n % 2", "reached_60": "1 + n % 2",
        "closed_30": "n % 2", "closed_60": "1 + n % 2", "dialled": "1 + n % 3", "reached": "1 + n % 2",
        "tries": "2 + n % 3", "returned": "n % 5 / 4", "left": "n % 13 / 12",
        "texts_sent": "1 + n % 3", "texts_delivered": "1 + n % 2", "scored": "n % 4 / 3", "score_sum": "n % 4 / 3 * 4",
        "called_back": "1 + n % 2", "not_called_back": "n % 2", "not_called_back_redialled": "n % 2",
        "first_try_05": "n % 3", "first_try_10": "1", "reach_06": "n % 2", "reach_12": "1",
    },
    "blocked": {"calls": "1", "lost": "1", "valid": "1", "due_30": "1", "due_60": "1", "dialled_60": "1"},
}  # fmt: skip
_OFTEN: Final = {"served": "true", "abandoned": "true", "blocked": "n % 4 = 0"}
_TRUNKS: Final = ("main", "second")
_NUMBERED: Final = """
WITH RECURSIVE numbered(h) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT h + 1 FROM numbered WHERE h + 1 < :halves),
queued(q) AS (SELECT 0 UNION ALL SELECT q + 1 FROM queued WHERE q + 1 < {queues}),
placed AS (
    SELECT :until - (h + 1) * {half_hour} AS begins_at, h * 31 + q * 7 AS n, 'group' || CAST(q % {groups} AS VARCHAR(2))
        AS queue_group, 'queue' || CASE WHEN q < 10 THEN '0' ELSE '' END || CAST(q AS VARCHAR(2)) AS queue
    FROM numbered CROSS JOIN queued
)
"""


def fill(connection: Connection, now: int) -> None:
    """Fill the tables of figures up to the half hour that is not over; nothing is left to be counted."""
    until = now // HALF_HOUR * HALF_HOUR
    asked = {"halves": YEAR // HALF_HOUR, "until": until}
    for kind, figures in _FIGURES.items():
        for place, trunk in enumerate(_TRUNKS):
            keys = {"kind": f"'{kind}'", "trunk": f"'{trunk}'"}
            which = f"{_OFTEN[kind]} AND n % 3 >= {place}"
            connection.execute(_insert("rollup_half_hour", keys | figures, which), asked)
    for agent in range(AGENTS):
        worked = {
            "agent": f"'PJSIP/1{agent}' || substr(queue, 6)",
            "tried": "2",
            "reached": "1",
            "talked_us": "90000000",
        }
        connection.execute(_insert("rollup_agent_half_hour", worked, f"(n + {agent}) % 3 = 0"), asked)
    connection.execute(_add_up("rollup", "queue_group, queue, kind, trunk", (*COUNTS, *FIRST_TRY, *REACH)))
    connection.execute(_add_up("rollup_agent", "queue_group, queue, agent", OF_AGENTS))
    connection.execute(_add_up("rollup", "queue_group", HEAT, "heat", "begins_at"))
    state = "INSERT INTO rollup_state (pbx, zone, since_at, until_at) VALUES ('main', 'UTC', 0, :until)"
    connection.execute(text(state), asked)


def _insert(table: str, columns: Mapping[str, str], which: str) -> TextClause:
    """Insert a row for each half hour and queue for which that holds."""
    names, values = ", ".join(f'"{name}"' for name in columns), ", ".join(columns.values())
    numbered = _NUMBERED.format(queues=QUEUES, half_hour=HALF_HOUR, groups=GROUPS)
    return text(
        f"INSERT INTO {table} (pbx, begins_at, queue_group, queue, {names}) {numbered}"  # noqa: S608 - all of it stands here
        f" SELECT 'main', begins_at, queue_group, queue, {values} FROM placed WHERE {which}"
    )


def _add_up(name: str, keys: str, counted: Sequence[str], to: str = "day", begins_at: str = _DAY) -> TextClause:
    """Add up the half hours of each day, or what else `begins_at` makes of them."""
    names, sums = ", ".join(f'"{one}"' for one in counted), ", ".join(f'sum("{one}")' for one in counted)
    return text(
        f"INSERT INTO {name}_{to} (pbx, begins_at, {keys}, {names})"  # noqa: S608 - as above
        f" SELECT pbx, {begins_at}, {keys}, {sums} FROM {name}_half_hour GROUP BY 1, 2, {keys}"
    )
