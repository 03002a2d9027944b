"""Talks that break, on a real Asterisk: each is made to break, and judged, with the side that broke it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import fetch
from lab.asterisk import MUSIC_HZ, Asterisk
from lab.phone import Call as Line
from tests.live.floor import TIMED, WATCHED, Case, Floor, Listener, floor_pbx, open_floor, play

pytestmark = pytest.mark.live


def talks_and_hangs_up(floor: Floor) -> Line:
    caller, agent = floor.converse(floor.desk())
    caller.hang_up()
    assert agent.wait_ended().ended_by == "pbx"
    return caller


def talks_until_the_agent_hangs_up(floor: Floor) -> Line:
    caller, agent = floor.converse(floor.desk())
    agent.hang_up("Q.850;cause=16")
    assert caller.wait_ended().ended_by == "pbx"
    return caller


def is_asked_how_it_was_after_the_talk(floor: Floor) -> Line:
    caller, agent = floor.converse(floor.desk(), 554)
    agent.hang_up()
    time.sleep(2.5)  # as long as the survey lasts until he has enough of it
    assert caller.state == "answered"
    caller.hang_up()
    return caller


def his_voice_no_longer_comes(floor: Floor) -> Line:
    caller, agent = floor.converse(floor.desk(), trunk="watched")
    caller.make("none")
    _hears_nothing_until_the_pbx_ends_it(agent)
    assert caller.wait_ended().ended_by == "pbx"
    return caller


def the_agents_phone_dies(floor: Floor) -> Line:
    caller, agent = floor.converse(floor.desk(WATCHED))
    agent.vanish()
    _hears_nothing_until_the_pbx_ends_it(caller)
    return caller


def _hears_nothing_until_the_pbx_ends_it(line: Line, timeout_s: float = 10) -> None:
    time.sleep(0.3)  # what was on its way comes
    packets = line.packets
    assert line.wait_ended(timeout_s).ended_by == "pbx"
    assert line.packets == packets


def his_line_fails(floor: Floor) -> Line:
    caller, agent = floor.converse(floor.desk())
    caller.hang_up("Q.850;cause=41")
    assert agent.wait_ended().ended_by == "pbx"
    return caller


def the_agents_line_fails(floor: Floor) -> Line:
    caller, agent = floor.converse(floor.desk())
    agent.hang_up("Q.850;cause=38")
    assert caller.wait_ended().ended_by == "pbx"
    return caller


def his_carrier_fails(floor: Floor) -> Line:
    caller, agent = floor.converse(floor.desk())
    caller.hang_up('SIP;cause=503;text="Service Unavailable"')
    assert agent.wait_ended().ended_by == "pbx"
    return caller


def a_program_ends_it_with_a_cause(floor: Floor) -> Line:
    caller, agent = floor.converse(floor.desk())
    floor.pbx.action("Hangup", Channel=floor.channel_of(caller), Cause="41")
    return _both_were_cut_off(caller, agent)


def a_program_ends_it(floor: Floor) -> Line:
    caller, agent = floor.converse(floor.desk())
    floor.pbx.action("Hangup", Channel=floor.channel_of(caller))
    return _both_were_cut_off(caller, agent)


def an_operator_ends_it(floor: Floor) -> Line:
    caller, agent = floor.converse(floor.desk())
    floor.pbx.command(f"channel request hangup {floor.channel_of(caller)}")
    return _both_were_cut_off(caller, agent)


def an_operator_ends_it_at_the_agents_end(floor: Floor) -> Line:
    desk = floor.desk()
    caller, agent = floor.converse(desk)
    floor.pbx.command(f"channel request hangup {desk.channel()}")
    return _both_were_cut_off(caller, agent)


def _both_were_cut_off(caller: Line, agent: Line) -> Line:
    assert (caller.wait_ended().ended_by, agent.wait_ended().ended_by) == ("pbx", "pbx")
    return caller


def talks_with_an_agent_behind_a_local_channel(floor: Floor) -> Line:
    caller, agent = floor.converse(floor.desk(), 545)
    agent.hang_up()
    assert caller.wait_ended().ended_by == "pbx"
    return caller


def the_agents_line_fails_behind_a_local_channel(floor: Floor) -> Line:
    caller, agent = floor.converse(floor.desk(), 545)
    agent.hang_up("Q.850;cause=38")
    assert caller.wait_ended().ended_by == "pbx"
    return caller


def the_agents_phone_dies_behind_a_local_channel(floor: Floor) -> Line:
    caller, agent = floor.converse(floor.desk(WATCHED), 545)
    agent.vanish()
    _hears_nothing_until_the_pbx_ends_it(caller)
    return caller


@pytest.fixture
def floor(floor_asterisk: Asterisk, tmp_path: Path) -> Iterator[Floor]:
    with open_floor(floor_asterisk, tmp_path) as opened:
        yield opened


CASES = [
    Case(talks_and_hangs_up, "served"),
    Case(talks_until_the_agent_hangs_up, "served"),
    Case(is_asked_how_it_was_after_the_talk, "served"),
    Case(his_voice_no_longer_comes, "dropped", "media-time-out", "customer"),
    Case(the_agents_phone_dies, "dropped", "media-time-out", "agent"),
    Case(his_line_fails, "dropped", "line-failed", "customer"),
    Case(the_agents_line_fails, "dropped", "line-failed", "agent"),
    Case(his_carrier_fails, "dropped", "line-failed", "customer", on_16=("served", None, None)),
    Case(a_program_ends_it_with_a_cause, "dropped", "line-failed", "system"),
    # The PBX tells of such an end by saying nothing: just as where the one message that explains an end was lost.
    Case(a_program_ends_it, "unknown", "end-unexplained"),
    Case(an_operator_ends_it, "dropped", "cut-off", "system"),
    Case(an_operator_ends_it_at_the_agents_end, "dropped", "cut-off", "system"),
    Case(talks_with_an_agent_behind_a_local_channel, "served"),
    Case(the_agents_line_fails_behind_a_local_channel, "dropped", "line-failed", "agent"),
    Case(the_agents_phone_dies_behind_a_local_channel, "dropped", "media-time-out", "agent"),
]


def test_each_is_judged_as_it_happened(floor: Floor) -> None:
    play(floor, CASES)


def the_agents_phone_dies_and_is_asked_whether_it_lives(floor: Floor) -> Line:
    caller, agent = floor.converse(floor.desk(TIMED))
    agent.vanish()
    _hears_nothing_until_the_pbx_ends_it(caller, 60)
    return caller


def the_agents_phone_dies_and_nothing_tells(floor: Floor) -> Line:
    return _waits_for_a_voice(floor, 540)


def the_agents_phone_dies_behind_a_local_channel_and_nothing_tells(floor: Floor) -> Line:
    return _waits_for_a_voice(floor, 545)


def _waits_for_a_voice(floor: Floor, kind: int) -> Line:
    caller, agent = floor.converse(floor.desk(), kind)
    time.sleep(6)  # they talk
    agent.vanish()
    time.sleep(1)
    packets = caller.packets
    time.sleep(13)  # he says hello?
    assert (caller.state, caller.packets) == ("answered", packets)
    caller.hang_up()
    return caller


SLOW_CASES = [
    Case(the_agents_phone_dies_and_is_asked_whether_it_lives, "dropped", "phone-gone", "agent"),
    Case(the_agents_phone_dies_and_nothing_tells, "dropped", "media-stalled", "agent"),
    Case(the_agents_phone_dies_behind_a_local_channel_and_nothing_tells, "dropped", "media-stalled", "agent"),
]


def test_a_phone_that_dies_is_found_out_sooner_or_later(floor: Floor) -> None:
    play(floor, SLOW_CASES)


def test_a_pbx_takes_no_more_calls_and_then_dies(asterisk_tree: fetch.AsteriskTree, tmp_path: Path) -> None:
    options = {"maxcalls": "2"}
    with (
        floor_pbx(tmp_path / "pbx", asterisk_tree, options=options, desks=range(10, 14)) as pbx,
        open_floor(pbx, tmp_path / "journal") as floor,
    ):
        talking, agent = floor.converse(floor.desk())
        desk = floor.desk()
        desk.pause()
        waiting = floor.call(desk.did()).wait_heard(MUSIC_HZ)
        refused = floor.call(desk.did()).wait_ended()
        assert (refused.ended_by, refused.packets) == ("pbx", 0)
        assert told(floor.listener, refused) == ("blocked", "maxcalls", None)
        pbx.kill()
        assert [line.state for line in (talking, agent, waiting)] == ["answered"] * 3, "nobody told the phones"
        pbx.boot()
        assert told(floor.listener, talking) == ("dropped", "pbx-restarted", "system")
        assert told(floor.listener, waiting) == ("blocked", "pbx-restarted", "system")


def told(listener: Listener, line: Line) -> tuple[str, str | None, str | None]:
    _, verdict = listener.verdict(line.caller_id)
    return verdict.kind, verdict.reason, verdict.side
