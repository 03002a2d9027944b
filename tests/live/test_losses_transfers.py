"""Calls that are handed on, on a real Asterisk: a customer's call is judged once, by its last unfinished business."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import phone
from lab.asterisk import MUSIC_HZ, Asterisk
from lab.phone import AGENT_HZ, CUSTOMER_HZ
from lab.phone import Call as Line
from tests.live.floor import NOBODY, WATCHED, Case, Desk, Floor, open_floor, play

pytestmark = pytest.mark.live


def is_put_into_another_queue_and_served(floor: Floor) -> Line:
    desk = floor.desk()
    caller, agent = floor.converse(desk)
    other = desk.neighbour()
    agent.transfer(other.did())
    second = other.agent.wait_call().wait_answered().wait_heard(CUSTOMER_HZ)
    agent.wait_ended()
    caller.hang_up()
    second.wait_ended()
    return caller


def is_put_into_another_queue_and_gives_up(floor: Floor) -> Line:
    caller, other = _put_where_nobody_answers(floor, 540)
    caller.wait_heard(MUSIC_HZ).hang_up()
    assert other.agent.rings[0].wait_ended().answered_at is None
    return caller


def is_put_into_another_queue_and_thrown_out(floor: Floor) -> Line:
    caller, other = _put_where_nobody_answers(floor, 541)
    assert caller.wait_ended().ended_by == "pbx"
    assert other.agent.rings[0].answered_at is None
    return caller


def _put_where_nobody_answers(floor: Floor, kind: int) -> tuple[Line, Desk]:
    desk = floor.desk()
    other = desk.neighbour()
    other.agent.script = phone.no_answer()
    caller, agent = floor.converse(desk)
    agent.transfer(other.did(kind))
    other.agent.wait_call().wait_ringing()
    agent.wait_ended()
    return caller, other


def is_put_into_another_queue_and_broken_off(floor: Floor) -> Line:
    desk = floor.desk()
    other = desk.neighbour()
    caller, agent = floor.converse(desk)
    agent.transfer(other.did())
    second = other.agent.wait_call().wait_answered().wait_heard(CUSTOMER_HZ)
    second.hang_up("Q.850;cause=38")
    assert caller.wait_ended().ended_by == "pbx"
    return caller


def is_put_through_to_a_colleague(floor: Floor) -> Line:
    desk = floor.desk()
    colleague = desk.neighbour()
    caller, agent = floor.converse(desk)
    agent.transfer(f"2{colleague.number}")
    second = colleague.agent.wait_call().wait_answered().wait_heard(CUSTOMER_HZ)
    agent.wait_ended()
    caller.hang_up()
    second.wait_ended()
    return caller


def is_joined_with_a_colleague(floor: Floor) -> Line:
    caller, second = _joined(floor, "2")
    caller.hang_up()
    assert second.wait_ended().ended_by == "pbx"
    return caller


def is_joined_with_an_agent_of_another_queue(floor: Floor) -> Line:
    caller, second = _joined(floor, "540")
    second.hang_up()
    assert caller.wait_ended().ended_by == "pbx"
    return caller


def is_joined_with_an_agent_whose_line_fails(floor: Floor) -> Line:
    caller, second = _joined(floor, "540")
    second.hang_up("Q.850;cause=38")
    assert caller.wait_ended().ended_by == "pbx"
    return caller


def is_joined_with_an_agent_and_his_own_line_fails(floor: Floor) -> Line:
    caller, second = _joined(floor, "540")
    caller.hang_up("Q.850;cause=41")
    assert second.wait_ended().ended_by == "pbx"
    return caller


def _joined(floor: Floor, prefix: str) -> tuple[Line, Line]:
    """Let the agent hold the customer, ask at the other desk, and join them; both hear each other then."""
    desk = floor.desk()
    other = desk.neighbour()
    caller, agent = floor.converse(desk)
    agent.hold()
    caller.wait_heard(MUSIC_HZ)
    asked = desk.agent.call(f"{prefix}{other.number}", caller=f"agent{desk.number}")
    second = other.agent.wait_call().wait_answered().wait_heard(AGENT_HZ)
    assert not second.heard(CUSTOMER_HZ)
    agent.transfer_to(asked.wait_answered())
    second.wait_heard(CUSTOMER_HZ)
    assert (agent.wait_ended().state, asked.wait_ended().state) == ("ended", "ended")
    caller.wait_heard(AGENT_HZ, last_s=0.2)
    return caller, second


def gives_up_while_the_agent_asks_a_colleague(floor: Floor) -> Line:
    desk = floor.desk()
    other = desk.neighbour()
    caller, agent = floor.converse(desk)
    agent.hold()
    caller.wait_heard(MUSIC_HZ)
    asked = desk.agent.call(f"2{other.number}", caller=f"agent{desk.number}")
    other.agent.wait_call().wait_answered().wait_heard(AGENT_HZ)
    caller.hang_up()
    assert agent.wait_ended().ended_by == "pbx"
    asked.hang_up()
    return caller


def is_thrown_out_and_served_in_the_next_queue(floor: Floor) -> Line:
    desk = floor.desk()
    desk.pause()
    second = desk.neighbour()
    caller = floor.call(desk.did(543))
    talking = second.agent.wait_call().wait_answered().wait_heard(CUSTOMER_HZ)
    caller.wait_heard(AGENT_HZ).hang_up()
    talking.wait_ended()
    return caller


def agents_phone_dies_after_the_transfer(floor: Floor) -> Line:
    desk = floor.desk()
    other = floor.desk(WATCHED)
    caller, agent = floor.converse(desk)
    agent.transfer(other.did())
    second = other.agent.wait_call().wait_answered().wait_heard(CUSTOMER_HZ)
    second.vanish()
    assert caller.wait_ended().ended_by == "pbx"
    return caller


def nobody_but_an_agent_and_a_colleague(floor: Floor) -> Line:
    desk = floor.desk()
    other = desk.neighbour()
    asked = desk.agent.call(f"2{other.number}", caller=f"agent{desk.number}").wait_answered()
    other.agent.wait_call().wait_answered().wait_heard(AGENT_HZ)
    asked.hang_up()
    return asked


def nobody_but_an_agent_and_whom_he_calls(floor: Floor) -> Line:
    desk = floor.desk()
    number = f"090987600{desk.number}"
    asked = desk.agent.call(number, caller=f"agent{desk.number}").wait_answered()
    floor.carriers["trunk"].wait_call(number).wait_answered().wait_heard(AGENT_HZ).hang_up()
    asked.wait_ended()
    return asked


def nobody_but_an_agent_and_somebody_busy(floor: Floor) -> Line:
    desk = floor.desk()
    number = f"090987600{desk.number}"
    floor.carriers["trunk"].behave(number, phone.busy())
    return desk.agent.call(number, caller=f"agent{desk.number}").wait_ended()


CASES = [
    Case(is_put_into_another_queue_and_served, "served"),
    Case(is_put_into_another_queue_and_gives_up, "abandoned", "gave-up-while-ringing"),
    Case(is_put_into_another_queue_and_thrown_out, "blocked", "queue-time-out"),
    Case(is_put_into_another_queue_and_broken_off, "dropped", "line-failed", "agent"),
    Case(agents_phone_dies_after_the_transfer, "dropped", "media-time-out", "agent"),
    Case(is_put_through_to_a_colleague, "served"),
    Case(is_joined_with_a_colleague, "served"),
    Case(is_joined_with_an_agent_of_another_queue, "served"),
    Case(is_joined_with_an_agent_whose_line_fails, "dropped", "line-failed", "agent"),
    Case(is_joined_with_an_agent_and_his_own_line_fails, "dropped", "line-failed", "customer"),
    Case(gives_up_while_the_agent_asks_a_colleague, "served"),
    Case(is_thrown_out_and_served_in_the_next_queue, "served"),
    Case(nobody_but_an_agent_and_a_colleague, NOBODY),
    Case(nobody_but_an_agent_and_whom_he_calls, NOBODY),
    Case(nobody_but_an_agent_and_somebody_busy, NOBODY),
]


def test_each_is_judged_once_by_how_it_ended(floor_asterisk: Asterisk, tmp_path: Path) -> None:
    with open_floor(floor_asterisk, tmp_path) as floor:
        play(floor, CASES)
