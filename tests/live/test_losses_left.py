"""Callers who are left somewhere: parked, in a conference, behind a mobile that must press 1; on a real Asterisk."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lab import phone
from lab.asterisk import MUSIC_HZ, Asterisk
from lab.phone import AGENT_HZ, CUSTOMER_HZ
from lab.phone import Call as Line
from tests.live.floor import NOBODY, Case, Desk, Floor, open_floor, play

pytestmark = pytest.mark.live

PARK, PARK_AND_BE_RUNG, PARK_AND_FORGET = "700", "701", "702"


def is_parked_and_gives_up(floor: Floor) -> Line:
    caller = _parked(floor, floor.desk(), PARK)
    caller.wait_heard(MUSIC_HZ, last_s=0.2).hang_up()
    return caller


def is_parked_and_fetched(floor: Floor) -> Line:
    desk = floor.desk()
    colleague = desk.neighbour()
    caller = _parked(floor, desk, PARK)
    talk = colleague.agent.call(_space_of(floor, caller), caller=f"agent{colleague.number}").wait_answered()
    talk.wait_heard(CUSTOMER_HZ)
    caller.hang_up()
    talk.wait_ended()
    return caller


def is_parked_until_the_time_is_over(floor: Floor) -> Line:
    caller = _parked(floor, floor.desk(), PARK_AND_FORGET)
    assert caller.wait_ended().ended_by == "pbx"
    return caller


def is_parked_and_nobody_takes_the_phone(floor: Floor) -> Line:
    desk = floor.desk()
    caller, agent = floor.converse(desk)
    desk.agent.script = phone.no_answer()
    agent.transfer(PARK_AND_BE_RUNG)
    desk.agent.wait_call().wait_ringing()
    assert caller.wait_ended().ended_by == "pbx"
    return caller


def is_parked_and_taken_back(floor: Floor) -> Line:
    desk = floor.desk()
    caller = _parked(floor, desk, PARK_AND_BE_RUNG)
    again = desk.agent.wait_call().wait_answered().wait_heard(CUSTOMER_HZ)
    caller.hang_up()
    again.wait_ended()
    return caller


def is_parked_by_the_reception_and_gives_up(floor: Floor) -> Line:
    desk = floor.desk()
    caller = floor.call(desk.did(556))
    reception = desk.agent.wait_call().wait_answered()
    caller.wait_heard(AGENT_HZ)
    reception.transfer(PARK)
    _space_of(floor, caller)
    caller.wait_heard(MUSIC_HZ, last_s=0.2).hang_up()
    return caller


def _parked(floor: Floor, desk: Desk, where: str) -> Line:
    caller, agent = floor.converse(desk)
    agent.transfer(where)
    _space_of(floor, caller)
    return caller


def _space_of(floor: Floor, caller: Line) -> str:
    """Wait until the caller stands in a lot, and give where."""
    deadline = time.monotonic() + 10
    while True:
        parked = [one for one in floor.pbx.action("ParkedCalls") if one.get("ParkeeCallerIDNum") == caller.caller_id]
        if parked:
            return parked[0]["ParkingSpace"]
        assert time.monotonic() < deadline, "nobody parked him"
        time.sleep(0.05)


def is_alone_in_a_conference(floor: Floor) -> Line:
    desk = floor.desk()
    caller, agent = floor.converse(desk)
    agent.transfer(f"79{desk.number}")
    time.sleep(1)  # he hears that he is the only one
    caller.hang_up()
    return caller


def meets_a_colleague_in_a_conference(floor: Floor) -> Line:
    desk = floor.desk()
    colleague = desk.neighbour()
    waits = colleague.agent.call(f"79{desk.number}", caller=f"agent{colleague.number}").wait_answered()
    caller, agent = floor.converse(desk)
    agent.transfer(f"79{desk.number}")
    waits.wait_heard(CUSTOMER_HZ)
    caller.hang_up()
    waits.hang_up()
    return caller


def gives_up_while_a_mobile_is_asked(floor: Floor) -> Line:
    caller, _ = _asked(floor)
    caller.hang_up()
    return caller


def is_refused_by_a_mobile(floor: Floor) -> Line:
    caller, mobile = _asked(floor)
    mobile.hang_up()
    caller.wait_ended()
    return caller


def asks_a_mobile_in_vain(floor: Floor) -> Line:
    caller, mobile = _asked(floor)
    caller.wait_ended()
    mobile.wait_ended()
    return caller


def is_taken_by_a_mobile(floor: Floor) -> Line:
    caller, mobile = _asked(floor)
    mobile.press("1")
    mobile.wait_heard(CUSTOMER_HZ)
    caller.wait_heard(AGENT_HZ).hang_up()
    mobile.wait_ended()
    return caller


def _asked(floor: Floor) -> tuple[Line, Line]:
    """Let a customer call whose call a mobile may take by key 1; the mobile has answered."""
    desk = floor.desk()
    caller = floor.call(desk.did(555))
    mobile = desk.agent.wait_call().wait_answered()
    time.sleep(0.7)  # the beep
    return caller, mobile


def is_put_into_the_place_of_an_agent_who_waits_and_gives_up(floor: Floor) -> Line:
    caller, other = _put_into_the_place(floor)
    time.sleep(1)
    caller.hang_up()
    assert other.agent.rings[0].wait_ended().answered_at is None
    return caller


def is_put_into_the_place_of_an_agent_who_waits_and_served(floor: Floor) -> Line:
    caller, other = _put_into_the_place(floor)
    ring = other.agent.rings[0]
    ring.answer()
    ring.wait_heard(CUSTOMER_HZ)
    time.sleep(1)  # they talk
    caller.hang_up()
    ring.wait_ended()
    return caller


def _put_into_the_place(floor: Floor) -> tuple[Line, Desk]:
    """Let the agent ask the other desk's queue, and put the customer into the place before anybody answers."""
    desk = floor.desk()
    other = desk.neighbour()
    other.agent.script = phone.no_answer()
    caller, agent = floor.converse(desk)
    agent.hold()
    asked = desk.agent.call(other.did(), caller=f"agent{desk.number}").wait_answered()
    other.agent.wait_call().wait_ringing()
    agent.transfer_to(asked)
    agent.wait_ended()
    return caller, other


