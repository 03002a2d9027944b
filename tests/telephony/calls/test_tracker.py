"""When a call is over; the live view; what a snapshot finds after a gap."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

import pytest

from telephony import events as e
from telephony.calls.call import Call
from telephony.calls.customers import STRANGERS
from telephony.calls.open_call import EVENTS_OF_A_CALL, VOICES_OF_A_CALL
from telephony.calls.tracker import Tracker
from telephony.calls.verdict import judge
from telephony.calls.waiting import Wait
from telephony.events import ChannelEvent, Event
from telephony.ids import attempt_of

SECOND: Final = 1_000_000
T0: Final = 1_795_307_000 * SECOND
CALLER: Final = "1795307000.1"


def on(kind: type[ChannelEvent], seconds: float, *rest: Any, who: str = CALLER, link: str = "", name: str = "") -> Any:
    """An event on a channel of the caller's call, some seconds after it began."""
    channel = name or f"PJSIP/{who}"
    return kind(T0 + round(seconds * SECOND), who, link or CALLER, channel, *rest)


def born(seconds: float = 0.0, who: str = CALLER, number: str = "0901", **more: Any) -> Any:
    return on(e.Newchannel, seconds, number, "500", who=who, **more)


def joined(seconds: float = 0.1, queue: str = "support", who: str = CALLER, **more: str) -> Any:
    return on(e.QueueCallerJoin, seconds, queue, "0901", who=who, **more)


def connected(seconds: float) -> Any:
    return on(e.AgentConnect, seconds, "support", "1795307000.2", "One", "PJSIP/1", None)


def gave_up(seconds: float) -> list[Any]:
    return [on(e.HangupRequest, seconds, None), on(e.QueueCallerAbandon, seconds, "support", None), ended(seconds)]


def ended(seconds: float, cause: int = 16, **more: Any) -> Any:
    return on(e.Hangup, seconds, cause, **more)


def shown(who: str = CALLER, app: str = "Queue", data: str = "support", **more: str) -> Any:
    return on(e.CoreShowChannel, 60, "0901", app, data, who=who, **more)


def waits(wait_s: int, who: str = CALLER, seconds: float = 60) -> Any:
    return on(e.QueueEntry, seconds, "support", "0901", wait_s, who=who, link=who)


def fed(tracker: Tracker, events: Iterable[Event]) -> list[Call]:
    """Feed events as they happen."""
    return [call for event in events for call in tracker.feed(event, event.at)]


def at(seconds: float) -> int:
    return T0 + round(seconds * SECOND)


def told(calls: Iterable[Call]) -> list[tuple[str, str, str | None]]:
    verdicts = [(call.call_id, judge(call)) for call in calls]
    return [(call_id, verdict.kind, verdict.reason) for call_id, verdict in verdicts]


# When a call is over


def test_a_call_comes_out_a_grace_after_its_own_hangup() -> None:
    tracker = Tracker("main", grace_s=1.0)
    assert fed(tracker, [born(), joined(), *gave_up(10)]) == []
    assert tracker.tick(at(10.9)) == []
    calls = tracker.tick(at(11))
    assert told(calls) == [(CALLER, "abandoned", "gave-up-waiting")]
    assert (calls[0].pbx, calls[0].did, calls[0].ended_at) == ("main", "500", at(10))
    assert tracker.tick(at(99)) == []


def test_the_hangup_of_another_channel_ends_nothing() -> None:
    tracker = Tracker("main")
    fed(tracker, [born(), joined(), born(0.2, "1795307000.2"), ended(3, who="1795307000.2")])
    assert tracker.tick(at(50)) == []
    assert tracker.waiting("support") == 1


def test_what_comes_within_the_grace_still_counts() -> None:
    tracker = Tracker("main")
    fed(tracker, [born(), joined(), connected(1), on(e.HangupRequest, 9, None), ended(9)])
    late = on(e.AgentComplete, 9.5, "support", "1795307000.2", "One", "PJSIP/1", None, None, "caller")
    assert told([*tracker.feed(late, at(9.5)), *tracker.tick(at(20))]) == [(CALLER, "served", None)]


