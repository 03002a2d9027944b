"""Calls in brief are the calls that are judged at length: the same ones, in the same order, by the same table."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from telephony.calls.call import Call, Verdict
from telephony.calls.verdict import judge
from telephony.ids import attempt_of
from telephony.queue_log.briefs import Brief, LogBriefs
from telephony.queue_log.entries import Entry, Faults
from telephony.queue_log.files import LogFiles
from telephony.queue_log.verdicts import LogCalls
from tests.telephony.queue_log.logs import EVER, RECORDED, entries
from tests.telephony.queue_log.test_calls import ANY, SCENARIOS

Told = tuple[object, ...]


def in_brief(log: list[Entry]) -> tuple[list[Told], list[Told]]:
    calls = LogBriefs("main")
    over = [_told(call) for call in [*calls.over(log), *calls.finish()]]
    return over, [_told(call)[:5] for call in calls.unfinished()]  # when they will be over nobody knows


def _told(call: Brief) -> Told:
    times = (call.over_at, call.waited / 1e6, call.talked / 1e6)
    return (call.call_id, call.number, call.queue or None, call.kind, call.reason, *times)


def at_length(log: list[Entry]) -> tuple[list[Told], list[Told]]:
    calls = LogCalls("main")
    over = [
        (*_judged(call, verdict), calls.over_at(call), verdict.waited_s, verdict.talked_s)
        for call, verdict in [*calls.judged(log), *calls.finish()]
    ]
    return over, [_judged(call, judge(call)) for call in calls.unfinished]


def _judged(call: Call, verdict: Verdict) -> Told:
    """Of an id that is neither Asterisk's nor ours only the brief says that it is a customer's."""
    if call.placed and attempt_of(call.call_id) is None:
        verdict = judge(replace(call, placed=False))
    return (call.call_id, call.number, call.queue, verdict.kind, verdict.reason)


def test_every_scenario_and_what_was_recorded() -> None:
    for log, _ in SCENARIOS.values():
        assert in_brief(entries(log)) == at_length(entries(log))
    for version in ("16", "22"):
        recorded = list(LogFiles(RECORDED / version / "queue_log").between(0, EVER, Faults()))
        assert len(at_length(recorded)[0]) > 20
        assert in_brief(recorded) == at_length(recorded)


@given(st.lists(ANY, max_size=40))
def test_any_log(log: list[Entry]) -> None:
    assert in_brief(log) == at_length(log)


def test_a_log_whose_ids_somebody_made_nameless_is_one_of_customers() -> None:
    log = entries("0 a1 support NONE ENTERQUEUE |x7|1\n9 a1 support NONE ABANDON 1|1|9")
    assert in_brief(log)[0] == [("a1", None, "support", "abandoned", "gave-up-waiting", log[1].at, 9.0, 0.0)]


def test_lines_that_stand_out_of_order_and_a_restart_among_them() -> None:
    log = entries(
        """1 .1 support NONE ENTERQUEUE |0901|1
           0 .1 support NONE ENTERQUEUE |0901|1
           0 NONE NONE NONE QUEUESTART |"""
    )
    assert in_brief(log) == at_length(log)
    [told] = in_brief(log)[0]
    assert told[3:5] == ("blocked", "pbx-restarted")
    assert told[6] == 1.0  # until he came the second time: then the first wait was over
