"""What several PBXs told is committed together, and no PBX suffers from another's fault."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest
from sqlalchemy import Connection

from callback.errors import NotOurs, StoreError
from callback.service.commits import Commits, Heard, Listener
from callback.settings.sections import PbxWiring
from callback.site.context import Sites, take_over
from callback.store import checkpoints, lease
from callback.store import tables as t
from callback.store.engine import Store
from telephony.calls.call import Call, Kind
from tests.callback.service.test_committer import lost, poison
from tests.callback.world import MINUTE, NOON, US, World, call, judged


@pytest.fixture
def listeners(world: World) -> list[Listener]:
    """Three PBXs on one store."""
    others = [listener(world, name) for name in ("second", "third")]
    return [Listener(world.sites, world.held, "j1"), *others]


def listener(world: World, name: str) -> Listener:
    wiring = PbxWiring(name=name, username="u", secret="s")  # noqa: S106
    with world.store.write() as connection:
        held = lease.acquire(connection, f"pbx:{name}", "me", "here", 3600)
        settings = world.settings.model_copy(update={"pbx": wiring})
        take_over(connection, settings, NOON)
        checkpoints.begin(connection, name, "j1", NOON - 10**12)
    assert held is not None
    return Listener(Sites(settings), held, "j1")


def heard(of: Listener, *calls: tuple[Call, Kind]) -> Heard:
    return Heard(of, [(one, judged(one, kind)) for one, kind in calls], checkpoint=10)


def commits(world: World, now: int = NOON + MINUTE) -> Commits:
    return Commits(world.store, lambda: now)


def kept(world: World) -> dict[str, int]:
    """By PBX, how many calls are kept; of those alone whose journal may go."""
    moved = [row.pbx for row in world.rows(t.checkpoint) if row.journal_offset == 10]
    return {pbx: sum(row.pbx == pbx for row in world.rows(t.call)) for pbx in moved}


def test_what_all_heard_is_one_transaction(
    world: World, listeners: Sequence[Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    began, write = [], Store.write

    def counted(store: Store) -> AbstractContextManager[Connection]:
        began.append(store)
        return write(store)

    monkeypatch.setattr(Store, "write", counted)
    each = [heard(of, lost(number), lost(10 + number)) for number, of in enumerate(listeners)]
    assert commits(world).together(each) == [None, None, None]
    assert len(began) == 1
    monkeypatch.undo()
    assert kept(world) == {"main": 2, "second": 2, "third": 2}
    assert {row.pbx for row in world.rows(t.happened)} == {"main", "second", "third"}


def test_one_that_lost_its_lease_commits_nothing_and_hinders_nobody(
    world: World, listeners: Sequence[Listener]
) -> None:
    with world.store.write() as connection:
        lease.release(connection, listeners[1].held)
        assert lease.acquire(connection, "pbx:second", "another", "here", 60)
    first, second, third = commits(world).together([heard(of, lost(number)) for number, of in enumerate(listeners)])
    assert (first, type(second), third) == (None, NotOurs, None)
    assert kept(world) == {"main": 1, "third": 1}
    assert {row.pbx for row in world.rows(t.call)} == {"main", "third"}


def test_what_is_poisonous_is_put_aside_at_its_own_pbx(world: World, listeners: Sequence[Listener]) -> None:
    of, *others = listeners
    each = [
        heard(of, lost(1), poison(2), lost(3)),
        *(heard(other, lost(number)) for number, other in enumerate(others)),
    ]
    assert commits(world).together(each) == [None, None, None]
    assert kept(world) == {"main": 2, "second": 1, "third": 1}
    assert [row.pbx for row in world.rows(t.happened) if row.name == "put-aside"] == ["main"]
    assert sum(row.name == "call" for row in world.rows(t.happened)) == 4


def test_while_the_database_is_away_each_is_told_so(
    world: World, listeners: Sequence[Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_store: Store) -> AbstractContextManager[Connection]:
        raise StoreError("no answer")

    monkeypatch.setattr(Store, "write", away)
    told = commits(world).together([heard(of, lost(number)) for number, of in enumerate(listeners)])
    assert [type(error) for error in told] == [StoreError] * 3
    monkeypatch.undo()
    assert kept(world) == {}


def test_a_loss_that_is_learnt_late_knows_of_the_talk_that_is_committed_with_it(
    world: World, listeners: Sequence[Listener]
) -> None:
    talk, loss = call(ended_at=NOON + 2 * MINUTE, talked_s=30), call(ended_at=NOON + MINUTE)
    both = heard(listeners[0], (talk, "served"), (loss, "abandoned"))
    assert commits(world, NOON + 5 * MINUTE).together([both]) == [None]
    assert {row.call_id: row.recovery for row in world.rows(t.call)}[loss.call_id] == "answered-since"


def test_of_a_call_that_is_judged_twice_in_one_transaction_the_better_verdict_says_when_it_waited(
    world: World, listeners: Sequence[Listener]
) -> None:
    by_log = call()
    known_later = replace(by_log.visits[0], joined_at=by_log.visits[0].joined_at + US)
    live = replace(by_log, visits=(known_later,))
    twice = [(by_log, judged(by_log, "abandoned", source="log")), (live, judged(live, "abandoned"))]
    assert commits(world).together([Heard(listeners[0], twice, 10)]) == [None]
    assert [row.joined_at for row in world.rows(t.queue_visit)] == [known_later.joined_at]
    assert [row.version for row in world.rows(t.verdict)] == [1, 2]
    assert len(world.reservations()) == 1