def test_late_events_open_nothing() -> None:
    tracker = Tracker("main")
    timeline = [born(), joined(), *gave_up(10)]
    assert len([*fed(tracker, timeline), *tracker.tick(at(20))]) == 1
    again = [replace(event, at=event.at + 30 * SECOND) for event in timeline]
    assert fed(tracker, again) == []
    assert tracker.finish(at(99)) == []
    assert tracker.live_numbers() == {}


def test_tombstones_are_bounded() -> None:
    tracker = Tracker("main", tombstones=10)
    for number in range(100):
        who = f"1795307000.{number}"
        timeline = [born(number, who, link=who), joined(number, who=who, link=who), ended(number, who=who, link=who)]
        fed(tracker, timeline)
    assert len(tracker._over) <= 10  # noqa: SLF001 - nothing else shows it
    assert len(tracker.channels._gone) <= 10  # noqa: SLF001


def test_a_call_whose_hangup_was_lost_ends_by_age() -> None:
    tracker = Tracker("main", age_limit_s=3600)
    fed(tracker, [born(), joined(), connected(1)])
    assert tracker.tick(at(3599)) == []
    assert told(tracker.tick(at(3601))) == [(CALLER, "unknown", "hangup-missing")]
    assert tracker.live_numbers() == {}
    assert tracker.oldest_offset() is None


def test_a_call_keeps_a_bounded_number_of_events() -> None:
    tracker = Tracker("main")
    fed(tracker, [born(), joined(), connected(1)])
    fed(tracker, [on(e.BridgeEnter, 2 + n / 100, "basic") for n in range(2 * EVENTS_OF_A_CALL)])
    calls = [*fed(tracker, [ended(60, 44)]), *tracker.tick(at(70))]
    assert told(calls) == [(CALLER, "dropped", "media-time-out")]
    assert not calls[0].complete


def rings(seconds: float, who: str) -> list[Any]:
    called = on(e.AgentCalled, seconds, "support", who)
    missed = on(e.AgentRingNoAnswer, seconds + 15, "support", who)
    return [born(seconds, who), called, on(e.DialBegin, seconds, "1", who=who), missed, ended(seconds + 15, who=who)]


def test_phones_that_ring_and_ring_do_not_hide_how_a_wait_ended() -> None:
    tracker = Tracker("main")
    phones = [f"1795307000.{number}" for number in range(2, 2 + EVENTS_OF_A_CALL)]
    fed(tracker, [born(), joined(), *(event for number, who in enumerate(phones) for event in rings(number, who))])
    calls = [*fed(tracker, gave_up(3000)), *tracker.tick(at(3010))]
    assert told(calls) == [(CALLER, "abandoned", "gave-up-waiting")]
    assert not calls[0].complete


def test_at_the_end_of_a_capture_what_lives_is_unfinished() -> None:
    tracker = Tracker("main")
    other = "1795307000.9"
    fed(tracker, [born(), joined(), *gave_up(10), born(10, other, link=other), joined(10, who=other, link=other)])
    finished = tracker.finish(at(10.2))
    assert told(finished) == [(CALLER, "abandoned", "gave-up-waiting"), (other, "unfinished", "capture-ended")]


def test_a_clock_that_runs_backwards_does_no_harm() -> None:
    tracker = Tracker("main")
    fed(tracker, [born(), joined(), *gave_up(10)])
    assert tracker.tick(at(-500)) == []
    assert len(tracker.tick(at(11))) == 1


