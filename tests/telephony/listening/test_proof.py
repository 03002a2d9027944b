"""A call of which the log alone tells is believed where its Uniqueid fits between those that were heard."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.calls.call import Judged
from telephony.ids import SECOND
from telephony.listening.proof import STEP, GapEvidence, mark_doubtful, newest
from tests.telephony.listening.test_gap import T, call, judged

SINCE = T * SECOND
KNOWN = GapEvidence(SINCE, f"{T - 5}.100", (), lambda _: False)


def told(*uniqueids: str) -> list[Judged]:
    return [(replace(call(1), call_id=uniqueid), judged("abandoned", "log")) for uniqueid in uniqueids]


def believed(known: GapEvidence, *uniqueids: str) -> list[str]:
    return [found.call_id for found, _ in mark_doubtful(told(*uniqueids), known) if not found.doubtful]


@pytest.mark.parametrize(
    ("uniqueid", "after", "fits"),
    [
        (f"{T + 3}.101", (), True),
        (f"{T + 3}.{100 + STEP}", (), True),
        (f"{T + 3}.{101 + STEP}", (), False),  # too far from what was heard before
        (f"{T + 3}.881", (), False),  # a guess
        (f"{T + 3}.881", (f"{T + 9}.900",), True),  # but a later channel has a higher count
        (f"{T + 3}.881", (f"{T + 9}.880",), False),
        (f"{T + 3}.881", (f"other-{T + 9}.900",), False),  # of another PBX
        (f"{T + 3}.100", (f"{T + 9}.900",), False),  # given away already
        (f"{T + 3}.55", (f"{T + 9}.900",), False),  # older than what was heard
        (f"{T - 20}.101", (f"{T + 9}.900",), False),  # began while somebody listened, who heard nothing of it
        (f"{T - 1}.101", (), True),  # clocks of whole seconds
        (f"pbx-{T + 3}.101", (), False),
        ("invented", (f"{T + 9}.900",), False),
    ],
)
def test_a_count_proves_what_lies_between_two_that_were_heard(
    uniqueid: str, after: tuple[str, ...], fits: bool
) -> None:
    assert believed(replace(KNOWN, after=after), uniqueid) == [uniqueid] * fits


def test_callers_who_follow_each_other_lead_on() -> None:
    ids = [f"{T + number}.{100 + STEP * number}" for number in range(1, 9)]
    assert believed(KNOWN, *ids) == ids
    assert believed(KNOWN, *ids[:3], *ids[4:]) == ids[:3]


def test_a_system_s_name_is_part_of_the_id() -> None:
    known = replace(KNOWN, newest=f"west-1-{T - 5}.100")
    assert believed(known, f"west-1-{T + 3}.104", f"west-2-{T + 3}.104") == [f"west-1-{T + 3}.104"]


def test_after_a_restart_counts_that_anybody_may_guess_prove_nothing() -> None:
    known = replace(KNOWN, restarted=True, after=(f"{T + 50}.400",))
    assert believed(known, f"{T + 3}.104", f"{T + 40}.2", f"{T + 40}.300") == [f"{T + 3}.104"]


def test_what_was_heard_or_recorded_or_placed_is_no_question_of_counts() -> None:
    known = replace(KNOWN, heard=f"{T - 99}.9".__eq__, recorded=frozenset({f"{T + 3}.999"}))
    assert believed(known, f"{T - 99}.9", f"{T + 3}.999", f"{T + 3}.998") == [f"{T - 99}.9", f"{T + 3}.999"]
    placed = [(replace(call(1), call_id="lcr-a-1", placed=True), judged("callback", "log"))]
    assert [found.doubtful for found, _ in mark_doubtful(placed, KNOWN)] == [False]


def test_a_log_that_callers_cannot_write_into_is_believed() -> None:
    assert believed(replace(KNOWN, forgeable=False), f"{T + 3}.881") == [f"{T + 3}.881"]


def test_where_nothing_was_heard_before_nothing_is_proved() -> None:
    assert believed(replace(KNOWN, newest="", after=(f"{T + 9}.900",)), f"{T + 3}.104") == []


@given(st.lists(st.integers(0, 2000), max_size=30), st.integers(0, 2000))
def test_what_is_believed_lies_beyond_what_was_heard_and_within_reach_of_something(
    counts: list[int], bound: int
) -> None:
    ids = [f"{T + 3}.{count}" for count in counts]
    found = {int(one.rpartition(".")[2]) for one in believed(replace(KNOWN, after=(f"{T + 9}.{bound}",)), *ids)}
    for count in found:
        nearest = max([100, *(other for other in found if other < count)])
        assert count > 100
        assert count <= max(bound, nearest + STEP)


@given(st.permutations([f"{T}.9", f"{T}.10", f"{T + 1}.1", "x", ""]))
def test_the_newest_is_the_newest_in_any_order(ids: list[str]) -> None:
    latest = ""
    for one in ids:
        latest = newest(latest, one)
    assert latest == newest(*ids) == f"{T + 1}.1"
