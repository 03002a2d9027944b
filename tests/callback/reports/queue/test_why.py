"""Why nobody has called yet, and what would help: a word without a lever or a plan is of no use to a supervisor."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace

import pytest

from callback.attempts import snapshot
from callback.attempts.agent_states import Agent
from callback.attempts.snapshot import CLOCKS_OFF, Live
from callback.cli.tables.queue import WORDS as SAID
from callback.reports.queue.board import JUDGED, Queue
from callback.reports.queue.rows import Row
from callback.reports.queue.wanted import Wanted
from callback.reports.queue.why import LEVERS, WORDS, Lever, Plan, Why
from scheduler import order
from tests.callback.reports.queue.many import hear_many
from tests.callback.world import MINUTE, NOON, US, World, call, picture

NOW = NOON + 2 * MINUTE


def seen(world: World, live: Live) -> None:
    with world.store.write() as connection:
        snapshot.store(connection, "main", live, NOW)


def shown(world: World, of: str = "aim", wanted: Wanted | None = None) -> list[Row]:
    with world.store.read() as connection:
        return list(Queue(world.work(connection, NOW)).page(of, wanted or Wanted()).rows)


def why(world: World, of: str = "aim") -> list[Why]:
    return [row.why for row in shown(world, of)]


def test_every_word_of_the_dispatcher_has_a_lever_or_a_plan() -> None:
    """The rule's own list of its words stands in its docstring; the picture's are the reasons that nobody is called."""
    told = re.search(r"The words: (.*?)\. A second", inspect.getdoc(order.choose) or "", re.DOTALL)
    assert told is not None
    words = re.findall(r"[a-z]+(?:-[a-z]+)*", told[1].replace("and for who could be called:", ""))
    assert len(words) == 18
    assert {*words, *CLOCKS_OFF, "pbx-not-connected", "service-not-running"} <= set(LEVERS)
    assert all(isinstance(helps, Lever | Plan) for helps in LEVERS.values())


def test_every_word_is_said_at_a_terminal() -> None:
    assert set(SAID) == set(WORDS)


def test_those_whom_one_agent_can_take_are_next_and_the_others_wait_their_turn(world: World) -> None:
    hear_many(world, 5)
    seen(world, picture(free={"support": {"a", "b"}}))
    assert [(one.word, one.help, one.turn, one.of) for one in why(world)] == [
        ("in-aim", Plan.IS_NEXT, 1, 5),
        ("in-aim", Plan.IS_NEXT, 2, 5),
        ("pacing", Plan.IN_TURN, 3, 5),
        ("pacing", Plan.IN_TURN, 4, 5),
        ("pacing", Plan.IN_TURN, 5, 5),
    ]


def test_no_page_behind_the_first_says_that_its_rows_are_next(world: World) -> None:
    many = JUDGED + 20
    hear_many(world, many)
    seen(world, picture(free={"support": {"a"}, "sales": {"b"}}))
    with world.store.read() as connection:
        queue = Queue(world.work(connection, NOW))
        first = queue.page("aim", Wanted(), JUDGED)
        behind = queue.page("aim", Wanted(), JUDGED, first.after)
    words = [(row.why.word, row.why.turn, row.why.of) for row in (*first.rows, *behind.rows)]
    assert words == [("in-aim", 1, many), *(("pacing", place, many) for place in range(2, many + 1))]


def test_a_filter_makes_nobody_be_next(world: World) -> None:
    hear_many(world, 3)
    world.hear(call("09012345699", NOON + MINUTE, queue="desk"))
    seen(world, picture(free={"support": {"a"}, "desk": {"a"}}))
    assert [(one.word, one.turn) for one in why(world)] == [("in-aim", 1), ("pacing", 2), ("pacing", 3), ("pacing", 4)]
    (alone,) = shown(world, wanted=Wanted(queues=frozenset({"desk"})))
    assert (alone.why.word, alone.why.turn) == ("pacing", 4)


def test_a_word_can_be_looked_for(world: World) -> None:
    hear_many(world, 3)
    world.hear(call("09012345699", NOON + MINUTE, queue="desk"))
    seen(world, picture(free={"support": {"a"}, "desk": set()}))
    assert [row.queue for row in shown(world, wanted=Wanted(why=frozenset({"no-free-agent"})))] == ["desk"]
    assert len(shown(world, wanted=Wanted(why=frozenset({"pacing"})))) == 2


def test_who_is_called_for_another_queue_is_shown_with_that_reservation(world: World) -> None:
    world.hear(call(queue="support"))
    world.hear(call(queue="sales", ended_at=NOON + US))
    assert world.claim(NOON + MINUTE, picture(free={"support": {"a"}})) is not None
    seen(world, picture(free={"sales": {"b"}}))
    (row,) = shown(world)
    assert (row.queue, row.why.word, row.why.help, row.why.other) == (
        "sales",
        "in-flight",
        Lever.OTHER_RESERVATION,
        1,
    )


def test_an_agent_can_be_lent_by_a_queue_that_has_one_to_spare(world: World) -> None:
    world.hear(call())
    live = picture(free={"support": set(), "sales": {"b", "c"}, "desk": {"d"}}, waiting={"desk": 1})
    seen(world, live)
    (one,) = why(world)
    assert (one.word, one.help, one.lend_from, one.lend) == ("no-free-agent", Lever.LEND_AGENT, "sales", 2)
    seen(world, picture(free={"support": set()}))
    (one,) = why(world)
    assert (one.help, one.lend_from) == (Lever.ADD_AGENT, None)


def test_callers_who_wait_are_counted(world: World) -> None:
    world.hear(call())
    seen(world, picture(free={"support": {"a"}}, waiting={"support": 3}))
    (one,) = why(world)
    assert (one.word, one.waiting) == ("callers-waiting", 3)


@pytest.mark.parametrize(("began_s", "free_in_s"), [(60, 180), (600, 0)])
def test_when_the_next_agent_is_free_is_reckoned_from_the_talks(world: World, began_s: int, free_in_s: int) -> None:
    world.hear(call())
    talking = Agent("a", "Anna", ("support",), "talking", NOW - began_s * US)
    later, other = replace(talking, phone="b", since_at=NOW), replace(talking, phone="c", queues=("desk",), since_at=1)
    live = picture(free={"support": set()})
    seen(world, replace(live, handle_s={"support": 240.0}, agents=(talking, later, other)))
    (one,) = why(world)
    assert one.free_at == NOW + free_in_s * US


def test_nobody_knows_when_an_agent_is_free_who_talks_since_nobody_knows_when(world: World) -> None:
    world.hear(call())
    talking = Agent("a", "Anna", ("support",), "talking", None)
    seen(world, replace(picture(free={"support": set()}), handle_s={"support": 240.0}, agents=(talking,)))
    assert [one.free_at for one in why(world)] == [None]