def test_a_clock_that_was_set_back_delays_no_verdict_and_lengthens_no_age() -> None:
    tracker = Tracker("main", age_limit_s=600)
    other = "1795307000.9"
    tracker.feed(born(0, other, link=other), at(3600))
    tracker.feed(joined(0, who=other, link=other), at(3600))
    fed(tracker, [born(), joined(), *gave_up(10)])  # the clock says an hour less
    assert tracker.tick(at(10.5)) == []
    assert told(tracker.tick(at(11))) == [(CALLER, "abandoned", "gave-up-waiting")]
    assert told(tracker.tick(at(602))) == [(other, "unknown", "hangup-missing")]


def test_after_a_clock_was_set_back_a_snapshot_still_knows_what_is_newer() -> None:
    tracker = Tracker("main")
    tracker.tick(at(3600))
    fed(tracker, [born(), joined()])
    assert tracker.snapshot([], [], at(5), asked_at=at(0.05)) == []  # he joined since
    assert told(tracker.snapshot([], [], at(9), asked_at=at(8))) == [(CALLER, "unknown", "ended-unseen")]


# The live view


def test_who_waits() -> None:
    tracker = Tracker("main")
    counts = []
    for event in [born(), joined(), joined(0.2, queue="sales"), connected(3), joined(9, "support"), ended(12)]:
        tracker.feed(event, event.at)
        counts.append((tracker.waiting("support"), tracker.waiting("sales")))
    assert counts == [(0, 0), (1, 0), (0, 1), (0, 1), (1, 0), (0, 0)]


def test_a_join_that_comes_after_the_leave_waits_not() -> None:
    tracker = Tracker("main")
    fed(tracker, [born(), on(e.QueueCallerLeave, 5, "support")])
    tracker.feed(joined(0.1), at(5.1))
    assert tracker.waiting("support") == 0


def test_callbacks_of_ours_do_not_count_as_waiting() -> None:
    tracker = Tracker("main")
    fed(tracker, [joined(who="lcr-7-2", link="lcr-7-1", name="Local/s@lcr-agent-00000000;2")])
    assert tracker.waiting("support") == 0
    assert tracker.own_live() == {"7"}


def test_numbers_of_live_channels() -> None:
    tracker = Tracker("main")
    fed(tracker, [born(number="+81901"), born(0.1, "1795307000.2", "1001"), born(0.2, "1795307000.3", "<unknown>")])
    fed(tracker, [on(e.NewCallerid, 0.3, "0902", who="1795307000.3")])
    fed(tracker, [on(e.DialBegin, 0.4, "trunk/0903@carrier", who="1795307000.3")])
    assert tracker.live_numbers() == {
        "+81901": {CALLER: CALLER},
        "1001": {"1795307000.2": CALLER},
        "0902": {"1795307000.3": CALLER},
        "0903": {"1795307000.3": CALLER},
    }
    fed(tracker, [ended(9), ended(9, who="1795307000.3")])
    assert tracker.live_numbers() == {"1001": {"1795307000.2": CALLER}}


def test_own_channels_are_known_by_form_and_gone_with_their_last() -> None:
    tracker = Tracker("main")
    own: dict[str, Any] = {"link": "lcr-a_1-1"}
    fed(tracker, [born(0, "lcr-a_1-1", **own), born(0, "lcr-a_1-2", **own), born(1, "1795307000.5", "0901", **own)])
    assert tracker.own_live() == {"a_1"}
    fed(tracker, [ended(5, who="lcr-a_1-1", **own), ended(5, who="lcr-a_1-2", **own)])
    assert tracker.own_live() == {"a_1"}  # the customer's leg
    fed(tracker, [ended(6, who="1795307000.5", **own)])
    assert tracker.own_live() == set()
    assert told(tracker.tick(at(9))) == [("lcr-a_1-1", "callback", None)]


def test_a_channel_id_used_again_is_alive_again() -> None:
    """Asterisk accepts a ChannelId again once the call is over: whoever looks whether we dial must see it."""
    tracker = Tracker("main")
    own: dict[str, Any] = {"who": "lcr-1-1", "link": "lcr-1-1"}
    fed(tracker, [born(0, name="Local/a;1", **own), ended(5, name="Local/a;1", **own)])
    assert len(tracker.tick(at(9))) == 1
    fed(tracker, [born(0, name="Local/a;1", **own)])  # late
    assert tracker.own_live() == set()
    fed(tracker, [born(60, name="Local/b;1", **own)])
    assert tracker.own_live() == {"1"}


