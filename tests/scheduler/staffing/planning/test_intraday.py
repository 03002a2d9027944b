"""On the day: the band that chance allows, and who could help where."""

from __future__ import annotations

import random
from datetime import date
from itertools import combinations, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.staffing.halfhours import A_DAY
from scheduler.staffing.learning.forecast import Forecast, Habit
from scheduler.staffing.planning.intraday import Advice, advise, deviation, help_in

MONDAY = date(2026, 11, 23)


def expected(mean: float, days: int = 8) -> Forecast:
    return Forecast(MONDAY, (mean,) * A_DAY, (0.0,) * A_DAY, (MONDAY,) * days, "same weekdays")


def came(count: float) -> list[float]:
    return [count] * A_DAY


def test_a_day_leaves_its_forecast_where_chance_alone_would_not_bring_it() -> None:
    steady = Habit(0.0, 0.0)
    whole = range(20)
    assert deviation(expected(5), came(5), steady, whole).leaves is None
    assert deviation(expected(5), came(6.5), steady, whole).leaves == "more"
    assert deviation(expected(5), came(3.5), steady, whole).leaves == "fewer"
    assert deviation(expected(5), came(6.5), Habit(0.09, 0.95), whole).leaves is None  # on this site days wander as far
    assert deviation(expected(5), came(8), steady, range(3, 4)).leaves is None  # one half hour alone says little


def test_before_anything_has_passed_nothing_leaves_the_forecast() -> None:
    found = deviation(expected(5), came(9), Habit(0.02, 0.9), range(0))
    assert (found.came, found.expected, found.leaves) == (0, 0, None)


@given(st.floats(1, 300), st.floats(0, 0.2), st.floats(0, 0.99), st.integers(1, 10))
def test_the_band_holds_what_was_expected_and_widens_with_doubt(
    mean: float, spread: float, lasting: float, half_hours: int
) -> None:
    some = range(half_hours)
    narrow = deviation(expected(mean), came(mean), Habit(0.0, 0.0), some)
    wide = deviation(expected(mean), came(mean), Habit(spread, lasting), some)
    assert narrow.leaves is None
    assert wide.high + 1 >= narrow.high


def test_the_band_holds_nine_of_ten_days() -> None:
    """Days drawn as the forecast says they are: Poisson about a mean that is itself the mean of eight such days."""
    chance = random.Random(5)  # noqa: S311 - a test's dice

    def day() -> list[float]:
        return [float(sum(chance.random() < 0.04 for _ in range(100))) for _ in range(A_DAY)]

    inside = 0
    for _ in range(200):
        past = [day() for _ in range(8)]
        mean = tuple(sum(column) / 8 for column in zip(*past, strict=True))
        known = Forecast(MONDAY, mean, (0.0,) * A_DAY, (MONDAY,) * 8, "same weekdays")
        inside += deviation(known, day(), Habit(0.0, 0.0), range(20)).leaves is None
    assert 170 <= inside <= 195


# Who helps


def everywhere(_queue: str, _other: str) -> bool:
    return True


def team(name: str, size: int) -> set[str]:
    return {f"{name}{number}" for number in range(size)}


@pytest.mark.parametrize(
    ("needed", "there", "helps"),
    [
        ({"a": 3, "b": 2}, {"a": team("a", 3), "b": team("b", 2)}, {}),
        ({"a": 3, "b": 2}, {"a": team("a", 1), "b": team("b", 4)}, {("a", "b"): 2}),
        ({"a": 3, "b": 2}, {"a": team("a", 1), "b": team("b", 3)}, {("a", "b"): 1, ("a", ""): 1}),
        ({"a": 3, "b": 2}, {"a": team("a", 2), "b": team("b", 2)}, {("a", ""): 1}),
        (
            {"a": 2, "b": 1},
            {"a": team("x", 3), "b": team("x", 3)},
            {},
        ),  # all serve both: they are where they are needed
        ({"a": 2, "b": 2}, {"a": team("x", 3), "b": team("x", 3)}, {("b", ""): 1}),
        ({"a": 3}, {"a": team("a", 1), "b": team("b", 9)}, {("a", ""): 2}),  # what b needs nobody knows
        ({"a": 1, "b": 0}, {"b": team("b", 2)}, {("a", "b"): 1}),  # nobody serves a yet
    ],
)
def test_who_helps(needed: dict[str, int], there: dict[str, set[str]], helps: dict[tuple[str, str], int]) -> None:
    assert help_in(needed, there, everywhere) == helps


