"""Who sends no sound, on a real Asterisk: silence is found where it was, and nowhere else."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lab import phone
from lab.asterisk import MUSIC_HZ, Asterisk
from lab.phone import AGENT_HZ, CUSTOMER_HZ
from lab.phone import Call as Line
from lab.rtp import Sound
from tests.live.floor import DIRECT, Case, Floor, open_floor, play

pytestmark = pytest.mark.live

TALK_S = 12
"""As long as a talk lasts in which silence can be told: RTCP reports come every 5 s."""


def _caller_sends(floor: Floor, sound: Sound, kind: int = 540) -> Line:
    caller, agent = floor.talk(floor.desk(), kind, sound=sound)
    caller.wait_heard(AGENT_HZ)
    time.sleep(TALK_S)
    caller.hang_up()
    assert not agent.wait_ended().heard(CUSTOMER_HZ)
    return caller


def _agent_sends(floor: Floor, sound: Sound, kind: int = 540) -> Line:
    desk = floor.desk()
    desk.agent.script = phone.answer(0.1, sound=sound)
    caller, agent = floor.talk(desk, kind)
    agent.wait_heard(CUSTOMER_HZ)
    time.sleep(TALK_S)
    caller.hang_up()
    assert not caller.heard(AGENT_HZ)
    return caller


def caller_sends_no_packet(floor: Floor) -> Line:
    return _caller_sends(floor, "none")


def caller_sends_digital_silence(floor: Floor) -> Line:
    return _caller_sends(floor, "silence")


def caller_sends_faint_noise(floor: Floor) -> Line:
    return _caller_sends(floor, "noise")


def agent_sends_no_packet(floor: Floor) -> Line:
    return _agent_sends(floor, "none")


def agent_sends_digital_silence(floor: Floor) -> Line:
    return _agent_sends(floor, "silence")


def agent_sends_faint_noise(floor: Floor) -> Line:
    return _agent_sends(floor, "noise")


def agent_behind_a_local_channel_sends_silence(floor: Floor) -> Line:
    return _agent_sends(floor, "silence", 545)


def agent_behind_a_local_channel_sends_no_packet(floor: Floor) -> Line:
    return _agent_sends(floor, "none", 545)


def caller_is_silent_to_an_agent_behind_a_local_channel(floor: Floor) -> Line:
    return _caller_sends(floor, "silence", 545)


def both_talk(floor: Floor) -> Line:
    return _talk(floor, 540)


def both_talk_and_the_agent_is_behind_a_local_channel(floor: Floor) -> Line:
    return _talk(floor, 545)


def _talk(floor: Floor, kind: int) -> Line:
    caller, agent = floor.converse(floor.desk(), kind)
    time.sleep(TALK_S)
    caller.hang_up()
    agent.wait_ended()
    return caller


def caller_is_held_most_of_the_time(floor: Floor) -> Line:
    caller, agent = floor.talk(floor.desk())
    caller.wait_heard(AGENT_HZ)
    agent.hold()
    caller.wait_heard(MUSIC_HZ)
    time.sleep(TALK_S - 2)
    agent.resume()
    caller.wait_heard(AGENT_HZ, last_s=0.2).hang_up()
    return caller


def agent_answers_and_holds_at_once(floor: Floor) -> Line:
    desk = floor.desk()
    desk.agent.script = phone.answer(0.1, sound="none")
    caller, agent = floor.talk(desk)
    agent.hold()
    caller.wait_heard(MUSIC_HZ)
    time.sleep(TALK_S)
    caller.hang_up()
    assert not caller.heard(AGENT_HZ)
    return caller


def caller_hangs_up_after_a_moment(floor: Floor) -> Line:
    caller, agent = floor.talk(floor.desk(), sound="none")
    caller.wait_heard(AGENT_HZ)
    time.sleep(1)  # too short to say anything of it
    caller.hang_up()
    assert not agent.wait_ended().heard(CUSTOMER_HZ)
    return caller


def caller_is_mute_and_talks_later(floor: Floor) -> Line:
    caller, agent = floor.talk(floor.desk(), sound="silence")
    time.sleep(TALK_S - 3)
    caller.make("tone")
    agent.wait_heard(CUSTOMER_HZ)
    time.sleep(2)
    caller.hang_up()
    return caller


def agent_says_nothing_at_first(floor: Floor) -> Line:
    desk = floor.desk()
    desk.agent.script = phone.answer(0.1, sound="silence")
    caller, agent = floor.talk(desk)
    time.sleep(3)
    agent.make("tone")
    caller.wait_heard(AGENT_HZ)
    time.sleep(TALK_S - 3)
    caller.hang_up()
    return caller


def callers_phone_sends_only_while_he_talks(floor: Floor) -> Line:
    caller, agent = floor.converse(floor.desk())
    for _ in range(3):
        caller.make("none")
        time.sleep(3)
        caller.make("tone")
        time.sleep(0.7)
    caller.make("none")
    time.sleep(1)
    assert agent.heard(CUSTOMER_HZ, last_s=2)
    caller.hang_up()
    return caller


def their_phones_send_to_each_other(floor: Floor) -> Line:
    caller = _past_the_pbx(floor, "tone")
    assert caller.heard(AGENT_HZ)
    return caller


def their_phones_send_to_each_other_and_he_is_mute(floor: Floor) -> Line:
    return _past_the_pbx(floor, "none")


def _past_the_pbx(floor: Floor, sound: Sound) -> Line:
    caller, agent = floor.talk(floor.desk(DIRECT), trunk="direct", sound=sound)
    time.sleep(TALK_S)
    assert (caller.heard_from != floor.pbx.host, agent.heard(CUSTOMER_HZ)) == (True, sound == "tone")
    caller.hang_up()
    agent.wait_ended()
    return caller


CASES = [
    Case(caller_sends_no_packet, "silent", "no-media", "customer"),
    Case(caller_sends_digital_silence, "silent", "no-sound", "customer"),
    Case(caller_sends_faint_noise, "silent", "no-sound", "customer"),
    Case(agent_sends_no_packet, "silent", "no-media", "agent"),
    Case(agent_sends_digital_silence, "silent", "no-sound", "agent"),
    Case(agent_sends_faint_noise, "silent", "no-sound", "agent"),
    Case(agent_behind_a_local_channel_sends_silence, "silent", "no-sound", "agent"),
    Case(agent_behind_a_local_channel_sends_no_packet, "silent", "no-media", "agent"),
    Case(caller_is_silent_to_an_agent_behind_a_local_channel, "silent", "no-sound", "customer"),
    Case(both_talk, "served"),
    Case(both_talk_and_the_agent_is_behind_a_local_channel, "served"),
    Case(caller_is_held_most_of_the_time, "served"),
    Case(agent_answers_and_holds_at_once, "served"),
    Case(caller_hangs_up_after_a_moment, "served"),
    Case(caller_is_mute_and_talks_later, "served"),
    Case(agent_says_nothing_at_first, "served"),
    Case(callers_phone_sends_only_while_he_talks, "served"),
]


def test_each_is_judged_as_it_was_heard(floor_asterisk: Asterisk, tmp_path: Path) -> None:
    with open_floor(floor_asterisk, tmp_path, detect=True) as floor:
        play(floor, CASES)


WITHOUT_DETECTION = [
    Case(caller_sends_no_packet, "silent", "no-media", "customer"),
    # Asterisk 16 sends no report to a phone that sends nothing, unless it was the PBX that played something to it.
    Case(agent_sends_no_packet, "silent", "no-media", "agent", on_16=("served", None, None)),
    Case(caller_sends_digital_silence, "served"),  # counters cannot tell
    Case(their_phones_send_to_each_other, "served"),
    Case(their_phones_send_to_each_other_and_he_is_mute, "served"),  # nor what they never saw
    Case(both_talk, "served"),
    Case(caller_is_held_most_of_the_time, "served"),
    Case(callers_phone_sends_only_while_he_talks, "served"),
]


def test_without_detection_counters_alone_tell(floor_asterisk: Asterisk, tmp_path: Path) -> None:
    with open_floor(floor_asterisk, tmp_path) as floor:
        play(floor, WITHOUT_DETECTION)