def test_the_channel_of_a_failed_originate_is_nobody() -> None:
    tracker = Tracker("main")
    failed: dict[str, Any] = {"name": "OutgoingSpoolFailed"}
    timeline = [born(**failed), on(e.QueueStatus, 1, "UNKNOWN", **failed), ended(1, **failed)]
    assert fed(tracker, timeline) + tracker.finish(at(9)) == []
    assert tracker.live_numbers() == {}


def test_the_oldest_offset_is_that_of_the_oldest_open_call() -> None:
    tracker = Tracker("main")
    other = "1795307000.9"
    tracker.feed(born(), at(0), 100)
    tracker.feed(born(1, other, link=other), at(1), 200)
    tracker.feed(joined(), at(1), 300)
    assert tracker.oldest_offset() == 100
    tracker.feed(ended(2), at(2), 400)
    assert tracker.oldest_offset() == 100  # still in its grace
    tracker.tick(at(4))
    assert tracker.oldest_offset() == 200


def test_one_put_into_a_queue_later_is_heard_from_the_first_of_his_channel() -> None:
    tracker = Tracker("main")
    rung = "1795307000.2"
    tracker.feed(born(), at(0), 100)
    tracker.feed(born(1, rung, "0905"), at(1), 200)
    tracker.feed(ended(5), at(5), 300)
    tracker.tick(at(9))
    tracker.feed(joined(10, who=rung), at(10), 400)
    assert tracker.oldest_offset() == 200
    [call] = tracker.finish(at(11))
    assert (call.call_id, call.number) == (rung, "0905")


# After a gap


def test_calls_that_are_gone_ended_unseen() -> None:
    tracker = Tracker("main")
    fed(tracker, [born(), joined(), connected(1)])
    assert told(tracker.snapshot([], [], at(60))) == [(CALLER, "unknown", "ended-unseen")]
    assert tracker.live_numbers() == {}


def test_one_who_had_hung_up_in_the_queue_stays_abandoned() -> None:
    tracker = Tracker("main")
    fed(tracker, [born(), joined(), *gave_up(9)[:2]])
    assert told(tracker.snapshot([], [], at(60))) == [(CALLER, "abandoned", "gave-up-waiting")]


@pytest.mark.parametrize(
    ("timeline", "expected"),
    [
        ([born(), joined(), connected(1)], ("dropped", "pbx-restarted", "system")),
        ([born(), joined()], ("blocked", "pbx-restarted", "system")),
    ],
)
def test_a_restart_ends_every_call(timeline: list[Any], expected: tuple[str, str, str]) -> None:
    tracker = Tracker("main")
    fed(tracker, timeline)
    [verdict] = [judge(call) for call in tracker.snapshot([], [], at(60), restarted=True)]
    assert (verdict.kind, verdict.reason, verdict.side) == expected
    assert verdict.source == "live-partial"


def test_who_came_after_the_restart_and_before_the_listing_goes_on() -> None:
    tracker = Tracker("main")
    new = "1795307050.7"
    fed(tracker, [born(), joined(), born(50, new, "0902", link=new), joined(50.1, who=new, link=new)])
    ends = tracker.snapshot([shown(new, link=new)], [waits(10, new)], at(60), asked_at=at(59), restarted=True)
    assert told(ends) == [(CALLER, "blocked", "pbx-restarted")]
    assert tracker.waiting("support") == 1
    assert tracker.live_numbers() == {"0901": {new: new}, "0902": {new: new}}


