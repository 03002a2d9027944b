"""What was heard is committed in order, whatever the database does meanwhile; and nothing twice."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import Connection

from callback.errors import NotOurs, StoreError
from callback.events import Happened
from callback.service import committer as writing
from callback.service.committer import Committer
from callback.store import engine, lease
from callback.store import tables as t
from callback.store.engine import Store
from telephony.calls.call import Call, Kind
from telephony.dialling.dialler import AttemptEnd, AttemptStep
from telephony.dialling.dialler import AttemptEvent as Attempt
from telephony.pbx import Gap, Stretch
from tests.callback.world import MINUTE, NOON, US, World, call, fed, fed_so_far, judged

TIMEOUT_S = 30


class Desk:
    """A writer at work on a world, and all that came of it."""

    def __init__(self, world: World, store: Store | None = None) -> None:
        self.world = world
        self.store = store or world.store
        self.committed: list[int] = []
        self.at_most = asyncio.Event()  # set when the awaited checkpoint is committed
        self._awaited = 0
        self._since = fed_so_far(world.store)
        self.writer = Committer(
            self.store,
            world.sites,
            world.held,
            "j1",
            lambda: NOON + MINUTE,
            self._commit,
        )

    @property
    def told(self) -> list[Happened]:
        """All that came into the feed since."""
        return fed(self.world.store, self._since)

    def _commit(self, checkpoint: int) -> None:
        self.committed.append(checkpoint)
        if checkpoint >= self._awaited:
            self.at_most.set()

    def write(self, *heard: Stretch, meanwhile: Coroutine[Any, Any, None] | None = None) -> None:
        """Run the writer until all of it is committed; `meanwhile` runs beside it."""
        self._awaited = heard[-1].checkpoint
        asyncio.run(asyncio.wait_for(self._write(heard, meanwhile), TIMEOUT_S))

    async def _write(self, heard: tuple[Stretch, ...], meanwhile: Coroutine[Any, Any, None] | None) -> None:
        for stretch in heard:
            await self.writer.put(stretch)
        running = asyncio.ensure_future(self.writer.run())
        beside = asyncio.ensure_future(meanwhile) if meanwhile else None
        done = asyncio.ensure_future(self.at_most.wait())
        await asyncio.wait([running, done], return_when=asyncio.FIRST_COMPLETED)
        if beside:
            await beside
        done.cancel()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    @property
    def events(self) -> list[str]:
        return [one.name for one in self.told]


def stretch(checkpoint: int, *items: tuple[Call, Kind] | Attempt) -> Stretch:
    calls = tuple((item[0], judged(*item)) for item in items if isinstance(item, tuple))
    return Stretch(calls, tuple(item for item in items if not isinstance(item, tuple)), checkpoint)


def lost(number: int, queue: str = "support") -> tuple[Call, Kind]:
    """A caller with a number of their own, lost at noon."""
    return call(f"0901234{number:04}", NOON + number, queue=queue), "abandoned"


def poison(number: int) -> tuple[Call, Kind]:
    """A call with a verdict that no table takes."""
    return call(f"0901234{number:04}", NOON + number), cast("Kind", "nonsense")


def checkpoint_of(world: World) -> int:
    return int(world.rows(t.checkpoint)[0].journal_offset)


class Shaky:
    """A store whose transactions fail as a database does that is away, when `fails` says so of their number."""

    def __init__(self, store: Store, fails: Callable[[int], bool], *, late: bool = False) -> None:
        self._store, self._fails, self._late = store, fails, late
        self.transactions = 0

    @contextmanager
    def write(self) -> Iterator[Connection]:
        self.transactions += 1
        away = StoreError("server closed the connection"), self._fails(self.transactions)
        if away[1] and not self._late:
            raise away[0]
        with self._store.write() as connection:
            yield connection
            if away[1]:
                raise away[0]

    def transact(self, work: Callable[[Connection], Any]) -> Any:
        return Store.transact(self.as_store(), work)

    def as_store(self) -> Store:
        return cast("Store", self)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "RETRY_S", 0.001)


# Batches


def test_what_was_heard_is_committed_in_order_and_told_afterwards(world: World) -> None:
    world.hear(lost(0)[0])
    order = world.claim(NOON + US)
    assert order is not None
    desk = Desk(world)
    ended = AttemptEnd(order.attempt, "busy", ("LcrEnded",), NOON + 3 * US)
    desk.write(
        stretch(10, lost(1), AttemptStep(order.attempt, "agent_connected_at", NOON + 2 * US, "Agent One")),
        stretch(20, ended),
        stretch(30, lost(2)),
    )
    assert desk.events == ["call", "reserved", "agent-connected", "outcome", "call", "reserved"]
    assert [one.number for one in desk.told if one.name == "call"] == ["+819012340001", "+819012340002"]
    assert (checkpoint_of(world), desk.committed) == (30, [30])


def test_many_stretches_are_few_transactions(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "BATCH", 10)
    shaky = Shaky(world.store, lambda _: False)
    desk = Desk(world, shaky.as_store())
    desk.write(*(stretch(n, lost(n)) for n in range(1, 26)))
    assert shaky.transactions == 3  # of ten stretches at most
    assert len(world.reservations()) == 25
    assert desk.committed == [10, 20, 25]
    assert [one.number for one in desk.told if one.name == "call"] == [f"+81901234{n:04}" for n in range(1, 26)]


def test_a_stretch_without_content_still_moves_the_checkpoint(world: World) -> None:
    Desk(world).write(stretch(7))
    assert checkpoint_of(world) == 7


def test_an_end_that_the_events_do_not_tell_is_left_to_the_ticket(world: World) -> None:
    world.hear(call())
    order = world.claim()
    assert order is not None
    desk = Desk(world)
    desk.write(stretch(5, AttemptEnd(order.attempt, None, (), 0)))
    assert (desk.told, [row.in_flight for row in world.attempts()]) == ([], [True])


def test_what_is_heard_again_after_a_crash_changes_nothing(world: World) -> None:
    world.hear(lost(0)[0])
    order = world.claim(NOON + US)
    assert order is not None
    heard = [stretch(10, lost(1), lost(2)), stretch(20, AttemptEnd(order.attempt, "no-answer", (), NOON + US))]
    Desk(world).write(*heard)
    before = (world.reservations(), world.attempts(), world.texts(), len(world.rows(t.verdict)))
    again = Desk(world)
    again.write(*heard)
    assert (world.reservations(), world.attempts(), world.texts(), len(world.rows(t.verdict))) == before
    assert again.told == []


def test_who_is_too_far_ahead_waits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "BACKLOG", 2)

    async def read_on() -> bool:
        desk = Desk(world)
        for n in (1, 2):
            await desk.writer.put(stretch(n, lost(n)))
        third = asyncio.ensure_future(desk.writer.put(stretch(3, lost(3))))
        await asyncio.sleep(0)
        waited, running = not third.done(), asyncio.ensure_future(desk.writer.run())
        await third
        await desk.writer.caught_up()
        running.cancel()
        return waited

    assert asyncio.run(asyncio.wait_for(read_on(), TIMEOUT_S))
    assert len(world.reservations()) == 3


# What the database refuses for its own sake


def test_a_poisonous_item_is_put_aside_and_the_others_go_on(world: World, caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk(world)
    desk.write(stretch(10, lost(1), poison(2), lost(3)), stretch(20, lost(4)))
    assert desk.events == ["call", "reserved", "put-aside", *["call", "reserved"] * 2]
    assert [row.last_lost_at - NOON for row in world.reservations()] == [1, 3, 4]
    (aside,) = (one for one in desk.told if one.name == "put-aside")
    assert "number='090…02'" in aside.facts["item"]
    assert "ck_verdict_kind" in aside.facts["why"]
    assert "put aside" in caplog.text
    assert (checkpoint_of(world), desk.committed) == (20, [20])


def test_an_event_that_its_state_does_not_know_is_put_aside_too(world: World) -> None:
    """A reservation that somebody moved by hand must not stop the commits."""
    world.hear(lost(0)[0])
    order = world.claim(NOON + US)
    assert order is not None
    with world.store.write() as connection:
        connection.execute(t.reservation.update().values(state="waiting"))
    desk = Desk(world)
    desk.write(stretch(10, AttemptEnd(order.attempt, "busy", (), NOON + US)), stretch(20, lost(1)))
    assert desk.events == ["put-aside", "call", "reserved"]


# While the database is away


@pytest.mark.parametrize("late", [False, True], ids=["at once", "at the end"])
def test_while_the_database_is_away_it_is_tried_again_and_nothing_is_lost(world: World, late: bool) -> None:
    shaky = Shaky(world.store, lambda number: number <= 3, late=late)
    desk = Desk(world, shaky.as_store())
    desk.write(stretch(10, lost(1), lost(2)), stretch(20, lost(3)))
    assert shaky.transactions == 4
    assert desk.events == ["call", "reserved"] * 3
    assert [row.last_lost_at - NOON for row in world.reservations()] == [1, 2, 3]
    assert desk.committed == [20]


def test_however_long_it_is_away_it_is_said_once_and_once_that_it_is_back(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    Desk(world, Shaky(world.store, lambda number: number <= 200).as_store()).write(stretch(10, lost(1)))
    away, back = caplog.messages
    assert "commit what was heard" in away
    assert "server closed the connection" in away
    assert back == "commit what was heard: works again"


@pytest.mark.parametrize("away", range(2, 6))
def test_away_in_the_middle_of_going_item_by_item_nothing_is_lost_and_all_is_told(world: World, away: int) -> None:
    shaky = Shaky(world.store, lambda number: number == away)
    desk = Desk(world, shaky.as_store())
    desk.write(stretch(10, lost(1), poison(2), lost(3)))
    assert [row.last_lost_at - NOON for row in world.reservations()] == [1, 3]
    assert [row.losses for row in world.reservations()] == [1, 1]
    assert [one.number for one in desk.told if one.name == "reserved"] == [
        "+819012340001",
        "+819012340003",
    ]
    assert (checkpoint_of(world), desk.committed) == (10, [10])


def test_a_database_that_another_program_holds_locked_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warned: list[str] = []
    away = asyncio.Event()

    def warn(*words: object, **_: object) -> None:
        warned.append(str(words[-1]))
        away.set()

    monkeypatch.setattr(writing.log, "warning", warn)
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_S", 0.05)
    world = World(f"sqlite:///{tmp_path / 'test.db'}")
    other = sqlite3.connect(tmp_path / "test.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")

    async def let_go() -> None:
        await away.wait()
        other.execute("ROLLBACK")

    desk = Desk(world)
    desk.write(stretch(10, lost(1)), meanwhile=let_go())
    assert "is locked by another program" in warned[0]
    assert desk.events == ["call", "reserved"]
    assert len(world.reservations()) == 1
    other.close()
    world.close()


# The end


def test_it_ends_when_the_lease_has_passed_to_another(world: World) -> None:
    with world.store.write() as connection:
        lease.release(connection, world.held)
        assert lease.acquire(connection, "pbx:main", "another", "here", 60)
    desk = Desk(world)
    with pytest.raises(NotOurs):
        desk.write(stretch(10, lost(1)))
    assert (world.reservations(), world.rows(t.call), checkpoint_of(world)) == ([], [], 0)
    assert (desk.told, desk.committed) == ([], [])


def test_it_ends_when_the_lease_passes_between_two_items(world: World) -> None:
    """The batch was refused, and while it is committed item by item another process takes over."""

    def lapse(number: int) -> bool:
        if number == 3:
            with world.store.write() as connection:
                lease.release(connection, world.held)
                assert lease.acquire(connection, "pbx:main", "another", "here", 60)
        return False

    desk = Desk(world, Shaky(world.store, lapse).as_store())
    with pytest.raises(NotOurs):
        desk.write(stretch(10, lost(1), poison(2), lost(3)))
    assert ([row.last_lost_at - NOON for row in world.reservations()], checkpoint_of(world)) == ([1], 0)


def test_a_store_that_cannot_be_used_is_tried_again(world: World) -> None:
    class Closed(Shaky):
        @contextmanager
        def write(self) -> Iterator[Connection]:
            self.transactions += 1
            if self.transactions == 1:
                raise StoreError("the server is down")
            with self._store.write() as connection:
                yield connection

    desk = Desk(world, Closed(world.store, lambda _: False).as_store())
    desk.write(stretch(10, lost(1)))
    assert desk.events == ["call", "reserved"]


def test_two_better_verdicts_on_one_call_make_one_loss(world: World) -> None:
    """The log's verdict came first; what was heard live is better, and still the same loss."""
    heard, _ = lost(1)
    poor = (heard, replace(judged(heard, "abandoned"), source="log"))
    better = (heard, replace(judged(heard, "dropped"), source="live-partial"))
    desk = Desk(world)
    desk.write(Stretch((poor,), (), 10), Stretch((better,), (), 20))
    assert [(row.losses, row.state) for row in world.reservations()] == [(1, "waiting")]
    assert len(world.rows(t.verdict)) == 2


