"""Customers who never talk with anybody, on a real Asterisk: each loss is made to happen, and judged."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import phone
from lab.asterisk import MUSIC_HZ, Asterisk
from lab.phone import AGENT_HZ
from lab.phone import Call as Line
from tests.live.floor import NOBODY, Case, Floor, open_floor, play

pytestmark = pytest.mark.live


def gives_up_waiting(floor: Floor) -> Line:
    desk = floor.desk()
    desk.pause()
    caller = floor.call(desk.did()).wait_heard(MUSIC_HZ)
    caller.hang_up()
    assert desk.agent.rings == []
    return caller


def gives_up_while_a_phone_rings(floor: Floor) -> Line:
    desk = floor.desk()
    desk.agent.script = phone.no_answer()
    caller = floor.call(desk.did())
    ring = desk.agent.wait_call().wait_ringing()
    caller.wait_heard(MUSIC_HZ)
    caller.hang_up()
    assert (ring.wait_ended().answered_at, ring.ended_by) == (None, "pbx")
    return caller


def is_thrown_out_by_the_time_out(floor: Floor) -> Line:
    desk = floor.desk()
    desk.agent.script = phone.no_answer()
    caller = floor.call(desk.did(541)).wait_ended()
    assert caller.ended_by == "pbx"
    assert desk.agent.rings[0].answered_at is None
    return caller


def is_left_to_voicemail(floor: Floor) -> Line:
    desk = floor.desk()
    desk.pause()
    caller = floor.call(desk.did(542)).wait_ended()
    assert caller.ended_by == "pbx"
    assert caller.talked_s > 3, "2 s in the queue, and a second into the voicemail"
    return caller


def is_thrown_out_of_two_queues(floor: Floor) -> Line:
    desk = floor.desk()
    desk.pause()
    desk.neighbour().pause()
    caller = floor.call(desk.did(543)).wait_ended()
    assert (caller.ended_by, caller.heard(AGENT_HZ)) == ("pbx", False)
    return caller


def is_thrown_out_and_then_served_by_the_reception(floor: Floor) -> Line:
    desk = floor.desk()
    desk.pause()
    reception = desk.neighbour()
    caller = floor.call(desk.did(544))
    reception.agent.wait_call().wait_answered()
    caller.wait_heard(AGENT_HZ).hang_up()
    return caller


def finds_the_queue_full(floor: Floor) -> Line:
    first = floor.call("502").wait_heard(MUSIC_HZ)
    caller = floor.call("502").wait_ended()
    assert (caller.ended_by, caller.heard(MUSIC_HZ)) == ("pbx", False)
    assert first.state == "answered"
    first.hang_up()
    return caller


def finds_no_agent_there(floor: Floor) -> Line:
    caller = floor.call("503").wait_ended()
    assert (caller.ended_by, caller.heard(MUSIC_HZ)) == ("pbx", False)
    return caller


def waits_until_the_last_agent_leaves(floor: Floor) -> Line:
    desk = floor.desk()
    outside = "09099990001"
    desk.agent.call(outside, caller=f"agent{desk.number}").wait_answered()
    floor.pbx.action("QueueAdd", Queue="leaving", Interface=f"PJSIP/agent{desk.number}")
    caller = floor.call("546").wait_heard(MUSIC_HZ)
    floor.pbx.action("QueueRemove", Queue="leaving", Interface=f"PJSIP/agent{desk.number}")
    caller.wait_ended()
    assert caller.ended_by == "pbx"
    assert floor.carriers["trunk"].rings_of(outside)[0].heard(AGENT_HZ), (
        "the agent talked with somebody whom he had called"
    )
    desk.agent.hang_up()
    return caller


def finds_the_lines_congested(floor: Floor) -> Line:
    return _refused(floor, "510", 503)


def finds_the_line_busy(floor: Floor) -> Line:
    return _refused(floor, "547", 486)


def is_hung_up_on_with_a_cause(floor: Floor) -> Line:
    return _refused(floor, "513", 503)


def _refused(floor: Floor, did: str, code: int) -> Line:
    caller = floor.call(did).wait_ended()
    assert (caller.ended_by, caller.code, caller.packets) == ("pbx", code, 0)
    return caller


def finds_no_free_line(floor: Floor) -> Line:
    desk = floor.desk()
    desk.pause()
    first = floor.call(desk.did(549)).wait_heard(MUSIC_HZ)
    caller = floor.call(desk.did(549)).wait_ended()
    assert (caller.ended_by, caller.packets) == ("pbx", 0)
    first.hang_up()
    return caller


def hears_that_all_lines_are_busy(floor: Floor) -> Line:
    return _told(floor, "548")


def comes_when_the_site_is_closed(floor: Floor) -> Line:
    return _told(floor, "551")


def comes_when_the_clock_says_closed(floor: Floor) -> Line:
    return _told(floor, "550")


def _told(floor: Floor, did: str) -> Line:
    caller = floor.call(did).wait_ended()
    assert (caller.ended_by, caller.code, caller.heard(MUSIC_HZ)) == ("pbx", 200, False)
    assert caller.packets, "a message was played"
    return caller


def gives_up_in_the_menu(floor: Floor) -> Line:
    desk = floor.desk()
    caller = floor.call(desk.did(552)).wait_answered()
    time.sleep(1)  # he listens
    caller.hang_up()
    assert desk.agent.rings == []
    return caller


def gives_up_after_the_menu(floor: Floor) -> Line:
    desk = floor.desk()
    desk.pause()
    caller = floor.call(desk.did(552)).wait_answered()
    caller.press("2")
    caller.wait_heard(MUSIC_HZ).hang_up()
    return caller


def gives_up_while_the_reception_rings(floor: Floor) -> Line:
    desk = floor.desk()
    desk.agent.script = phone.no_answer()
    caller = floor.call(desk.did(553))
    desk.agent.wait_call().wait_ringing()
    caller.wait_ringing().hang_up()
    return caller


def is_served_by_the_reception(floor: Floor) -> Line:
    desk = floor.desk()
    caller = floor.call(desk.did(553)).wait_heard(AGENT_HZ)
    caller.hang_up()
    return caller


def is_served_in_the_queue_after_the_reception(floor: Floor) -> Line:
    desk = floor.desk()
    desk.agent.script = phone.no_answer()
    agent = desk.neighbour().agent
    caller = floor.call(desk.did(553))
    agent.wait_call().wait_answered()
    caller.wait_heard(AGENT_HZ).hang_up()
    return caller


def is_cut_off_while_waiting(floor: Floor) -> Line:
    desk = floor.desk()
    desk.pause()
    caller = floor.call(desk.did()).wait_heard(MUSIC_HZ)
    floor.pbx.command(f"channel request hangup {floor.channel_of(caller)}")
    assert caller.wait_ended().ended_by == "pbx"
    return caller


def loses_his_line_while_waiting(floor: Floor) -> Line:
    desk = floor.desk()
    desk.pause()
    caller = floor.call(desk.did(), trunk="watched").wait_heard(MUSIC_HZ)
    caller.make("none")
    assert caller.wait_ended().ended_by == "pbx"
    return caller


def dials_what_does_not_exist(floor: Floor) -> Line:
    caller = floor.call("599").wait_ended()
    assert caller.code == 404
    return caller


CASES = [
    Case(gives_up_waiting, "abandoned", "gave-up-waiting"),
    Case(gives_up_while_a_phone_rings, "abandoned", "gave-up-while-ringing"),
    Case(is_thrown_out_by_the_time_out, "blocked", "queue-time-out"),
    Case(is_left_to_voicemail, "blocked", "queue-time-out"),
    Case(is_thrown_out_of_two_queues, "blocked", "queue-time-out"),
    Case(is_thrown_out_and_then_served_by_the_reception, "served"),
    Case(finds_the_queue_full, "blocked", "queue-full"),
    Case(finds_no_agent_there, "blocked", "join-empty"),
    Case(waits_until_the_last_agent_leaves, "blocked", "queue-left-empty"),
    Case(finds_the_lines_congested, "blocked", "congestion"),
    Case(finds_the_line_busy, "blocked", "busy"),
    Case(is_hung_up_on_with_a_cause, "blocked", "channel-limit"),
    Case(finds_no_free_line, "blocked", "congestion"),
    Case(hears_that_all_lines_are_busy, "blocked", "congestion"),
    Case(comes_when_the_site_is_closed, "blocked", "closed"),
    Case(comes_when_the_clock_says_closed, "blocked", "turned-away"),
    Case(gives_up_in_the_menu, "abandoned", "before-queue"),
    Case(gives_up_after_the_menu, "abandoned", "gave-up-waiting"),
    Case(gives_up_while_the_reception_rings, "abandoned", "before-queue"),
    Case(is_served_by_the_reception, "served"),
    Case(is_served_in_the_queue_after_the_reception, "served"),
    Case(is_cut_off_while_waiting, "blocked", "cut-off", "system"),
    Case(loses_his_line_while_waiting, "blocked", "media-time-out", "customer"),
    Case(dials_what_does_not_exist, NOBODY),
]


@pytest.fixture
def floor(floor_asterisk: Asterisk, tmp_path: Path) -> Iterator[Floor]:
    with open_floor(floor_asterisk, tmp_path) as opened:
        yield opened


def test_each_is_judged_as_it_happened(floor: Floor) -> None:
    play(floor, CASES)