def test_calls_that_go_on_have_a_gap() -> None:
    tracker = Tracker("main")
    fed(tracker, [born(), joined()])
    assert tracker.snapshot([shown()], [waits(59)], at(60)) == []
    assert tracker.waiting("support") == 1
    calls = [*fed(tracker, gave_up(70)), *tracker.tick(at(80))]
    assert told(calls) == [(CALLER, "abandoned", "gave-up-waiting")]
    assert not calls[0].complete
    assert [visit.joined_at for visit in calls[0].visits] == [at(0.1)]


def test_one_answered_in_the_gap_waits_no_more() -> None:
    tracker = Tracker("main")
    fed(tracker, [born(), joined()])
    tracker.snapshot([shown()], [], at(60))
    assert tracker.waiting("support") == 0
    calls = [*fed(tracker, [on(e.HangupRequest, 70, None), ended(70)]), *tracker.tick(at(80))]
    assert told(calls) == [(CALLER, "unknown", "queue-result-missing")]


def test_callers_unknown_so_far_are_taken_up_with_their_wait() -> None:
    tracker = Tracker("main")
    tracker.snapshot([shown()], [waits(45)], at(60))
    assert tracker.waiting("support") == 1
    assert tracker.live_numbers() == {"0901": {CALLER: CALLER}}
    [call] = [*fed(tracker, gave_up(70)), *tracker.tick(at(80))]
    assert told([call]) == [(CALLER, "abandoned", "gave-up-waiting")]
    assert (call.number, call.visits[0].joined_at, call.complete) == ("0901", at(15), False)


def test_one_talking_unknown_so_far_gets_a_verdict() -> None:
    tracker = Tracker("main")
    tracker.snapshot([shown(), shown("1795307000.2", "AppQueue", "(Outgoing Line)")], [], at(60))
    complete = on(e.AgentComplete, 70, "support", "1795307000.2", "One", "PJSIP/1", 2, 30, "caller")
    calls = [*fed(tracker, [on(e.HangupRequest, 70, None), complete, ended(70)]), *tracker.tick(at(80))]
    assert told(calls) == [(CALLER, "served", None)]
    assert (judge(calls[0]).waited_s, judge(calls[0]).talked_s) == (2.0, 30.0)


def test_what_was_heard_since_the_lists_were_asked_for_is_newer() -> None:
    tracker = Tracker("main")
    new, left = "1795307060.8", "1795307060.9"
    fed(tracker, [born(), joined()])
    # The lists are asked for at 60; before they are in, one comes and one whom they show leaves.
    fed(tracker, [born(61, new, link=new), joined(61, who=new, link=new)])
    fed(tracker, [born(50, left, link=left), joined(50, who=left, link=left)])
    fed(tracker, [on(e.QueueCallerLeave, 61, "support", who=left, link=left), ended(61, who=left, link=left)])
    gone = tracker.snapshot([shown(left, link=left)], [waits(9, left)], at(61.5), asked_at=at(60))
    assert told(gone) == [(CALLER, "unknown", "ended-unseen")]
    assert tracker.waiting("support") == 1
    assert set(tracker.live_numbers()["0901"]) == {new}


def test_lines_of_who_is_in_a_queue_are_kept_before_anything_is_done() -> None:
    tracker, kept = Tracker("main"), []
    gone, idle = "1795307000.8", "1795307000.9"
    fed(tracker, [born(0, gone, link=gone), joined(0, who=gone, link=gone)])

    def keep(event: ChannelEvent) -> int:
        kept.append((type(event).__name__, event.uniqueid))
        assert tracker.waiting("support") == 1  # nothing was closed or taken up yet
        return 40 + len(kept)

    lines = [shown(), shown(idle, "Dial", link=idle)]
    assert len(tracker.snapshot(lines, [waits(9)], at(60), keep=keep)) == 1
    assert kept == [("CoreShowChannel", CALLER), ("QueueEntry", CALLER)]
    assert tracker.oldest_offset() == 41


def test_a_call_without_a_place_in_the_journal_takes_the_next_one() -> None:
    tracker = Tracker("main")
    tracker.feed(born(), at(0))
    assert tracker.oldest_offset() is None
    tracker.feed(joined(), at(1), 0)
    tracker.feed(connected(2), at(2), 70)
    assert tracker.oldest_offset() == 0


