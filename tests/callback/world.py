"""Calls and a shift to try use cases with, on a database of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection, exists, literal, select, text, union_all

from callback.attempts import claim as claiming
from callback.attempts import settle
from callback.attempts.snapshot import Live
from callback.events import Happened, Other, restored
from callback.losses import intake, wangiri
from callback.reservations import deadlines
from callback.settings.rules import QueueRules, SiteRules
from callback.settings.sections import PbxWiring, Settings, Trunk
from callback.site.context import Site, Sites, take_over
from callback.site.work import Work
from callback.store import checkpoints, feed, lease, schema
from callback.store import tables as t
from callback.store.engine import Store
from sms.outbox import metadata as sms_metadata
from sms.outbox import text_outbox
from telephony import private
from telephony.calls.call import Call, Kind, QueueVisit, Source, Verdict, VisitEnd
from telephony.dialling.dialler import Order

US = 1_000_000
MINUTE = 60 * US
NOON = int(datetime(2026, 11, 23, 3, tzinfo=UTC).timestamp()) * US  # 12:00 in Tokyo
ABROAD = Trunk(channel="PJSIP/trunk", region="JP", form="national", allowed_countries=("JP", "US"))
ON = QueueRules(texts="on", calls="on", caller_id="0312345678")


def at(clock: str, day: int = 23) -> int:
    """An instant of that November day in Tokyo."""
    hour, minute = map(int, clock.split(":"))
    return int(datetime(2026, 11, day, hour, minute, tzinfo=UTC).timestamp() - 9 * 3600) * US


def rules(**changes: Any) -> SiteRules:
    return SiteRules(zone="Asia/Tokyo", **{"queues": {"support": ON, "sales": ON}, **changes})


def picture(
    *,
    free: dict[str, set[str]] | None = None,
    waiting: dict[str, int] | None = None,
    numbers: set[str] | None = None,
    closed: str | None = None,
) -> Live:
    """What the PBX shows: an agent free for support alone, nobody waiting, nobody on the line."""
    agents = {"support": {"PJSIP/agent1"}} if free is None else free
    by_queue = {queue: frozenset(interfaces) for queue, interfaces in agents.items()}
    return Live(closed, by_queue, waiting or {}, frozenset(numbers or ()), "boot 1")


@cache
def _migrated() -> bytes:
    """An SQLite database as the migrations make it: they run once for each test process."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "new.db"
        store = Store(f"sqlite:///{path}")
        schema.migrate(store)
        store.close()
        return path.read_bytes()


_kept: dict[str, Store] = {}


def kept(url: str) -> Store:
    """A database at the newest schema that many tests use, one after the other: see `emptied`."""
    _kept[url] = migrated(url)
    return _kept[url]


def migrated(url: str) -> Store:
    """The database at the newest schema."""
    if url in _kept:
        return _kept[url]
    path = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:") and not path.exists():
        private.make_file(path)  # as the service does
        path.write_bytes(_migrated())
    store = Store(url)
    with store.read() as connection:
        found = schema.revision_of(connection)
    if found is None:
        schema.migrate(store)
    return store


def emptied(store: Store) -> None:
    """Remove every row that an earlier test left, and number rows from one again; the key that it knew is none.

    Most tests write to few tables, so it is asked first which ones hold something.
    """
    store.root = ""
    with store.write() as connection:
        if store.dialect == "postgresql":
            connection.execute(text("SET LOCAL lock_timeout = '10s'"))  # that test may have left a transaction open
        filled = set(connection.execute(_FILLED).scalars())
        for table in (*(one for one in _CHILDREN_FIRST if one.name in filled), t.rollup_mark):  # removals are marked
            connection.execute(table.delete())
        if store.dialect == "postgresql":
            connection.execute(_NUMBERED_ANEW)  # last: removals are marked, by numbers of their own


_CHILDREN_FIRST = [one for metadata in (sms_metadata, t.metadata) for one in reversed(metadata.sorted_tables)]
_FILLED = union_all(*(select(literal(one.name)).where(exists().select_from(one)) for one in _CHILDREN_FIRST))
_NUMBERED_ANEW = text(
    "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)"
    " FROM pg_sequences WHERE last_value IS NOT NULL"
)


def event(name: str, at: int, facts: Mapping[str, Any] | None = None, number: str | None = None) -> Happened:
    """An event as it comes from the feed."""
    made = restored(name, facts or {})
    assert not isinstance(made, Other), f"{name} has other facts"
    return Happened(at, made, number)


def fed(store: Store, after: int = 0) -> list[Happened]:
    """All that stands in the feed after that place."""
    reader, told = feed.Reader("main", after), list[Happened]()
    with store.read() as connection:
        while page := reader.read(connection):
            told += page
    return told


def fed_so_far(store: Store) -> int:
    """The place after which everything is still to come."""
    with store.read() as connection:
        return feed.end(connection)


