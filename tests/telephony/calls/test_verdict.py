"""Each line of the table holds for its call and for no better one; every call gets exactly one verdict."""

from dataclasses import replace
from typing import Any, Final, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.calls.call import LEFT_UNSERVED, Call, Ending, Kind, Mute, Onward, QueueVisit, Side, VisitEnd, moment
from telephony.calls.verdict import TABLE, judge

SECOND: Final = 1_000_000
T0: Final = 1_795_307_000 * SECOND
JOINED: Final = QueueVisit("support", T0, None, None, T0 + 5 * SECOND, "waiting")
TALKED: Final = replace(JOINED, connected_at=T0 + SECOND, ended_at=T0 + 9 * SECOND, end="connected", agent="One")
WAITED: Final = Call(
    pbx="main",
    call_id="1795307000.1",
    linkedid="1795307000.1",
    channel="PJSIP/trunk-1",
    number="0901",
    did="500",
    started_at=T0,
    ended_at=T0 + 9 * SECOND,
    seen_until=T0 + 9 * SECOND,
    visits=(JOINED,),
)
ANSWERED: Final = replace(WAITED, visits=(TALKED,), talked_at=T0 + SECOND, hangup_by="customer")


def left(end: VisitEnd, **more: Any) -> Call:
    return replace(WAITED, visits=(replace(JOINED, end=end, **more),))


def talk(**more: Any) -> Call:
    return replace(ANSWERED, **more)


def nowhere(**more: Any) -> Call:
    return replace(WAITED, visits=(), **more)


LINE_FAILED: Final = ("dropped", "line-failed", "customer")