def test_what_holds_a_full_journal_comes_out() -> None:
    tracker = Tracker("main")
    others = ["1795307000.8", "1795307000.9"]
    for number, who in enumerate([CALLER, *others]):
        tracker.feed(born(number, who, link=who), at(number), 100 * number)
        tracker.feed(joined(number, who=who, link=who), at(number), 100 * number + 50)
    fed(tracker, gave_up(10))
    ends = told(tracker.give_up(200))
    assert ends == [(CALLER, "abandoned", "gave-up-waiting"), (others[0], "unknown", "hangup-missing")]
    assert tracker.oldest_offset() == 200


def test_own_channels_found_alive_are_reported() -> None:
    tracker = Tracker("main")
    tracker.snapshot([shown("lcr-5-1", "Dial", "", link="lcr-5-1")], [], at(60))
    assert tracker.own_live() == {"5"}


# What is a customer's call


TRUNK: Final = "PJSIP/trunk-00000001"
TRUNKS: Final = ("PJSIP/trunk",)


def test_with_the_trunks_known_what_came_in_elsewhere_is_left_out_and_counted() -> None:
    tracker = Tracker("main", trunks=TRUNKS)
    other = "1795307000.9"
    fed(tracker, [born(name=TRUNK), joined(name=TRUNK), on(e.HangupRequest, 5, None, name=TRUNK)])
    fed(tracker, [born(0, other, link=other, name="DAHDI/1-1"), joined(who=other, link=other, name="DAHDI/1-1")])
    fed(tracker, [ended(5, name=TRUNK), ended(5, who=other, link=other, name="DAHDI/1-1")])
    assert [call.call_id for call in tracker.tick(at(9))] == [CALLER]
    assert tracker.strangers == {"DAHDI/1": 1}


def test_the_names_of_strangers_are_bounded() -> None:
    tracker = Tracker("main", trunks=TRUNKS)
    for number in range(2 * STRANGERS):
        who, name = f"1795307000.{number}", f"SIP/{number}-1"
        fed(tracker, [joined(number, who=who, link=who, name=name), ended(number, who=who, link=who, name=name)])
    assert tracker.finish(at(999)) == []
    assert len(tracker.strangers) == STRANGERS


def test_a_call_of_which_only_others_channels_were_heard_is_not_left_out() -> None:
    tracker = Tracker("main", trunks=TRUNKS)
    fed(tracker, [joined(who="1795307000.3", name="Local/q@in-1;2")])
    assert told(tracker.finish(at(9))) == [(CALLER, "unfinished", "capture-ended")]


def test_a_customer_rung_by_an_agent_and_put_into_a_queue_is_known_by_his_trunk() -> None:
    tracker = Tracker("main", trunks=TRUNKS)
    rung: dict[str, Any] = {"who": "1795307000.2", "name": "PJSIP/trunk-00000002"}
    fed(tracker, [born(name="PJSIP/agent1-00000001"), born(1, number="0905", **rung), ended(5)])
    fed(tracker, [joined(6, **rung), on(e.HangupRequest, 9, None, **rung), ended(9, **rung)])
    assert [(call.call_id, call.number) for call in tracker.tick(at(20))] == [("1795307000.2", "0905")]


def test_a_restart_in_a_menu_blocks() -> None:
    tracker = Tracker("main", trunks=TRUNKS)
    fed(tracker, [born(name=TRUNK), on(e.DialplanStep, 0.1, "Answer", "", "500", name=TRUNK)])
    [call] = tracker.snapshot([], [], at(60), restarted=True)
    assert told([call]) == [(CALLER, "blocked", "pbx-restarted")]


