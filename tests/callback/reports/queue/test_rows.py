"""What a row shows beside the reservation itself: the loss, the attempt, the text, the answer, who holds it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from callback.reports.queue.board import Queue
from callback.reports.queue.lanes import LANES
from callback.reports.queue.rows import Row
from callback.reports.queue.why import Lever, Plan
from tests.callback.world import MINUTE, US
from tests.console.centre import AGENT, NOW, Centre
from tests.console.seeded import CLOSED, fresh
from tests.console.seeded import LANES as NAMED


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    made = fresh(tmp_path)
    yield made
    made.world.close()


def row(centre: Centre, name: str) -> Row:
    with centre.world.store.read() as connection:
        (found,) = Queue(centre.world.work(connection, NOW)).by_id([centre.reservation[name]])
    return found


def test_every_reservation_is_in_the_lane_of_its_name(centre: Centre) -> None:
    with centre.world.store.read() as connection:
        queue = Queue(centre.world.work(connection, NOW))
        shown = {lane: {one.reservation for one in queue.page(lane).rows} for lane in LANES}
    named = {lane: {centre.reservation[name] for name in names} for lane, names in NAMED.items()}
    assert all(named[lane] <= shown[lane] for lane in LANES)


def test_the_loss_that_counts_is_the_last_of_its_kind(centre: Centre) -> None:
    lost = row(centre, "binds").lost
    assert lost is not None
    assert (lost.kind, lost.reason, lost.waited_s, lost.talked_s) == ("abandoned", "gave-up-waiting", 62.0, 0.0)
    assert lost.source == "live-complete"
    assert lost.call_id == centre.call["binds"]
    assert row(centre, "binds").losses == 2


@pytest.mark.parametrize(
    ("name", "step", "ago_s"), [("calling", "agent-answered", 12), ("calling-customer", "customer-rings", 8)]
)
def test_who_is_being_called_is_shown_with_the_stage_of_the_attempt(
    centre: Centre, name: str, step: str, ago_s: int
) -> None:
    shown = row(centre, name)
    assert shown.stage is not None
    assert (shown.stage.step, shown.stage.since_at, shown.stage.agent) == (step, NOW - ago_s * US, AGENT)
    assert (shown.why.word, shown.why.help) == ("being-called", Plan.UNDER_WAY)


def test_the_last_outcome_and_text_and_whose_it_is(centre: Centre) -> None:
    shown = row(centre, "binds")
    assert shown.last is not None
    assert (shown.last.outcome, shown.tries, shown.max_tries) == ("busy", 1, 3)
    assert shown.text is not None
    assert shown.text.word == "delivered"
    assert shown.assigned_to == "王伟 (Wei)"
    assert row(centre, "binds-landline").text_refusal == "landline"
    assert row(centre, "aim-unsent").last is None


def test_an_answer_that_nobody_has_read_marks_its_row(centre: Centre) -> None:
    assert row(centre, "aim").answer is not None
    assert row(centre, "binds").answer is None


def test_who_holds_it_and_why(centre: Centre) -> None:
    held, burst, incident = row(centre, "held"), row(centre, "burst-0"), row(centre, "incident-1")
    assert (held.why.word, held.held_by, held.held_why) == ("held", "Bo", 'asks "later", see <ticket>')
    assert (burst.why.word, burst.held_by) == ("held-by-service", "service")
    assert (incident.why.word, incident.why.help, incident.incident) == (
        "in-incident",
        Lever.DECIDE_INCIDENT,
        centre.incident,
    )


def test_closed_ones_say_who_closed_them(centre: Centre) -> None:
    closed = {state: row(centre, name) for state, name in CLOSED.items()}
    assert {state: one.lane for state, one in closed.items()} == dict.fromkeys(CLOSED, "")
    assert closed["cancelled"].ended_by == "Anna"
    assert closed["done-elsewhere"].ended_by == "Bo"
    assert closed["reached"].ended_by == AGENT
    assert closed["expired"].why.word == "left-to-people"


def test_a_row_reckons_by_the_moment_that_it_was_read_at(centre: Centre) -> None:
    late, binds = row(centre, "late"), row(centre, "binds")
    assert (late.overdue, binds.overdue) == (True, False)
    assert 0 < binds.left_s < 5 * MINUTE // US
    assert {"overdue", "left_s", "why_not", "until_at", "number", "revision"} <= set(late.as_json())


def test_rows_of_another_group_are_as_if_there_were_none(centre: Centre) -> None:
    ids = [centre.reservation[name] for name in ("window-sales", "aim")]
    with centre.world.store.read() as connection:
        queue = Queue(centre.world.work(connection, NOW))
        assert [one.reservation for one in queue.by_id([*ids, 999_999], frozenset({"support"}))] == ids[1:]
        assert [one.reservation for one in queue.by_id(ids)] == ids
