"""Three months of a centre in Berlin, drawn by chance: over the change of clocks, and with much that falls on midnight.

Rows are written as they would stand there; what reports make of them is compared with SQL that another hand wrote.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

from sqlalchemy import Table, insert

from callback.settings.rules import SiteRules
from callback.store import tables as t
from sms.outbox import text_outbox
from tests.callback.reports.rollups.rolling import roll_up
from tests.callback.world import ABROAD, MINUTE, ON, US, World

ZONE: Final = ZoneInfo("Europe/Berlin")
FIRST, LAST = date(2026, 9, 1), date(2026, 11, 30)
CHANGE: Final = date(2026, 10, 25)  # the day has 25 hours
MANY: Final = 22  # calls a day
QUEUES: Final = {"support": "site", "billing": "site", "sales": "trade", "": "site"}
_TEXT_STATES: Final = (("sent", "delivered"), ("sent", "undelivered"), ("sent", None), ("failed", None))
_ENDS: Final = (
    "reached", "returned", "given-up", "expired", "refused", "withdrawn", "cancelled", "done-elsewhere", "waiting",
)  # fmt: skip


def begins(day: date) -> int:
    """When a day begins there."""
    return int(datetime.combine(day, time(), ZONE).timestamp()) * US


def days() -> list[date]:
    """Every day of the three months."""
    return [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]


NOW: Final = begins(date(2026, 12, 1)) + 11 * 60 * MINUTE


def site(url: str) -> World:
    """A world there, with nothing in it."""
    trade = ON.model_copy(update={"group": "trade"})
    rules = SiteRules(zone="Europe/Berlin", queues={"support": ON, "billing": ON, "sales": trade})
    return World(url, rules, {"main": ABROAD, "other": ABROAD.model_copy(update={"channel": "PJSIP/other"})}, NOW)


def lived(world: World, seed: int = 4) -> None:
    """Let the months be over, and add them up."""
    rows = _Rows(Random(seed), world.site.version)  # noqa: S311 - nothing secret
    for day in days():
        for at in _instants(rows.chance, day):
            rows.call(at)
    with world.store.write() as connection:
        for table, those in rows.by_table.items():
            connection.execute(insert(cast("Table", t.metadata.tables.get(table, text_outbox))), those)
    roll_up(world, NOW)


def _instants(chance: Random, day: date) -> Iterator[int]:
    """When calls begin: in working hours, and about midnight; on the day of the change in the hour that comes twice."""
    since, until = begins(day), begins(day + timedelta(days=1))
    yield from (since, until - 1)
    yield from (since + chance.randrange(until - since) for _ in range(3))
    yield from (since + 8 * 60 * MINUTE + chance.randrange(10 * 60 * MINUTE) for _ in range(MANY - 5))
    if day == CHANGE:
        twice = since + 2 * 60 * MINUTE
        yield from (twice + n * 10 * MINUTE for n in range(12))


@dataclass
class _Rows:
    """What is to be written, by table; what is alike in all rows of a table stands in each."""

    chance: Random
    version: int
    by_table: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    numbers: int = 0

    def add(self, table: str, **row: Any) -> None:
        self.by_table.setdefault(table, []).append(row)

    def call(self, at: int) -> None:
        """A call that begins then, heard or imported, and what follows of it."""
        self.numbers += 1
        pick, queue = self.chance.choice, self.chance.choice(list(QUEUES))
        kind, reason = pick(
            [
                ("served", None),
                ("abandoned", "gave-up"),
                ("abandoned", "gave-up"),
                ("silent", "no-sound"),
                ("requested", "asked"),
                ("callback", None),
                ("unknown", "left-unserved"),
                ("unknown", "hangup-missing"),
            ]
        )
        if self.chance.random() < 0.1:
            about = {"caller": 0, "over_at": at + MINUTE, "waited_us": 0, "talked_us": 0}
            self.add(
                "past_call", pbx="main", call_id=f"p{self.numbers}", queue=queue, kind=kind, reason=reason,
                began_at=at, **about,
            )  # fmt: skip
            return
        lost = kind in {"abandoned", "silent", "requested"} or reason == "left-unserved"
        recovery = pick(["no-number", "short-abandon", "reserved", "reserved", "reserved"]) if lost else "not-lost"
        self._heard(at, queue, (kind, reason), recovery)
        if recovery == "reserved" and queue:
            self._reserved(at + MINUTE, queue, kind)

    def _heard(self, at: int, queue: str, judged: tuple[str, str | None], recovery: str) -> None:
        channel = self.chance.choice(["PJSIP/trunk-1", "PJSIP/other-1"])
        self.add(
            "call", pbx="main", call_id=f"c{self.numbers}", linkedid="l", channel=channel, queue=queue or None,
            started_at=at, ended_at=at + MINUTE, recovery=recovery,
        )  # fmt: skip
        for version, (kind, reason) in enumerate([("abandoned", "gave-up"), judged][self.chance.randrange(2) :]):
            about = {"source": "log", "rank": 1, "waited_us": 0, "talked_us": 0, "evidence": [], "judged_at": at}
            self.add(
                "verdict", pbx="main", call_id=f"c{self.numbers}", version=version + 1, kind=kind, reason=reason,
                rules_version=self.version, **about,
            )  # fmt: skip

    def _reserved(self, at: int, queue: str, kind: str) -> None:
        chance, number = self.chance, self.numbers
        state = chance.choice(_ENDS)
        ended_at = at + chance.randrange(1, 140) * MINUTE
        promises = self._promises(at)
        trunk = chance.choice(["main", "other"])
        handled_at = ended_at + MINUTE if state == "expired" and chance.random() < 0.5 else None
        self.add("person", id=number, number=f"+8190{number:08}", created_at=at)
        in_force = promises[-1] if promises[-1]["reason"] != "apology" else promises[-2]
        self.add(
            "reservation", id=number, pbx="main", queue=queue, queue_group=QUEUES[queue], person_id=number, apart="",
            trunk=trunk, kind=kind, state=state, open=state == "waiting", made_at=at, last_lost_at=at, losses=1,
            tries=chance.randrange(4), promise_number=in_force["number"], clock_starts_at=in_force["clock_starts_at"],
            aim_at=in_force["aim_at"], deadline_at=in_force["deadline_at"], due_at=at, not_before_at=at,
            state_since_at=ended_at, handled_at=handled_at,
        )  # fmt: skip
        for one in promises:
            self.add("promise", reservation_id=number, pbx="main", rules_version=self.version, **one)
        again_at = at + chance.randrange(1, 100) * MINUTE if chance.random() < 0.4 else None
        self.add("loss", pbx="main", call_id=f"c{number}", reservation_id=number, lost_at=at, redialled_at=again_at)
        self._tried(number, at, state)
        self._about(number, ended_at)

    def _promises(self, at: int) -> list[dict[str, Any]]:
        chance = self.chance
        reasons = [chance.choice(["window", "window", "evening", "carried-over"])]
        reasons += [chance.choice(["slot", "apology", "carried-over", "window"])] * (chance.random() < 0.3)
        made, promises = at, []
        for number, reason in enumerate(reasons, 1):
            starts_at = made + (chance.randrange(0, 600) * MINUTE if reason in {"slot", "carried-over"} else 0)
            promises.append(
                {
                    "number": number,
                    "made_at": made,
                    "clock_starts_at": starts_at,
                    "aim_at": starts_at + 30 * MINUTE,
                    "deadline_at": starts_at + chance.choice([10, 60]) * MINUTE,
                    "reason": reason,
                }
            )
            made += chance.randrange(1, 90) * MINUTE
        return promises

    def _tried(self, number: int, at: int, state: str) -> None:
        """Attempts; some never rang the customer. Whole minutes, so that some end when the time does."""
        for n in range(self.chance.randrange(3)):
            claimed_at = at + self.chance.randrange(100) * MINUTE
            rang_at = claimed_at if self.chance.random() < 0.8 else None
            reached = state == "reached" and rang_at is not None and self.chance.random() < 0.7
            answered_at = claimed_at + 10 * US if reached and self.chance.random() < 0.9 else None
            self.add(
                "attempt", id=f"{number}x{n}", pbx="main", reservation_id=number, person_id=number, number=n + 1,
                in_flight=False, fence=1, rules_version=self.version, pbx_boot="b", decision={}, claimed_at=claimed_at,
                ring_until_at=claimed_at, agent=self.chance.choice(["Ann", "Bo", None]), customer_dialled_at=rang_at,
                customer_answered_at=answered_at, ended_at=claimed_at + 3 * MINUTE,
                outcome="reached" if reached else "no-answer",
            )  # fmt: skip
        if self.chance.random() < 0.1:
            self.add(
                "audit", at=at, pbx="main", who="Ann", action="called-by-hand", reservation_id=number, why="-",
                facts={}, previous="", hash=f"{number:064}",
            )  # fmt: skip

    def _about(self, number: int, at: int) -> None:
        """Texts, and what the customer said."""
        for n in range(self.chance.randrange(3)):
            state, delivery = self.chance.choice(_TEXT_STATES)
            about = {"pbx": "main", "template": "lost", "language": "en", "body": "-", "tries": 1, "fence": 1}
            self.add(
                "text_outbox", cause=f"{number}/{n}", recipient=f"reservation/{number}", state=state, created_at=at,
                not_before_at=at, expires_at=at, sent_at=at if state == "sent" else None, settled_at=at,
                delivery=delivery, **about,
            )  # fmt: skip
        for n in range(self.chance.randrange(3)):
            score = self.chance.choice([1, 2, 3, 4, 5, None])
            about = {"account": "a", "wish": "score", "body": "-", "state": "done"}
            self.add(
                "answer", pbx="main", sid=f"{number}/{n}", person_id=number, reservation_id=number,
                received_at=at + self.chance.randrange(2) * MINUTE, score=score, **about,
            )  # fmt: skip