def test_who_went_on_from_a_menu_in_a_gap_may_have_talked() -> None:
    tracker = Tracker("main", trunks=TRUNKS)
    fed(tracker, [born(name=TRUNK)])
    tracker.snapshot([shown(app="Dial", name=TRUNK)], [], at(60))
    fed(tracker, [on(e.HangupRequest, 70, None, name=TRUNK), ended(70, name=TRUNK)])
    assert told(tracker.tick(at(80))) == [(CALLER, "unknown", "queue-result-missing")]


def test_who_is_shown_to_talk_after_a_gap_is_served() -> None:
    tracker, kept = Tracker("main", trunks=TRUNKS), []

    def keep(event: ChannelEvent) -> int:
        kept.append(event)
        return len(kept)

    fed(tracker, [born(name=TRUNK)])
    line = on(e.CoreShowChannel, 60, "0901", "Dial", "", "bridge-1", name=TRUNK)
    tracker.snapshot([line], [], at(60), keep=keep)
    fed(tracker, [on(e.HangupRequest, 70, None, name=TRUNK), ended(70, name=TRUNK)])
    assert told(tracker.tick(at(80))) == [(CALLER, "served", None)]
    assert kept == [line]


def test_without_trunks_a_call_that_lasted_over_a_gap_and_came_to_no_queue_does_not_come_out() -> None:
    tracker = Tracker("main")
    fed(tracker, [born()])
    tracker.snapshot([shown(app="Dial")], [], at(60))
    assert fed(tracker, [ended(70, 34)]) + tracker.tick(at(80)) == []


# What was asked


def confirmed(seconds: float, **more: Any) -> Any:
    return on(e.Confirmed, seconds, "0901", **more)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([], None),
        ([confirmed(2)], True),
        ([on(e.Denied, 2)], False),
        ([on(e.Denied, 2), confirmed(3)], True),
        ([confirmed(2), on(e.Denied, 3)], True),
    ],
)
def test_answers_are_kept_with_the_call(answers: list[Any], expected: bool | None) -> None:
    tracker = Tracker("main")
    fed(tracker, [born(), joined(), *answers, *gave_up(10)])
    [call] = tracker.tick(at(20))
    assert call.confirmed is expected


@pytest.mark.parametrize("kind", [e.Denied, e.Detecting, e.Hold, e.RTCPReceived, e.ChannelTalkingStart])
def test_what_is_asked_or_reported_opens_nothing_and_brings_nothing_back(kind: type[ChannelEvent]) -> None:
    tracker = Tracker("main", trunks=("PJSIP/",))
    fed(tracker, [on(kind, 0), confirmed(0)])
    assert (tracker.live_numbers(), tracker.oldest_offset(), tracker.finish(at(1))) == ({}, None, [])
    fed(tracker, [born(2), joined(2), *gave_up(10)])
    assert len(tracker.tick(at(12))) == 1
    fed(tracker, [on(kind, 13), confirmed(13)])
    assert tracker.live_numbers() == {}
    assert tracker.finish(at(20)) == []


def test_the_number_of_a_caller_whose_beginning_was_lost_is_what_the_pbx_answered() -> None:
    tracker = Tracker("main")
    fed(tracker, [on(e.QueueCallerJoin, 0.1, "support", ""), confirmed(1), *gave_up(10)])
    assert [call.number for call in tracker.tick(at(20))] == ["0901"]


# What is kept


def test_reports_of_hours_take_no_room() -> None:
    tracker = Tracker("main")
    fed(tracker, [born(), joined(), connected(1)])
    for number in range(3 * EVENTS_OF_A_CALL):
        fed(tracker, [on(e.RTCPSent, 2 + number, number), on(e.ChannelTalkingStart, 2 + number)])
    open_call = tracker._open_calls[CALLER]  # noqa: SLF001 - nothing else shows it
    assert len(open_call.events) == 3
    assert [len(voice.reports) for voice in open_call.voices.values()] == [16]