@pytest.mark.parametrize(
    ("call", "kind", "reason", "side"),
    [
        (replace(left("abandoned"), placed=True), "callback", None, None),
        (replace(WAITED, ending="capture-ended"), "unfinished", "capture-ended", None),
        (left("abandoned", ringing=True), "abandoned", "gave-up-while-ringing", None),
        (left("abandoned"), "abandoned", "gave-up-waiting", None),
        (replace(left("abandoned"), ending="ended-unseen"), "abandoned", "gave-up-waiting", None),
        (talk(ending="pbx-restarted", talking=True), "dropped", "pbx-restarted", "system"),
        (talk(ending="pbx-restarted"), "unknown", "ended-unseen", None),
        (replace(WAITED, ending="pbx-restarted"), "blocked", "pbx-restarted", "system"),
        (replace(left("timed-out"), ending="ended-unseen"), "unknown", "ended-unseen", None),
        (replace(WAITED, ending="overdue"), "unknown", "hangup-missing", None),
        (talk(visits=(replace(TALKED, handed_on=True),), causes=frozenset({41})), "served", None, None),
        (talk(causes=frozenset({44, 16})), "dropped", "media-time-out", "customer"),
        (talk(causes=frozenset({18}), hangup_by="agent"), "dropped", "phone-gone", "agent"),
        (talk(causes=frozenset({16, 41}), hangup_by="system"), "dropped", "line-failed", "system"),
        (talk(causes=frozenset({38}), hangup_by=None), "dropped", "line-failed", None),
        (talk(cut=True, hangup_by="system"), "dropped", "cut-off", "system"),
        (talk(causes=frozenset({16})), "served", None, None),
        (talk(causes=frozenset({0, 17, 127})), "served", None, None),  # no cause of a talk broken off
        (talk(hangup_by=None, went_on=True), "served", None, None),
        (talk(hangup_by=None), "unknown", "end-unexplained", None),
        (replace(left("timed-out"), talked_at=T0, hangup_by="agent"), "served", None, None),
        (left("timed-out"), "blocked", "queue-time-out", None),
        (left("left-empty"), "blocked", "queue-left-empty", None),
        (left("withdrawn"), "blocked", "queue-withdrawn", None),
        (left("full"), "blocked", "queue-full", None),
        (left("join-empty"), "blocked", "join-empty", None),
        (left("no-queue"), "blocked", "no-such-queue", None),
        (left("closed"), "blocked", "closed", None),
        (left("diverted"), "blocked", "queue-diverted", None),
        (left("key", key="1"), "requested", "digit-in-queue", None),
        (left("key", key="2"), "unknown", "left-by-key", None),
        (replace(left("unserved"), media_lost=True, hangup_by="customer"), "blocked", "media-time-out", "customer"),
        (replace(left("unserved"), cut=True), "blocked", "cut-off", "system"),
        (left("unserved"), "unknown", LEFT_UNSERVED, None),
        (left("left"), "unknown", "left-queue-unexplained", None),
        (left("unknown"), "unknown", "queue-result-missing", None),
        (replace(left("key"), asked=True), "requested", "digit-in-queue", None),
        (replace(left("left"), asked=True), "requested", "digit-in-queue", None),
        (replace(left("timed-out"), asked=True), "requested", "asked-after-time-out", None),
        (replace(left("left-empty"), asked=True), "requested", "asked-after-left-empty", None),
        (replace(left("full"), asked=True), "requested", "asked-after-full", None),
        (replace(left("join-empty"), asked=True), "requested", "asked-after-join-empty", None),
        (replace(left("unserved"), asked=True), "requested", "asked", None),
        (replace(left("timed-out"), asked=True, ending="ended-unseen"), "requested", "asked-after-time-out", None),
        (replace(left("abandoned"), asked=True), "abandoned", "gave-up-waiting", None),
        (nowhere(asked=True, closed=True), "requested", "asked-when-closed", None),
        (nowhere(asked=True), "requested", "asked", None),
        (talk(asked=True), "requested", "asked", None),
        (nowhere(ending="pbx-restarted"), "blocked", "pbx-restarted", "system"),
        (talk(onward="rung", talked_at=None, gave_up=True), "abandoned", "gave-up-after-transfer", None),
        (talk(onward="rung", talked_at=None, refused_with=19), "blocked", "transfer-unanswered", None),
        (talk(onward="rung", talked_at=None, turned_away=True), "blocked", "transfer-unanswered", None),
        (talk(onward="rung", talked_at=None), "unknown", LEFT_UNSERVED, None),
        (talk(onward="rung", talked_at=None, ending="overdue"), "unknown", "hangup-missing", None),
        (talk(said="verification"), "dropped", "verification", "customer"),
        (talk(said="verification", causes=frozenset({44}), hangup_by="agent"), "dropped", "verification", "agent"),
        (talk(said="agents-mistake"), "dropped", "agents-mistake", "agent"),
        (talk(said="wrong-answer"), "dropped", "wrong-answer", "customer"),
        (talk(visits=(replace(TALKED, handed_on=True),), onward="met", causes=frozenset({41})), *LINE_FAILED),
        (talk(visits=(replace(TALKED, handed_on=True),), onward="met"), "served", None, None),
        (talk(stalled=True), "dropped", "media-stalled", "agent"),
        (talk(stalled=True, causes=frozenset({18}), hangup_by="agent"), "dropped", "phone-gone", "agent"),
        (talk(mute=Mute("agent", "no-media")), "silent", "no-media", "agent"),
        (talk(mute=Mute("customer", "no-sound")), "silent", "no-sound", "customer"),
        (talk(mute=Mute("customer", "no-sound"), hangup_by=None), "silent", "no-sound", "customer"),
        (talk(mute=Mute("customer", "no-media"), causes=frozenset({44})), "dropped", "media-time-out", "customer"),
        (nowhere(closed=True), "blocked", "closed", None),
        (nowhere(closed=True, gave_up=True), "blocked", "closed", None),
        (nowhere(media_lost=True, hangup_by="customer"), "blocked", "media-time-out", "customer"),
        (nowhere(cut=True), "blocked", "cut-off", "system"),
        (nowhere(refused_with=42, stepped=False), "blocked", "maxcalls", None),
        (nowhere(refused_with=42, stepped=True), "blocked", "channel-limit", None),
        (nowhere(refused_with=42), "blocked", "channel-limit", None),
        (nowhere(refused_with=34), "blocked", "congestion", None),
        (nowhere(refused_with=17), "blocked", "busy", None),
        (nowhere(refused_with=3), "blocked", "hangup-3", None),
        (nowhere(gave_up=True), "abandoned", "before-queue", None),
        (nowhere(turned_away=True), "blocked", "turned-away", None),
        (nowhere(), "unknown", LEFT_UNSERVED, None),
        (nowhere(complete=False, gave_up=True), "unknown", "queue-result-missing", None),
        (nowhere(complete=False, closed=True), "unknown", "queue-result-missing", None),
        (nowhere(talked_at=T0, hangup_by="customer"), "served", None, None),
    ],
)
def test_the_table(call: Call, kind: Kind, reason: str | None, side: Side | None) -> None:
    verdict = judge(call)
    assert (verdict.kind, verdict.reason, verdict.side) == (kind, reason, side)


def test_every_line_of_the_table_is_tried() -> None:
    mark = next(mark for mark in test_the_table.pytestmark if mark.name == "parametrize")  # type: ignore[attr-defined]
    assert {judge(call).because for call, *_ in mark.args[1]} == {row.condition for row in TABLE}