def test_who_may_not_help_is_not_moved() -> None:
    there = {"a": set[str](), "b": team("b", 5)}
    assert help_in({"a": 1, "b": 0}, there, lambda queue, other: queue == other) == {("a", ""): 1}


def test_neighbouring_half_hours_are_one_advice_and_moves_come_first() -> None:
    there = {"sales": team("s", 1), "support": team("t", 5)}
    found = advise({"sales": (3, 3, 7), "support": (3, 3, 3)}, there, 20, everywhere)
    assert found == [
        Advice("sales", "support", 2, 20, 22),
        Advice("sales", "", 4, 22, 22),
    ]
    assert [one.said(20) for one in found] == ["sales: 2 from support until 11:30", "sales: 4 more 11:00-11:30"]


QUEUES = ("a", "b", "c")
NEEDED = st.fixed_dictionaries({queue: st.integers(0, 4) for queue in QUEUES})
SERVED = st.lists(st.sets(st.sampled_from(QUEUES), min_size=1), max_size=7)


def floor(served: list[set[str]]) -> dict[str, set[str]]:
    return {queue: {f"p{place}" for place, own in enumerate(served) if queue in own} for queue in QUEUES}


def places_filled(needed: dict[str, int], served: list[set[str]]) -> int:
    """The most places that any arrangement fills, found the slow way: agent after agent, place by place."""
    best = {tuple(needed[queue] for queue in QUEUES): 0}
    for own in served:
        further = dict(best)
        for left, filled in best.items():
            for place, queue in enumerate(QUEUES):
                if queue in own and left[place]:
                    key = tuple(number - (place == where) for where, number in enumerate(left))
                    further[key] = max(further.get(key, 0), filled + 1)
        best = further
    return max(best.values())


@given(NEEDED, SERVED)
def test_moves_first_more_are_asked_for_only_when_everybody_has_a_place(
    needed: dict[str, int], served: list[set[str]]
) -> None:
    helps = help_in(needed, floor(served), everywhere)
    total = sum(needed.values())
    more = sum(number for (_, giver), number in helps.items() if not giver)
    moved = sum(number for (_, giver), number in helps.items() if giver)
    assert more == max(0, total - len(served))
    assert moved == total - more - places_filled(needed, served), "nobody is moved who need not be"


@given(NEEDED, SERVED)
def test_no_queue_that_gives_is_left_short(needed: dict[str, int], served: list[set[str]]) -> None:
    """Whoever goes can be chosen so that those who stay fill in their own queues as many places as all did before."""
    helps = help_in(needed, floor(served), everywhere)
    moves = [giver for (_, giver), number in helps.items() for _ in range(number) if giver]
    assert not set(moves) & {queue for queue, giver in helps if not giver}
    before = places_filled(needed, served)
    everybody = range(len(served))
    assert any(
        all(giver in served[gone] for giver, gone in zip(moves, going, strict=True))
        and places_filled(needed, [served[stays] for stays in everybody if stays not in going]) == before
        for chosen in combinations(everybody, len(moves))
        for going in permutations(chosen)
    )


@given(NEEDED, SERVED, st.sets(st.sampled_from(QUEUES), min_size=1), st.sampled_from(QUEUES))
def test_one_agent_more_never_asks_for_more_and_one_needed_more_never_for_fewer(
    needed: dict[str, int], served: list[set[str]], own: set[str], queue: str
) -> None:
    def related(one: str, other: str) -> bool:
        return {one, other} != {"a", "c"}

    def asked(needed: dict[str, int], served: list[set[str]]) -> int:
        helps = help_in(needed, floor(served), related)
        return sum(number for (_, giver), number in helps.items() if not giver)

    plain = asked(needed, served)
    assert plain - 1 <= asked(needed, [*served, own]) <= plain
    assert plain <= asked(needed | {queue: needed[queue] + 1}, served) <= plain + 1