def nobody_but_an_agent_who_asks_a_queue_in_vain(floor: Floor) -> Line:
    desk = floor.desk()
    other = desk.neighbour()
    other.agent.script = phone.no_answer()
    asked = desk.agent.call(other.did(), caller=f"agent{desk.number}").wait_answered()
    other.agent.wait_call().wait_ringing()
    asked.hang_up()
    return asked


CASES = [
    Case(is_parked_and_gives_up, "abandoned", "gave-up-after-transfer"),
    Case(is_parked_and_fetched, "served"),
    Case(is_parked_until_the_time_is_over, "blocked", "transfer-unanswered"),
    Case(is_parked_and_nobody_takes_the_phone, "blocked", "transfer-unanswered"),
    Case(is_parked_and_taken_back, "served"),
    Case(is_parked_by_the_reception_and_gives_up, "abandoned", "gave-up-after-transfer"),
    Case(is_alone_in_a_conference, "abandoned", "gave-up-after-transfer"),
    Case(meets_a_colleague_in_a_conference, "served"),
    Case(gives_up_while_a_mobile_is_asked, "abandoned", "before-queue"),
    Case(is_refused_by_a_mobile, "blocked", "turned-away"),
    Case(asks_a_mobile_in_vain, "blocked", "turned-away"),
    Case(is_taken_by_a_mobile, "served"),
    Case(is_put_into_the_place_of_an_agent_who_waits_and_gives_up, "abandoned", "gave-up-waiting"),
    Case(is_put_into_the_place_of_an_agent_who_waits_and_served, "served"),
    Case(nobody_but_an_agent_who_asks_a_queue_in_vain, NOBODY),
]


def test_each_is_judged_by_whether_anybody_came(floor_asterisk: Asterisk, tmp_path: Path) -> None:
    with open_floor(floor_asterisk, tmp_path) as floor:
        play(floor, CASES)