def told_by(use_case: Callable[..., object], work: Work, *about: Any, **more: Any) -> list[Happened]:
    """What a use case told, that this work did."""
    use_case(work, *about, **more)
    return work.told


class World:
    """A database at the newest schema, a lease and a shift: the service has listened for some days before `now`."""

    def __init__(
        self,
        url: str,
        shift_rules: SiteRules | None = None,
        trunks: dict[str, Trunk] | None = None,
        now: int = NOON,
    ) -> None:
        self.store = migrated(url)
        self.told: list[Happened] = []  # by the last claim
        self.settings = Settings(
            pbx=PbxWiring(name="main", username="u", secret="s"),  # noqa: S106
            trunks=trunks or {"main": Trunk(channel="PJSIP/trunk", region="JP", form="national")},
            rules=shift_rules or rules(),
        )
        with self.store.write() as connection:
            held = lease.acquire(connection, "pbx:main", "me", "here", 3600)
            assert held is not None
            self.held = held
            self.site: Site = take_over(connection, self.settings, now)
            checkpoints.begin(connection, "main", "j1", now - 10**12)

    @property
    def sites(self) -> Sites:
        """This site, whatever rules the database has, for parts of the service."""
        return Standing(self)

    def hear(
        self, call: Call, kind: Kind = "abandoned", now: int | None = None, source: Source = "live-complete"
    ) -> list[Happened]:
        """Record a call with this verdict, as if its end had just been heard."""
        with self.store.write() as connection:
            return self.hear_in(connection, call, kind, now, source)

    def hear_in(
        self,
        connection: Connection,
        call: Call,
        kind: Kind = "abandoned",
        now: int | None = None,
        source: Source = "live-complete",
    ) -> list[Happened]:
        """The same in a transaction that is open."""
        verdict = judged(call, kind, source=source)
        learnt_at = now or call.ended_at or 0
        work = self.work(connection, learnt_at)
        intake.record(work, call, verdict)
        wangiri.audited(work)
        return work.told

    def claim(self, now: int = NOON, live: Live | None = None) -> Order | None:
        """Claim the next callback alone."""
        return next(iter(self.claims(now, live, 1)), None)

    def claims(self, now: int = NOON, live: Live | None = None, most: int = claiming.MOST) -> list[Order]:
        """Claim the next callbacks as the service does: its right to do so is looked at first."""
        with self.store.write() as connection:
            lease.guard(connection, self.held)
            work = self.work(connection, now)
            orders = claiming.next_orders(work, self.held, live or picture(), most)
            self.told = work.told
        return orders

    def end(self, attempt: str, outcome: str, now: int, evidence: tuple[str, ...] = ("said so",)) -> list[Happened]:
        """End an attempt now."""
        with self.store.write() as connection:
            return told_by(settle.end, self.work(connection, now), attempt, outcome, list(evidence), now)

    def work(self, connection: Connection, now: int) -> Work:
        """One unit of work in that transaction, at that moment."""
        return Work(connection, self.site, now)

    def carry_over(self, now: int) -> list[Happened]:
        with self.store.write() as connection:
            return told_by(deadlines.check, self.work(connection, now))

    def rows(self, table: Any) -> list[Any]:
        """Every row, in the order of the table's key."""
        with self.store.read() as connection:
            return list(connection.execute(select(table).order_by(*table.primary_key)))

    def reservations(self) -> list[Any]:
        return self.rows(t.reservation)

    def attempts(self) -> list[Any]:
        """Every attempt, in the order claimed."""
        return sorted(self.rows(t.attempt), key=lambda row: (row.claimed_at, row.reservation_id))

    def texts(self) -> dict[str, str]:
        """The state of each text, by the template and reservation that its cause names."""
        return {row.cause: row.state for row in self.rows(text_outbox)}

    def know_pbx(self, connection: Connection, name: str) -> None:
        """Let another PBX have rules like ours, so that rows may be its."""
        ours = connection.execute(select(t.shift_rules)).one()
        connection.execute(t.shift_rules.insert().values(**{**ours._mapping, "pbx": name}))  # noqa: SLF001

    def close(self) -> None:
        if self.store not in _kept.values():
            self.store.close()


class Standing(Sites):
    """Gives the site of a world as it is just then."""

    def __init__(self, world: World) -> None:
        super().__init__(world.settings)
        self._world = world
        self.pbx = world.site.pbx

    def at(self, connection: Connection, now: int) -> Site:
        """Give it."""
        del connection, now
        return self._world.site

    @property
    def last(self) -> Site:
        """The same."""
        return self._world.site


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
    last = heard.last
    seconds = (last.waited(heard.seen_until) / US, last.talked(heard.seen_until) / US) if last else (0.0, 0.0)
    return Verdict(kind, None if kind == "served" else "gave-up", None, *seconds, ("said so",), source, "test")