def test_a_gap_is_kept_and_told_after_the_calls_that_were_found_in_it(world: World) -> None:
    desk = Desk(world)
    gap = Gap(NOON - MINUTE, NOON, 1, "")
    desk.write(replace(stretch(7, lost(1)), gap=gap), replace(stretch(8), gap=gap))
    assert desk.events == ["call", "reserved", "gap", "gap"]
    assert [(row.since_at, row.until_at, row.calls) for row in world.rows(t.listening_gap)] == [
        (NOON - MINUTE, NOON, 1)
    ]


def test_nobody_waits_for_a_writer_that_has_ended(world: World) -> None:
    """Who stops the service while a database is away must not wait for it."""
    desk = Desk(world, Shaky(world.store, lambda _: True).as_store())

    async def stop() -> None:
        running = asyncio.ensure_future(desk.writer.run())
        await desk.writer.put(stretch(10, lost(1)))
        waiting = asyncio.ensure_future(desk.writer.caught_up())
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(StoreError, match="ends before"):
            await waiting

    asyncio.run(asyncio.wait_for(stop(), TIMEOUT_S))


def test_there_is_room_until_too_much_waits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "BACKLOG", 2)
    desk = Desk(world)

    async def fill() -> list[bool]:
        seen = []
        for checkpoint in (1, 2):
            seen.append(desk.writer.room)
            await desk.writer.put(stretch(checkpoint))
        return [*seen, desk.writer.room]

    assert asyncio.run(fill()) == [True, True, False]