def test_the_voices_of_a_call_are_bounded() -> None:
    tracker = Tracker("main")
    fed(tracker, [born(), joined()])
    fed(tracker, [on(e.Hold, 1, who=f"1795307000.{n}") for n in range(1000)])
    assert len(tracker._open_calls[CALLER].voices) == VOICES_OF_A_CALL  # noqa: SLF001


def test_what_would_fill_the_journal_need_not_be_kept() -> None:
    tracker = Tracker("main")
    start = on(e.ChannelTalkingStart, 3)
    assert all(tracker.take(event) for event in [born(), joined(), connected(1), on(e.BridgeEnter, 1, "basic")])
    assert tracker.take(start)
    assert [tracker.take(event) for event in [start, on(e.RTCPSent, 5, 1), on(e.RTCPReceived, 5)]] == [False] * 3
    tracker.take(on(e.BridgeEnter, 9, "basic"))  # somebody else talks with him now
    assert tracker.take(on(e.ChannelTalkingStop, 10))
    first = on(e.DialplanStep, 11, "Answer", "", "500")
    assert tracker.take(first)
    assert not tracker.take(first)
    assert tracker.take(on(e.DialplanStep, 12, "Hangup", "", "500"))


# The roll call


def test_a_call_whose_hangup_was_never_heard_ends_with_the_roll_call() -> None:
    tracker = Tracker("main")
    fed(tracker, [born(), joined()])
    assert tracker.compare({CALLER}, T0 + 60 * SECOND, asked_at=T0 + 60 * SECOND) == []
    (call,) = tracker.compare(set(), T0 + 120 * SECOND, asked_at=T0 + 120 * SECOND)
    assert judge(call).reason == "ended-unseen"
    assert tracker.live_numbers() == {}
    assert tracker.oldest_offset() is None


def test_who_was_heard_of_since_the_roll_was_called_is_not_missed() -> None:
    tracker = Tracker("main")
    fed(tracker, [born(), joined(30)])
    assert tracker.compare(set(), T0 + 31 * SECOND, asked_at=T0 + 20 * SECOND) == []
    assert tracker.waiting("support") == 1


def test_who_hung_up_is_left_to_his_grace() -> None:
    tracker = Tracker("main")
    fed(tracker, [born(), joined(), *gave_up(9)])
    assert tracker.compare(set(), T0 + 9_500_000, asked_at=T0 + 9_400_000) == []
    (call,) = tracker.tick(T0 + 11 * SECOND)
    assert judge(call).kind == "abandoned"


def test_who_waits_is_known_with_since_when_and_the_number_signalled() -> None:
    tracker = Tracker("main")
    fed(tracker, [born(), joined(0.5)])
    assert list(tracker.waits("support")) == [Wait(at(0.5), "0901")]
    fed(tracker, [joined(2, "sales")])
    assert (list(tracker.waits("support")), list(tracker.waits("sales"))) == ([], [Wait(at(2), "0901")])
    fed(tracker, gave_up(10))
    assert list(tracker.waits("sales")) == []


def test_who_is_listed_as_waiting_has_waited_as_long_as_the_listing_says() -> None:
    tracker = Tracker("main")
    tracker.snapshot([shown()], [waits(45)], at(60))
    assert list(tracker.waits("support")) == [Wait(at(15), "0901")]


def test_the_phones_in_our_callbacks_are_known_by_the_names_of_their_channels() -> None:
    tracker = Tracker("main")
    ours = "lcr-0123456789abcdef-1"
    assert attempt_of(ours)
    fed(tracker, [born(), born(1, "1795307001.1", name="PJSIP/1009-00000001")])
    assert tracker.own_phones() == set()
    leg = on(e.Newchannel, 2, "1004", "", who="1795307002.1", link=ours, name="PJSIP/team-a-1004-0000001f")
    fed(tracker, [leg])
    assert tracker.own_phones() == {"PJSIP/team-a-1004"}
    fed(tracker, [ended(3, who="1795307002.1", link=ours, name="PJSIP/team-a-1004-0000001f")])
    assert tracker.own_phones() == set()