def test_an_answered_call_can_be_abandoned_in_the_next_queue() -> None:
    sales = replace(JOINED, queue="sales", joined_at=T0 + 9 * SECOND, ended_at=T0 + 19 * SECOND, end="abandoned")
    verdict = judge(replace(WAITED, visits=(TALKED, sales)))
    assert (verdict.kind, verdict.waited_s, verdict.talked_s) == ("abandoned", 11.0, 8.0)


@pytest.mark.parametrize(
    ("call", "lost"),
    [
        (left("abandoned"), True),
        (left("timed-out"), True),
        (talk(causes=frozenset({44})), True),
        (left("unserved"), True),
        (left("left"), False),
        (left("key", key="1"), False),
        (nowhere(), True),
        (nowhere(gave_up=True), True),
        (talk(mute=Mute("agent", "no-sound")), True),
        (ANSWERED, False),
    ],
)
def test_lost_for_certain(call: Call, lost: bool) -> None:
    assert judge(call).lost is lost


def test_source_and_rank() -> None:
    assert (judge(ANSWERED).source, judge(ANSWERED).rank) == ("live-complete", 3)
    partial = judge(replace(ANSWERED, complete=False))
    assert (partial.source, partial.rank) == ("live-partial", 2)
    assert judge(left("unserved")).source == "live-partial"


def test_what_is_not_known_ranks_below_a_log() -> None:
    assert judge(left("unserved")).rank == judge(replace(WAITED, ending="capture-ended")).rank == 0
    assert judge(replace(left("timed-out"), complete=False)).rank == 2


def test_what_was_not_over_counts_until_it_was_last_heard_of() -> None:
    waiting = replace(WAITED, visits=(replace(JOINED, ended_at=None),), ended_at=None, ending="capture-ended")
    assert judge(waiting).waited_s == 9.0
    talking = talk(visits=(replace(TALKED, ended_at=None),), ended_at=None, ending="capture-ended")
    assert (judge(talking).waited_s, judge(talking).talked_s) == (1.0, 8.0)
    met = replace(left("timed-out"), talked_at=T0 + 7 * SECOND, hangup_by="agent")
    assert (judge(met).waited_s, judge(met).talked_s) == (5.0, 2.0)


def test_a_moment_is_rfc_3339() -> None:
    assert moment(T0 + 5) == "2026-11-22T00:23:20.000005Z"


INSTANTS: Final = st.integers(T0, T0 + 100 * SECOND)
VISITS: Final = st.builds(
    QueueVisit,
    st.none() | st.just("support"),
    INSTANTS,
    st.none() | INSTANTS,
    st.none(),
    st.none() | INSTANTS,
    st.sampled_from(get_args(VisitEnd)),
    st.sampled_from([None, "1", "2"]),
    st.booleans(),
    st.booleans(),
)


@given(
    st.lists(VISITS, max_size=3),
    st.frozensets(st.sampled_from([0, 16, 17, 18, 19, 31, 34, 38, 41, 44])),
    st.sampled_from([None, *get_args(Side)]),
    st.sampled_from(get_args(Ending)),
    st.none() | INSTANTS,
    st.tuples(*[st.booleans()] * 11),
    st.sampled_from([None, *get_args(Onward)]),
    st.sampled_from([None, Mute("agent", "no-media"), Mute("customer", "no-sound")]),
    st.sampled_from([None, "verification", "agents-mistake", "wrong-answer"]),
    st.sampled_from([None, 3, 17, 34, 42]),
)
def test_every_call_gets_a_verdict(
    visits: list[QueueVisit],
    causes: frozenset[int],
    side: Side | None,
    ending: Ending,
    talked_at: int | None,
    flags: tuple[bool, ...],
    onward: Onward | None,
    mute: Mute | None,
    said: str | None,
    refused_with: int | None,
) -> None:
    talking, went_on, cut, media_lost, placed, complete, stalled, asked, closed, gave_up, turned_away = flags
    verdict = judge(
        replace(
            WAITED,
            visits=tuple(visits),
            causes=causes,
            hangup_by=side,
            ending=ending,
            talked_at=talked_at,
            talking=talking,
            went_on=went_on,
            cut=cut,
            media_lost=media_lost,
            placed=placed,
            complete=complete,
            stalled=stalled,
            asked=asked,
            closed=closed,
            gave_up=gave_up,
            turned_away=turned_away,
            onward=onward,
            mute=mute,
            said=said,
            refused_with=refused_with,
        )
    )
    assert verdict.because in {row.condition for row in TABLE}
    assert verdict.waited_s >= 0
    assert verdict.talked_s >= 0
    assert (verdict.reason is None) == (verdict.kind in {"served", "callback"})
