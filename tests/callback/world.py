"""Calls and a shift to try use cases with, on a database of the test's own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from callback import recovery
from callback.news import News
from callback.rules import QueueRules, ShiftRules
from callback.settings import PbxWiring, Settings, Trunk
from callback.shift import Shift, take_over
from callback.store import checkpoints, lease, schema
from callback.store import tables as t
from callback.store.engine import Store
from telephony.call import Call, Kind, QueueVisit, Source, Verdict, VisitEnd

US = 1_000_000
MINUTE = 60 * US
NOON = int(datetime(2026, 11, 23, 3, tzinfo=UTC).timestamp()) * US  # 12:00 in Tokyo
ON = QueueRules(texts="on", calls="on", caller_id="0312345678")


def at(clock: str, day: int = 23) -> int:
    """An instant of that November day in Tokyo."""
    hour, minute = map(int, clock.split(":"))
    return int(datetime(2026, 11, day, hour, minute, tzinfo=UTC).timestamp() - 9 * 3600) * US


def rules(**changes: Any) -> ShiftRules:
    return ShiftRules(zone="Asia/Tokyo", **{"queues": {"support": ON, "sales": ON}, **changes})


class World:
    """A database at the newest schema, a lease and a shift."""

    def __init__(self, url: str, shift_rules: ShiftRules | None = None) -> None:
        self.store = Store(url)
        schema.migrate(self.store)
        self.settings = Settings(
            pbx=PbxWiring(name="main", username="u", secret="s"),  # noqa: S106
            trunks={"main": Trunk(channel="PJSIP/trunk", region="JP", form="national")},
            rules=shift_rules or rules(),
        )
        with self.store.write() as connection:
            held = lease.acquire(connection, "pbx:main", "me", "here", 3600)
            assert held is not None
            self.held = held
            self.shift: Shift = take_over(connection, self.settings, NOON)
            checkpoints.begin(connection, "main", NOON - 10**12)

    def hear(
        self, call: Call, kind: Kind = "abandoned", now: int | None = None, source: Source = "live-complete"
    ) -> list[News]:
        """Record a call with this verdict, as if its end had just been heard."""
        with self.store.write() as connection:
            return recovery.record(
                connection, self.shift, call, judged(call, kind, source=source), now or call.ended_at or 0
            )

    def rows(self, table: Any) -> list[Any]:
        with self.store.read() as connection:
            return list(connection.execute(select(table)))

    def reservations(self) -> list[Any]:
        return self.rows(t.reservation)

    def close(self) -> None:
        self.store.close()


_sequence = iter(range(1, 10**9))


def call(
    number: str | None = "09012345678",
    ended_at: int = NOON,
    waited_s: float = 20,
    queue: str = "support",
    talked_s: float | None = None,
) -> Call:
    """A call that ended at `ended_at`; answered if it talked."""
    joined_at = ended_at - round((waited_s + (talked_s or 0)) * US)
    connected_at = None if talked_s is None else joined_at + round(waited_s * US)
    end: VisitEnd = "abandoned" if talked_s is None else "connected"
    visit = QueueVisit(queue, joined_at, connected_at, "Agent One" if connected_at else None, ended_at, end)
    uniqueid = f"{joined_at // US}.{next(_sequence)}"
    return Call(
        pbx="main",
        call_id=uniqueid,
        linkedid=uniqueid,
        channel="PJSIP/trunk-00000001",
        number=number,
        did="500",
        started_at=joined_at,
        ended_at=ended_at,
        seen_until=ended_at,
        visits=(visit,),
    )


def judged(heard: Call, kind: Kind, *, source: Source = "live-complete") -> Verdict:
    visit = heard.visits[-1]
    seconds = (visit.waited(heard.seen_until) / US, visit.talked(heard.seen_until) / US)
    return Verdict(kind, None if kind == "served" else "gave-up", None, *seconds, ("said so",), source, "test")
