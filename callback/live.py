"""What the PBX shows right now, as far as deciding needs it: a value, so that it can be stored and looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from callback import phone
from callback.shift import Shift
from callback.store import tables as t
from telephony.ids import attempt_of
from telephony.pbx import Pbx

CLOCK_MAY_BE_OFF_S = 2.0


@dataclass(frozen=True, slots=True)
class Live:
    """Free agents and waiting callers by queue, numbers on a live channel; `closed` says why nothing is dialled."""

    closed: str | None
    free: dict[str, frozenset[str]]
    waiting: dict[str, int]
    numbers: frozenset[str]  # E.164, on any channel that is not our own
    boot: str
    heard_at: int | None = None  # when the PBX was listened to last; None: never

    def as_json(self) -> dict[str, Any]:
        """Plain values; `numbers` stays out of the database."""
        free = {queue: sorted(agents) for queue, agents in self.free.items()}
        return {
            "closed": self.closed,
            "free": free,
            "waiting": self.waiting,
            "boot": self.boot,
            "heard_at": self.heard_at,
        }


def look(pbx: Pbx, shift: Shift, database_off_s: float, now: int) -> Live:
    """Take the picture. `database_off_s` is how far the database's clock is off ours."""
    queues = pbx.agents.queues
    return Live(
        closed=_closed(pbx, database_off_s),
        free={queue: frozenset(pbx.agents.free(queue, now)) for queue in queues},
        waiting={queue: pbx.tracker.waiting(queue) for queue in queues},
        numbers=frozenset(_numbers(pbx, shift)),
        boot=pbx.boot,
        heard_at=pbx.heard_at,
    )


def _closed(pbx: Pbx, database_off_s: float) -> str | None:
    if not pbx.ready:
        return "pbx-not-connected"
    if abs(pbx.clock_off_s) > CLOCK_MAY_BE_OFF_S:
        return "pbx-clock-off"
    return "database-clock-off" if abs(database_off_s) > CLOCK_MAY_BE_OFF_S else None


def _numbers(pbx: Pbx, shift: Shift) -> set[str]:
    """Every number that talks, rings, waits, or did so a moment ago and is not judged yet.

    It is read by each trunk's rules, since the channel may be an agent's who dialled it.
    """
    live = {
        signalled
        for signalled, channels in pbx.tracker.live_numbers().items()
        if not all(attempt_of(linkedid) for linkedid in channels.values())
    }
    signalled = live | pbx.tracker.unjudged_numbers()
    read = (phone.read(number, trunk).e164 for number in signalled for trunk in shift.trunks.values())
    return {e164 for e164 in read if e164}


def store(connection: Connection, pbx: str, live: Live, now: int) -> None:
    """Keep the picture for those who only look."""
    connection.execute(delete(t.live_view).where(t.live_view.c.pbx == pbx))
    connection.execute(insert(t.live_view).values(pbx=pbx, seen_at=now, body=live.as_json()))


def recall(connection: Connection, pbx: str) -> tuple[Live, int] | None:
    """The last picture and when it was taken."""
    row = connection.execute(select(t.live_view).where(t.live_view.c.pbx == pbx)).first()
    if row is None:
        return None
    body = row.body
    free = {queue: frozenset(agents) for queue, agents in body["free"].items()}
    heard_at = body.get("heard_at", row.seen_at)  # pictures of earlier versions do not tell
    live = Live(body["closed"], free, body["waiting"], frozenset(), body["boot"], heard_at)
    return live, row.seen_at
