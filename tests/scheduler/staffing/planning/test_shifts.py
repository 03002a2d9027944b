"""Moves before additions, and no more additions than there have to be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.errors import SchedulerError
from scheduler.staffing.blocks import Block, at_work
from scheduler.staffing.halfhours import A_DAY
from scheduler.staffing.planning.hints import hints, words
from scheduler.staffing.planning.shifts import ShiftLimits, fewest_shifts, plan

OPEN = ShiftLimits(lengths=(8, 12, 16), opens=16, closes=40)
NO_BREAKS = ShiftLimits(lengths=(4, 8), break_from=99, opens=16, closes=40)


def need(**spans: int) -> list[int]:
    """Give the need of a day: need(s18_20=3) asks for three in half hours 18 and 19."""
    day = [0] * A_DAY
    for name, agents in spans.items():
        first, until = map(int, name[1:].split("_"))
        day[first:until] = [agents] * (until - first)
    return day


def shortage(needed: list[int], blocks: list[Block]) -> int:
    return sum(max(0, want - there) for want, there in zip(needed, at_work(blocks), strict=True))


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    first = draw(st.integers(16, 32))
    until = first + draw(st.sampled_from([8, 16] if first <= 24 else [8]))
    pauses = (first + draw(st.integers(2, 5)),) if until - first > 8 else ()
    return Block(draw(st.sampled_from("abcdefgh")), first, until, pauses)


rosters = st.lists(blocks(), max_size=6, unique_by=lambda block: block.agent)
needs = st.lists(st.integers(0, 4), min_size=24, max_size=24).map(lambda open_: [0] * 16 + open_ + [0] * 8)


def test_a_break_moves_out_of_the_peak() -> None:
    ann, bob = Block("Ann", 16, 32, (24,)), Block("Bob", 16, 32, (24,))
    result = plan([ann, bob], need(s16_23=2, s23_26=2, s26_30=1), OPEN)
    assert result.added == ()
    assert sum(move.gain for move in result.moves) == 2
    assert {move.before for move in result.moves} == {ann, bob}
    assert all(move.after.first == 16 for move in result.moves)
    assert sum(result.missing) == 0


def test_a_shift_moves_into_the_peak_by_as_little_as_helps() -> None:
    result = plan([Block("Ann", 20, 28)], need(s19_26=1), OPEN)
    (move,) = result.moves
    assert (move.after.first, move.gain, str(move.after)) == (19, 1, "Ann 09:30-13:30")
    assert result.added == ()


def test_what_moves_cannot_mend_takes_a_shift() -> None:
    result = plan([Block("Ann", 16, 24)], need(s16_24=1, s26_34=1), OPEN)
    (added,) = result.added
    assert (added.first, added.until, result.at_least) == (26, 34, 1)
    assert result.moves == ()


def test_a_new_long_shift_has_its_break_where_least_is_missing() -> None:
    result = plan([], need(s20_30=1, s31_36=1), ShiftLimits(lengths=(16,), opens=16, closes=40))
    assert [(block.first, block.breaks) for block in result.added] == [(20, (30,))]


def test_the_end_of_the_day_is_covered_by_an_earlier_beginning() -> None:
    result = plan([], need(s38_40=2), OPEN)
    assert [(block.first, block.until) for block in result.added] == [(32, 40)] * 2
    assert result.at_least == 2


def test_what_lies_outside_the_hours_stays_missing() -> None:
    result = plan([], need(s10_12=1), OPEN)
    assert (result.added, sum(result.missing)) == ((), 2)


@given(rosters, needs)
def test_moves_only_help_and_keep_everybodys_hours(roster: list[Block], needed: list[int]) -> None:
    result = plan(roster, needed, OPEN)
    after = {block.agent: block for block in roster} | {move.after.agent: move.after for move in result.moves}
    assert shortage(needed, roster) - sum(move.gain for move in result.moves) == shortage(needed, [*after.values()])
    assert all(move.gain > 0 for move in result.moves)
    assert len({move.before.agent for move in result.moves}) == len(result.moves)
    for move in result.moves:
        assert len(move.before.at_work()) == len(move.after.at_work())
        assert abs(move.after.first - move.before.first) <= OPEN.reach
        assert OPEN.opens <= move.after.first
        assert move.after.until <= OPEN.closes


@given(rosters, needs)
def test_moves_and_additions_fill_what_the_plan_says(roster: list[Block], needed: list[int]) -> None:
    result = plan(roster, needed, OPEN)
    after = {block.agent: block for block in roster} | {move.after.agent: move.after for move in result.moves}
    assert shortage(needed, [*after.values(), *result.added]) == sum(result.missing) == 0
    assert len(result.added) >= result.at_least
    for block in result.added:
        length = block.until - block.first
        assert length in OPEN.lengths
        assert bool(block.breaks) == (length >= OPEN.break_from)
        assert all(block.first + 2 <= pause < block.until - 2 for pause in block.breaks)


@given(needs)
def test_without_breaks_no_plan_adds_fewer(needed: list[int]) -> None:
    result = plan([], needed, NO_BREAKS)
    assert len(result.added) == result.at_least == fewest_shifts(needed, NO_BREAKS)


@given(needs)
def test_breaks_cost_few_shifts_beyond_the_bound(needed: list[int]) -> None:
    result = plan([], needed, OPEN)
    assert len(result.added) <= 2 * result.at_least + 1


def test_a_plan_that_lacks_nothing_changes_nothing() -> None:
    result = plan([Block("Ann", 16, 24)], need(s16_24=1), OPEN)
    assert (result.moves, result.added, result.at_least) == ((), (), 0)


@pytest.mark.parametrize("wrong", [(20, 20, ()), (-1, 4, ()), (40, 49, ()), (10, 20, (25,))])
def test_a_shift_that_is_none_is_refused(wrong: tuple[int, int, tuple[int, ...]]) -> None:
    with pytest.raises(SchedulerError, match="does not lie within"):
        Block("Ann", *wrong)


def test_rules_that_fit_no_shift_are_refused() -> None:
    with pytest.raises(SchedulerError, match="let the shortest one fit"):
        ShiftLimits(lengths=(16,), opens=20, closes=30)


def test_hints_say_gaps_and_what_is_to_spare() -> None:
    needed = need(s18_20=8, s20_29=5, s29_31=3)
    present = need(s18_31=5)
    found = [*hints(1, needed, present), *hints(4, need(s0_1=1), need())]
    assert words(found) == ["Tue 09:00-10:00: +3; 14:30-15:30: 2 to spare", "Fri 00:00-00:30: +1"]


@given(needs, needs)
def test_hints_fill_exactly_what_lacks(needed: list[int], present: list[int]) -> None:
    filled = list(present)
    for hint in hints(0, needed, present):
        for number in hint.half_hours:
            filled[number] += hint.more
    assert filled == needed
