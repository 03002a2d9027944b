"""The queue for people: what is owed to whom by when, and why it has not been done yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from callback.attempts import snapshot
from callback.attempts.snapshot import Live
from callback.cli.options import looking
from callback.cli.tables import queue as queue_table
from callback.decisions import actions
from callback.errors import StoreError
from callback.operations.doctor import machine
from callback.reports.queue.rows import Row
from callback.reports.queue.wanted import EVERYBODY, State, Wanted
from callback.reports.queue.why import WORDS, Why
from callback.settings.rules import QueueRules
from callback.store import tables as t
from callback.store.audit import By
from callback.store.engine import Store
from tests.callback import queue_shown
from tests.callback.world import MINUTE, NOON, ON, US, World, at, call, picture, rules

CUSTOMER = "+819012345678"


@pytest.fixture
def world(migrated_url: str, clock_shows: Callable[[int], None]) -> Iterator[World]:
    clock_shows(NOON + MINUTE)
    made = World(migrated_url, rules(queues={"support": ON, "sales": ON, "desk": QueueRules()}))
    yield made
    made.close()


def seen(world: World, shown: Live, at: int = NOON + MINUTE) -> None:
    with world.store.write() as connection:
        snapshot.store(connection, "main", shown, at)


def view(world: World, limit: int = 200) -> list[Row]:
    return queue_shown.open_reservations(world, limit)


def why(world: World) -> dict[str, str]:
    """By number, why he has not been called."""
    return {line.number: line.why_not for line in view(world)}


def test_a_line_shows_what_is_owed_by_when(world: World) -> None:
    world.hear(call(ended_at=NOON))
    world.hear(call(ended_at=NOON + US))
    (line,) = view(world)
    assert (line.number, line.queue, line.kind, line.state) == (CUSTOMER, "support", "abandoned", "waiting")
    assert (line.losses, line.tries, line.made_at) == (2, 0, NOON)
    assert (line.aim_at, line.deadline_at) == (NOON + 30 * MINUTE, NOON + 60 * MINUTE)
    assert not line.overdue


def test_lines_go_by_their_deadline_and_closed_ones_are_left_out(world: World) -> None:
    for n, minutes in enumerate((2, 0, 1)):
        world.hear(call(f"0901234560{n}", ended_at=NOON + minutes * MINUTE))
    world.hear(call("09012345600", ended_at=NOON + 9 * MINUTE, talked_s=30), "served")
    assert [line.number for line in view(world)] == ["+819012345601", "+819012345602"]
    assert [line.number for line in view(world, limit=1)] == ["+819012345601"]


@pytest.mark.parametrize(
    ("shown", "word"),
    [
        (picture(), "in-aim"),
        (picture(free={"support": set()}), "no-free-agent"),
        (picture(waiting={"support": 1}), "callers-waiting"),
        (picture(closed="pbx-not-connected"), "pbx-not-connected"),
        (picture(closed="pbx-clock-off"), "pbx-clock-off"),
    ],
)
def test_why_not_is_what_the_deciding_rule_says(world: World, shown: Live, word: str) -> None:
    world.hear(call())
    seen(world, shown)
    assert why(world) == {CUSTOMER: word}


def test_whom_only_numbers_leaves_out_is_not_said_to_be_in_a_queue_that_is_off(migrated_url: str) -> None:
    first = ON.model_copy(update={"only_numbers": ("+819012345601",)})
    world = World(migrated_url, rules(queues={"support": first, "desk": QueueRules(only_numbers=("+819012345601",))}))
    for number, queue in (("09012345601", "support"), ("09012345602", "support"), ("09012345603", "desk")):
        world.hear(call(number, queue=queue))
    seen(world, picture(free={"support": {"a"}, "desk": {"a"}}))
    assert why(world) == {
        "+819012345601": "in-aim",
        "+819012345602": "not-in-only-numbers",
        "+819012345603": "watch",
    }
    assert machine.switched(world.settings) == "calls are on for support (its 1 only_numbers alone)"
    world.close()


def test_every_reservation_has_its_own_reason(world: World, clock_shows: Callable[[int], None]) -> None:
    now = NOON + 40 * MINUTE
    world.hear(call("09012345601", queue="desk"))
    world.hear(call("09012345602", ended_at=now - 35 * MINUTE))
    order = world.claim(now - 34 * MINUTE)
    assert order is not None
    world.end(order.attempt, "declined", now - 20 * MINUTE)
    world.hear(call("09012345603", ended_at=now - 33 * MINUTE))
    world.hear(call("09012345604", ended_at=now - 3 * MINUTE))
    assert world.claim(now - 2 * MINUTE) is not None
    world.hear(call("09012345604", queue="sales", ended_at=now - MINUTE))
    clock_shows(now)
    seen(world, picture(free={"support": {"a", "b"}, "sales": {"a", "b"}}), now)
    found = [(line.number[-2:], line.queue, line.why_not) for line in view(world)]
    assert sorted(found) == [
        ("01", "desk", "watch"),
        ("02", "support", "not-due"),
        ("03", "support", "in-window"),
        ("04", "sales", "in-flight"),
        ("04", "support", "being-called"),
    ]


def test_at_night_it_says_so(world: World, clock_shows: Callable[[int], None]) -> None:
    world.hear(call())
    clock_shows(NOON + 10 * 60 * MINUTE)
    seen(world, picture(), NOON + 10 * 60 * MINUTE)
    (line,) = view(world)
    assert (line.why_not, line.overdue, line.until_at) == ("quiet-hours", True, at("08:00", 24))


@pytest.mark.parametrize("age_s", [11, 3600])
def test_an_old_picture_means_that_the_service_does_not_run(world: World, age_s: int) -> None:
    world.hear(call())
    seen(world, picture(), NOON + MINUTE - age_s * US)
    assert why(world) == {CUSTOMER: "service-not-running"}


def test_no_picture_at_all_means_the_same(world: World) -> None:
    world.hear(call())
    assert why(world) == {CUSTOMER: "service-not-running"}


def test_the_numbers_on_the_line_are_not_kept_in_the_picture(world: World) -> None:
    seen(world, picture(numbers={CUSTOMER}))
    assert CUSTOMER not in repr(world.rows(t.live_view))


def test_an_empty_database_says_what_to_do_first(world: World, tmp_path: Path) -> None:
    empty = Store(f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(StoreError, match=r"empty\.db is empty: start `callback run`"), looking(empty, world.settings):
        pass
    empty.close()


def test_a_database_without_reservations_has_an_empty_queue(world: World) -> None:
    assert view(world) == []


def test_a_pbx_whose_service_never_ran_has_no_rules_in_force_and_so_no_queue(world: World) -> None:
    other = world.settings.model_copy(update={"pbx": world.settings.pbx.model_copy(update={"name": "other"})})
    with pytest.raises(StoreError, match="start `callback run`"), looking(world.store, other):
        pass


# For people


def line(**changes: Any) -> Row:
    values: dict[str, Any] = {
        **dict.fromkeys(Row.__slots__),
        "reservation": 1,
        "revision": 1,
        "number": CUSTOMER,
        "queue": "support",
        "kind": "abandoned",
        "state": "waiting",
        "losses": 1,
        "tries": 0,
        "made_at": NOON,
        "aim_at": NOON + 30 * MINUTE,
        "deadline_at": NOON + 60 * MINUTE,
        "due_at": NOON + 7 * MINUTE,
        "why": Why("watch"),
        "trunk": "main",
        "now": NOON,
    }
    return Row(**{**values, **changes})


@pytest.fixture
def shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], clock_shows: Callable[[int], None]
) -> Callable[..., str]:
    clock_shows(NOON)
    monkeypatch.setenv("COLUMNS", "200")

    def show(*lines: Row) -> str:
        queue_table.show(list(lines), ZoneInfo("Asia/Tokyo"))
        return capsys.readouterr().out

    return show


@pytest.mark.parametrize("word", [word for word in WORDS if word not in {"held", "paused"}])  # these are plain
def test_every_reason_is_said_in_plain_words(shown: Callable[..., str], word: str) -> None:
    table = shown(line(why=Why(word)))
    assert CUSTOMER in table
    assert f" {word} " not in table


def test_the_table_shows_times_of_the_site(shown: Callable[..., str]) -> None:
    table = shown(
        line(why=Why("not-due", NOON + 7 * MINUTE), losses=3), line(deadline_at=NOON - US, why=Why("overdue"))
    )
    for words in ("13:00", "waits for its time until 12:07", "abandoned x3", "is next, late"):
        assert words in table


def test_nobody_waits(shown: Callable[..., str]) -> None:
    assert shown() == "Nobody waits for a callback.\n"


def test_who_is_held_is_not_said_to_be_next(world: World) -> None:
    world.hear(call())
    with world.store.write() as connection:
        actions.hold(world.work(connection, NOON), 1, By("anna", "a complaint"))
    seen(world, picture())
    assert why(world) == {CUSTOMER: "held"}
    assert "held by anna until resumed: a complaint" in table(world)


def table(world: World, wanted: Wanted = EVERYBODY) -> str:
    lines = queue_shown.open_reservations(world, 200, wanted)
    return "\n".join(queue_table.stands(line, ZoneInfo("Asia/Tokyo")) for line in lines)


def test_whom_the_service_holds_is_not_said_to_be_held_by_a_person(
    migrated_url: str, clock_shows: Callable[[int], None]
) -> None:
    world = World(migrated_url, rules(one_ring_numbers=2))
    for n in range(3):
        with world.store.write() as connection:
            heard = call(f"0901234560{n}", NOON + n * US, waited_s=6)
            world.hear_in(connection, heard)
    (held,) = queue_shown.open_reservations(world)
    assert (held.state, held.why_not, held.held_by) == ("held", "held-by-service", "service")
    assert "held by the service until a person resumes it: many one-ring calls" in table(world)
    world.close()


def test_whom_an_incident_holds_is_shown_with_it(migrated_url: str, clock_shows: Callable[[int], None]) -> None:
    world = World(migrated_url, rules(incident_losses=1))
    for n in range(2):
        world.hear(call(f"0901234560{n}", NOON + n * US), "blocked")
    assert [line.why_not for line in view(world)] == ["in-incident"] * 2
    assert "held by incident 1: see `callback incident`" in table(world)
    assert queue_shown.totals(world) == "2 open: 2 held by an incident"
    world.close()


def test_people_ask_for_some_of_the_queue(world: World, clock_shows: Callable[[int], None]) -> None:
    for n, queue in enumerate(["support", "support", "sales"]):
        world.hear(call(f"0901234560{n}", queue=queue, ended_at=NOON + n * MINUTE))
    with world.store.write() as connection:
        actions.hold(world.work(connection, NOON), 2, By("anna", "a complaint"))
        actions.assign(world.work(connection, NOON), 3, "bert", By("anna", "hers"))
    clock_shows(NOON + 60 * MINUTE + 1)  # the first of them is overdue

    def found(**asked: Any) -> list[int]:
        lines = queue_shown.open_reservations(world, 9, Wanted(**asked))
        return [line.reservation for line in lines]

    assert found() == [1, 2, 3]
    assert found(queues=frozenset({"support"})) == [1, 2]
    assert found(states=frozenset({State.HELD})) == [2]
    assert found(overdue=True) == [1]
    assert found(whose=frozenset({"bert"})) == [3]
    assert found(queues=frozenset({"sales"}), overdue=True) == []
    every = "3 open: 2 waiting, 1 held, 1 overdue, 2 with a deadline within 15 min"
    assert queue_shown.totals(world) == every
    assert queue_shown.totals(world, Wanted(queues=frozenset({"sales"}))).startswith("1 open: 1 waiting")
    assert queue_shown.totals(world, Wanted(queues=frozenset({"none"}))) == "0 open: nobody"


@pytest.mark.parametrize(
    ("left_s", "said"),
    [(0, "0m"), (59, "0m"), (60, "1m"), (5999, "99m"), (6000, "1h40"), (-1, "-0m"), (-60, "-1m"), (-9000, "-2h30")],
)
def test_the_time_left_is_said_in_minutes(shown: Callable[..., str], left_s: int, said: str) -> None:
    assert f" {said} " in shown(line(deadline_at=NOON + left_s * US))


def test_at_80_columns_numbers_and_times_stand_whole(
    shown: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    printed = shown(line(queue="sales-de", losses=2, why=Why("overdue"), overdue_by_at=NOON + 90 * MINUTE))
    (row,) = (row for row in printed.splitlines() if CUSTOMER in row)
    assert "sales-de" in row
    assert "13:00" in row
    assert max(map(len, printed.splitlines())) <= 80
    assert len(printed.splitlines()) <= 8


def test_a_time_on_another_day_has_its_date(shown: Callable[..., str]) -> None:
    assert "11-24 12:00" in shown(line(deadline_at=NOON + 24 * 60 * MINUTE))
