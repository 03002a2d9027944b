"""A log in, its calls out: tables, recorded logs, and rules."""

import random
from dataclasses import astuple, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.calls.call import Call, Verdict, moment
from telephony.calls.verdict import judge
from telephony.ids import SECOND
from telephony.queue_log.agent_calls import phone_of
from telephony.queue_log.between import calls_between
from telephony.queue_log.briefs import LogBriefs
from telephony.queue_log.calls import AGE_LIMIT_S, QUIET_S
from telephony.queue_log.entries import Entry
from telephony.queue_log.files import LogFiles
from telephony.queue_log.sieve import DoubtfulEntry
from telephony.queue_log.values import stamp
from telephony.queue_log.verdicts import LogCalls
from telephony.replay import calls_of
from tests.telephony.queue_log.logs import EVER, RECORDED, STREAMS, T, Told, entries, judged, told

WAITING = "gave-up-waiting"
RINGING = "gave-up-while-ringing"

SCENARIOS: dict[str, tuple[str, list[Told]]] = {
    "served, the caller ends": (
        """0 .1 support NONE ENTERQUEUE |0901|1
           4 .1 support Ann CONNECT 4|x.2|3
           9 .1 support Ann COMPLETECALLER 4|5|1""",
        [(".1", "0901", "support", "served", None)],
    ),
    "gives up": (
        """0 .1 support NONE ENTERQUEUE |0901|1
           5 .1 support Ann RINGNOANSWER 3000
           9 .1 support NONE ABANDON 1|1|9""",
        [(".1", "0901", "support", "abandoned", WAITING)],
    ),
    "gives up while a phone rings": (
        """0 .1 support NONE ENTERQUEUE |0901|1
           9 .1 support Ann RINGCANCELED 2000
           9 .1 support NONE ABANDON 1|1|9""",
        [(".1", "0901", "support", "abandoned", RINGING)],
    ),
    "a phone that was cancelled before another rang": (
        """0 .1 support NONE ENTERQUEUE |0901|1
           3 .1 support Ann RINGCANCELED 2000
           9 .1 support NONE ABANDON 1|1|9""",
        [(".1", "0901", "support", "abandoned", WAITING)],
    ),
    "thrown out by time-out, and nothing follows": (
        "0 .1 support NONE ENTERQUEUE |0901|1\n9 .1 support NONE EXITWITHTIMEOUT 1|1|9",
        [(".1", "0901", "support", "blocked", "queue-time-out")],
    ),
    "thrown out, then served elsewhere": (
        """0 .1 support NONE ENTERQUEUE |0901|1
           9 .1 support NONE EXITWITHTIMEOUT 1|1|9
           9 .1 sales NONE ENTERQUEUE |0901|1
           12 .1 sales Ann CONNECT 3|x.2|3
           20 .1 sales Ann COMPLETEAGENT 3|8|1""",
        [(".1", "0901", "sales", "served", None)],
    ),
    "no agent left": (
        "0 .1 support NONE ENTERQUEUE |0901|1\n9 .1 support NONE EXITEMPTY 1|1|9",
        [(".1", "0901", "support", "blocked", "queue-left-empty")],
    ),
    "no agent left, which some versions write twice": (
        """0 .1 support NONE ENTERQUEUE |0901|1
           9 .1 support NONE EXITEMPTY 1|1|9
           9 .1 support NONE ABANDON 1|1|9""",
        [(".1", "0901", "support", "blocked", "queue-left-empty")],
    ),
    "withdrawn by a program": (
        "0 .1 support NONE ENTERQUEUE |0901|1\n9 .1 support NONE WITHDRAW 1|1|9|moved",
        [(".1", "0901", "support", "blocked", "queue-withdrawn")],
    ),
    "asks for a callback": (
        "0 .1 support NONE ENTERQUEUE |0901|1\n9 .1 support NONE EXITWITHKEY 1|1|1|9",
        [(".1", "0901", "support", "requested", "digit-in-queue")],
    ),
    "leaves by another key, in an old version": (
        "0 .1 support NONE ENTERQUEUE |0901|1\n9 .1 support NONE EXITWITHKEY 2|1",
        [(".1", "0901", "support", "unknown", "left-by-key")],
    ),
    "channels that do not fit together": (
        "0 .1 support NONE ENTERQUEUE |0901|1\n9 .1 support Ann SYSCOMPAT |",
        [(".1", "0901", "support", "blocked", "cut-off")],
    ),
    "an agent hangs up in the announcement, another answers": (
        """0 .1 support NONE ENTERQUEUE |0901|1
           3 .1 support Ann AGENTDUMP |
           9 .1 support Bob CONNECT 9|x.3|1
           12 .1 support Bob COMPLETECALLER 9|3|1""",
        [(".1", "0901", "support", "served", None)],
    ),
    "full and empty, where the dialplan says so": (
        """0 .1 support NONE DID 0312345678
           0 .1 support NONE FULL |
           1 .2 support NONE CALLERID 09022223333
           1 .2 support NONE JOINEMPTY |""",
        [
            (".1", None, "support", "blocked", "queue-full"),
            (".2", "09022223333", "support", "blocked", "join-empty"),
        ],
    ),
    "transferred blindly to a queue and given up there": (
        """0 .1 support NONE ENTERQUEUE |0901|1
           2 .1 support Ann CONNECT 2|x.2|1
           8 .1 support Ann BLINDTRANSFER 505|from-trunk|2|6|1
           8 .1 sales NONE ENTERQUEUE |0901|1
           50 .1 sales NONE ABANDON 1|1|42""",
        [(".1", "0901", "sales", "abandoned", WAITING)],
    ),
    "transferred to no queue, by an old version and a new one": (
        """0 .1 support NONE ENTERQUEUE |0901|1
           0 .2 support NONE ENTERQUEUE |0902|2
           2 .1 support Ann CONNECT 2|x.3
           2 .2 support Bob CONNECT 2|x.4
           8 .1 support Ann TRANSFER 505|from-trunk|2|6|1
           9 .2 support Bob ATTENDEDTRANSFER BRIDGE|b1|2|7|2""",
        [(".1", "0901", "support", "served", None), (".2", "0902", "support", "served", None)],
    ),
    "the same call twice in a queue": (
        """0 .1 support NONE ENTERQUEUE |0901|1
           5 .1 support NONE EXITWITHTIMEOUT 1|1|5
           5 .1 support NONE ENTERQUEUE |0901|1
           60 .1 support NONE ABANDON 1|1|55""",
        [(".1", "0901", "support", "abandoned", WAITING)],
    ),
    "our own callback": (
        "0 lcr-7-2 support NONE ENTERQUEUE ||1\n9 lcr-7-2 support NONE ABANDON 1|1|9",
        [("lcr-7-2", None, "support", "callback", None)],
    ),
    "began before the log": (
        """9 .1 support NONE ABANDON 1|1|20
           9 .2 support Ann COMPLETECALLER 3|30|1
           9 .3 support NONE RINGNOANSWER 1000""",
        [(".1", None, "support", "abandoned", WAITING), (".2", None, "support", "served", None)],
    ),
    "cut off by a restart": (
        """0 .1 support NONE ENTERQUEUE |0901|1
           1 .2 support NONE ENTERQUEUE |0902|2
           2 .1 support Ann CONNECT 2|x.3|1
           3 .3 support NONE ENTERQUEUE |0903|2
           4 .3 support NONE ABANDON 2|2|1
           60 NONE NONE NONE QUEUESTART |""",
        [
            (".3", "0903", "support", "abandoned", WAITING),
            (".1", "0901", "support", "dropped", "pbx-restarted"),
            (".2", "0902", "support", "blocked", "pbx-restarted"),
        ],
    ),
    "a restart that cannot have been": (
        """0 .1 support NONE ENTERQUEUE |0901|1
           1 .2 support NONE ENTERQUEUE |0902|2
           5 NONE NONE NONE QUEUESTART |
           9 .1 support NONE ABANDON 1|1|9
           20 .2 support Ann CONNECT 19|x.3|1
           30 .2 support Ann COMPLETEAGENT 19|10|1""",
        [(".1", "0901", "support", "abandoned", WAITING), (".2", "0902", "support", "served", None)],
    ),
    "a restart that cannot have been, and one who waits on in silence": (
        """0 .1 support NONE ENTERQUEUE |0901|1
           1 .2 support NONE ENTERQUEUE |0902|2
           5 NONE NONE NONE QUEUESTART |
           50 .1 support NONE ABANDON 1|1|50
           100 .3 support NONE ENTERQUEUE |0903|2
           150 .3 support NONE ABANDON 2|2|50
           200 .4 support NONE ENTERQUEUE |0904|2
           250 .4 support NONE ABANDON 2|2|50
           300 .2 support NONE ABANDON 1|2|299""",
        [(f".{n}", f"090{n}", "support", "abandoned", WAITING) for n in (1, 3, 4, 2)],
    ),
    "answered in the second in which he came": (
        """0 .1 support NONE ENTERQUEUE |0901|1
           0 .1 support Ann CONNECT 0|x.2|0
           5 .1 support Ann COMPLETECALLER 0|5|1""",
        [(".1", "0901", "support", "served", None)],
    ),
    "numbers that are none": (
        """0 .1 support NONE ENTERQUEUE |anonymous|1
           0 .2 support NONE ENTERQUEUE |0902|3|1
           0 .3 support NONE ENTERQUEUE |0903|x|1
           0 .4 support NONE ENTERQUEUE |0904|1|09044445555
           1 .1 support NONE ABANDON 1|1|1
           1 .2 support NONE ABANDON 1|1|1
           1 .3 support NONE ABANDON 1|1|1
           1 .4 support NONE ABANDON 1|1|1""",
        [
            (".1", None, "support", "abandoned", WAITING),
            (".2", None, "support", "abandoned", WAITING),
            (".3", None, "support", "abandoned", WAITING),
            (".4", "0904", "support", "abandoned", WAITING),
        ],
    ),
    "the end of a talk is not written, and he comes to another queue": (
        """0 .1 support NONE ENTERQUEUE |0901|1
           2 .1 support Ann CONNECT 2|x.2|1
           80 .1 sales NONE ENTERQUEUE |0901|1
           99 .1 sales NONE ABANDON 1|1|19""",
        [(".1", "0901", "sales", "abandoned", WAITING)],
    ),
    "the end of a wait is not written, and the next queue has no agent": (
        """0 .1 support NONE ENTERQUEUE |0901|1
           30 .1 sales NONE JOINEMPTY |""",
        [(".1", "0901", "sales", "blocked", "join-empty")],
    ),
    "the end of a wait is not written, and he comes to the same queue again": (
        """0 .1 support NONE ENTERQUEUE |0901|1
           30 .1 support NONE ENTERQUEUE |0901|1
           40 .1 support Ann CONNECT 10|x.2|1
           50 .1 support Ann COMPLETECALLER 10|10|1""",
        [(".1", "0901", "support", "served", None)],
    ),
    "given to another queue while that still rings, as an agent's transfer is written under his own call": (
        """0 .1 claims NONE ENTERQUEUE |09022223333|1
           9 .1 claims PJSIP/4410 CONNECT 9|x.2|8
           60 .3 repairs NONE ENTERQUEUE |4410|1
           61 .3 claims PJSIP/4410 ATTENDEDTRANSFER APP|Queue|9|52|1
           70 .1 repairs PJSIP/4475 CONNECT 10|x.4|9
           200 .1 repairs PJSIP/4475 COMPLETECALLER 10|130|1""",
        [(".1", "09022223333", "repairs", "served", None)],
    ),
    "the same, and he gives up in the other queue; the agents are written by their names": (
        """0 .1 claims NONE ENTERQUEUE |09022223333|1
           9 .1 claims Ann CONNECT 9|x.2|8
           60 .3 repairs NONE ENTERQUEUE |4410|1
           61 .3 claims Ann ATTENDEDTRANSFER BRIDGE|b1|9|52|1
           90 .1 repairs NONE ABANDON 1|1|30""",
        [(".1", "09022223333", "repairs", "abandoned", WAITING)],
    ),
    "the other queue has answered when the agent gives him there": (
        """0 .1 claims NONE ENTERQUEUE |09022223333|1
           9 .1 claims Ann CONNECT 9|x.2|8
           60 .3 repairs NONE ENTERQUEUE |4410|1
           66 .3 repairs Bob CONNECT 6|x.4|5
           80 .1 claims Ann ATTENDEDTRANSFER BRIDGE|b1|9|71|1
           200 .1 repairs Bob COMPLETEAGENT 6|134|1""",
        [(".1", "09022223333", "repairs", "served", None)],
    ),
    "agents call queues from their own phones": (
        """0 .1 claims SIP/212 ADDMEMBER |
           1 .2 claims NONE ENTERQUEUE |212|1
           9 .2 claims NONE ABANDON 1|1|8
           20 .3 claims Local/213@agents/n RINGNOANSWER 1000
           20 .4 claims NONE ENTERQUEUE |213|1
           24 .4 claims Agent/214 CONNECT 4|x.5|3
           34 .4 claims Agent/214 COMPLETECALLER 4|10|1
           40 .6 claims NONE ENTERQUEUE |214|1
           44 .6 claims NONE EXITWITHTIMEOUT 1|1|4
           50 .7 claims NONE ENTERQUEUE |215|1
           54 .7 claims NONE ABANDON 1|1|4""",
        [(".7", "215", "claims", "abandoned", WAITING)],
    ),
    "closed, as a dialplan writes it": (
        """0 .1 support NONE CALLERID 09022223333
           0 .1 support NONE CLOSED |
           5 .2 NONE NONE CALLERID 09022224444
           5 .2 NONE NONE CLOSED |""",
        [
            (".1", "09022223333", "support", "blocked", "closed"),
            (".2", "09022224444", None, "blocked", "closed"),
        ],
    ),
    "closed, and served in another queue": (
        """0 .1 support NONE CLOSED |
           9 .1 sales NONE ENTERQUEUE |0901|1
           12 .1 sales Ann CONNECT 3|x.2|3
           20 .1 sales Ann COMPLETEAGENT 3|8|1""",
        [(".1", "0901", "sales", "served", None)],
    ),
    "sent elsewhere because too many waited, or for too long": (
        "0 .1 support NONE DIVERT_CA_RATIO |\n9 .2 sales NONE DIVERT_HOLDTIME |",
        [
            (".1", None, "support", "blocked", "queue-diverted"),
            (".2", None, "sales", "blocked", "queue-diverted"),
        ],
    ),
    "no agent left, as only the dialplan writes it": (
        "0 .1 support NONE ENTERQUEUE |0901|1\n9 .1 support NONE LEAVEEMPTY |",
        [(".1", "0901", "support", "blocked", "queue-left-empty")],
    ),
    "no agent left, which the dialplan says once more behind an announcement": (
        """0 .1 support NONE ENTERQUEUE |0901|1
           9 .1 support NONE EXITEMPTY 1|1|9
           19 .1 support NONE LEAVEEMPTY |
           20 .1 sales NONE ENTERQUEUE |0901|1
           30 .1 sales Ann CONNECT 10|x.2|3
           60 .1 sales Ann COMPLETEAGENT 10|30|1""",
        [(".1", "0901", "sales", "served", None)],
    ),
    "no agent left, said twice in one second, then served elsewhere": (
        """0 .1 support NONE ENTERQUEUE |0901|1
           1 .1 support NONE EXITEMPTY 1|1|1
           1 .1 support NONE LEAVEEMPTY |
           1 .1 sales NONE ENTERQUEUE |0901|1
           50 .1 sales Agent/1 CONNECT 49|x.2|5
           90 .1 sales Agent/1 COMPLETEAGENT 49|40|1""",
        [(".1", "0901", "sales", "served", None)],
    ),
    "agents and the site's own words are of no call": (
        """0 .1 support Ann ADDMEMBER PAUSED
           0 NONE support Ann UNPAUSE |
           1 .2 support Ann AGENTLOGIN SIP/1
           2 .3 support NONE INFO IVR|2
           3 REALTIME support Ann ADDMEMBER |
           4 NONE support NONE ABANDON 1|1|1
           5 .4 support NONE DID 0312345678""",
        [],
    ),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_calls_of_a_log(name: str) -> None:
    log, calls = SCENARIOS[name]
    assert told(log) == calls


@pytest.mark.parametrize("name", SCENARIOS)
def test_lines_of_one_second_may_come_in_any_order_and_twice(name: str) -> None:
    log, calls = SCENARIOS[name]
    for seed in range(20):
        chance = random.Random(seed)  # noqa: S311 - an order, no secret
        shuffled = sorted(entries(log), key=lambda entry: (entry.at, chance.random()))
        doubled = [one for entry in shuffled for one in [entry] * chance.choice([1, 1, 2])]
        assert sorted(told(doubled), key=str) == sorted(calls, key=str)


def ticking(since: int, until: int) -> str:
    """Give lines of no call, one every half minute: the log goes on."""
    return "\n".join(f"{second} NONE NONE NONE CONFIGRELOAD |" for second in range(since, until, 30))


BACK_LATER = {
    "behind five minutes of announcements": (300, "sales NONE ABANDON 1|1|20", "abandoned"),
    "behind forty minutes with a colleague who is in no queue": (2400, "sales Ann COMPLETEAGENT 3|17|1", "served"),
    "behind two hours, in the same queue": (7200, "support NONE EXITWITHTIMEOUT 1|1|20", "blocked"),
}


@pytest.mark.parametrize("name", BACK_LATER)
@pytest.mark.parametrize("left", ["support NONE EXITWITHTIMEOUT 1|1|60", "support Ann BLINDTRANSFER 70|inside|10|50|1"])
def test_who_comes_back_to_a_queue_is_the_same_call_however_late(name: str, left: str) -> None:
    later, last, kind = BACK_LATER[name]
    back = 60 + later
    lines = ["0 .1 support NONE ENTERQUEUE |0901|1", f"60 .1 {left}", ticking(61, back)]
    lines += [
        f"{back} .1 {last.split()[0]} NONE ENTERQUEUE |0901|1",
        f"{back + 20} .1 {last}",
        ticking(back + 21, back + 900),
    ]
    assert [(told[0], told[2], told[3]) for told in told("\n".join(lines))] == [(".1", last.split()[0], kind)]


def test_a_call_that_came_to_another_queue_is_not_held_up_by_the_one_before() -> None:
    """It comes out when its last visit has been over for long enough, not when it has grown too old."""
    log = SCENARIOS["the end of a talk is not written, and he comes to another queue"][0]
    calls = LogCalls("main", quiet_s=QUIET_S)
    [(call, verdict)] = calls.judged(entries(log + "\n" + ticking(100, 300)))
    first, second = call.visits
    assert (first.end, first.ended_at, second.end) == ("connected", second.joined_at, "abandoned")
    assert (verdict.waited_s, verdict.talked_s, call.complete) == (21, 78, True)


def test_agents_own_calls_are_counted() -> None:
    calls = LogCalls("main")
    log = SCENARIOS["agents call queues from their own phones"][0]
    assert len([*calls.judged(entries(log)), *calls.finish()]) == 1
    assert calls.agents_calls == 3


def test_an_agents_mobile_is_no_desk_where_somebody_might_be_called_back_for_it() -> None:
    """From the log alone nobody whose number could be called is taken for an agent."""
    log = """0 .1 claims Local/09022223333@mobiles/n ADDMEMBER |
             1 .2 claims NONE ENTERQUEUE |09022223333|1
             9 .2 claims NONE ABANDON 1|1|8"""
    assert told(log) == [(".2", "09022223333", "claims", "abandoned", WAITING)]
    assert not [*LogBriefs("main").over(entries(log))]


def test_a_line_that_may_be_forged_makes_nobody_an_agent() -> None:
    log = entries("""0 .1 claims SIP/212 RINGNOANSWER 1000
                     1 .2 claims NONE ENTERQUEUE |212|1
                     9 .2 claims NONE ABANDON 1|1|8""")
    assert [one[0] for one in told([DoubtfulEntry(*log[0]), *log[1:]])] == [".2"]


@pytest.mark.parametrize(
    ("agent", "phone"),
    [
        ("PJSIP/7009", "7009"),
        ("SIP/101-0000002a", "101"),
        ("Local/101@from-queue/n", "101"),
        ("Local/+12125550111@out", "+12125550111"),
        ("Agent/33", "33"),
        ("7009", "7009"),
        ("DAHDI/12", None),
        ("DAHDI/g1/2125550111", None),
        ("Ann 2", None),
        ("SIP/ann", None),
        ("", None),
    ],
)
def test_the_phone_that_an_agents_name_tells(agent: str, phone: str | None) -> None:
    assert phone_of(agent) == phone


def test_seconds_that_do_not_stand_in_the_data_come_from_the_lines_own_times() -> None:
    log = """0 .1 support NONE ENTERQUEUE |0901|1
             6 .1 support NONE ABANDON |||
             100 .2 support NONE ENTERQUEUE |0902|1
             109 .2 support NONE EXITWITHTIMEOUT |||
             200 .3 support NONE ENTERQUEUE |0903|1
             204 .3 support Ann CONNECT |
             234 .3 support Ann COMPLETEAGENT |"""
    found = [(verdict.kind, verdict.waited_s, verdict.talked_s) for _, verdict in judged(entries(log))]
    assert found == [("abandoned", 6, 0), ("blocked", 9, 0), ("served", 4, 30)]


def test_what_is_told_of_a_call() -> None:
    [(call, verdict)] = judged(entries(SCENARIOS["transferred blindly to a queue and given up there"][0]))
    assert (call.pbx, call.call_id, call.linkedid) == ("main", f"{T}.1", f"{T}.1")
    assert (call.started_at, call.ended_at, call.complete) == (T * SECOND, (T + 50) * SECOND, True)
    first, second = call.visits
    assert (first.queue, first.agent, first.end, first.handed_on) == ("support", "Ann", "connected", True)
    assert (second.joined_at, second.ended_at) == ((T + 8) * SECOND, (T + 50) * SECOND)
    assert (verdict.waited_s, verdict.talked_s, verdict.source, verdict.rank) == (44, 6, "log", 1)
    assert verdict.evidence[0] == f"ENTERQUEUE support at {moment(T * SECOND)}"
    assert "0901" not in str(verdict.evidence)


def test_who_ended_it_and_how_many_phones_rang_in_vain() -> None:
    storm = "\n".join(f"{second} .1 support Ann RINGNOANSWER 1000" for second in range(1, 500))
    log = f"0 .1 support NONE ENTERQUEUE |0901|1\n{storm}\n500 .1 support NONE ABANDON 1|1|500"
    [(call, verdict)] = judged(entries(log))
    assert "RINGNOANSWER 499 times" in verdict.evidence
    assert len(verdict.evidence) < 5
    log = SCENARIOS["thrown out, then served elsewhere"][0]
    [(call, verdict)] = judged(entries(log))
    assert call.hangup_by == "agent"


def test_a_beginning_that_is_not_in_the_log_is_reckoned_from_its_end() -> None:
    (abandoned, _), (served, _) = judged(entries(SCENARIOS["began before the log"][0]))
    assert (abandoned.visits[0].joined_at, abandoned.complete) == ((T - 11) * SECOND, False)
    assert served.visits[0].joined_at == (T - 24) * SECOND
    assert served.visits[0].connected_at == (T - 21) * SECOND


def test_calls_come_out_when_they_are_over_and_nothing_more_was_written_of_them() -> None:
    calls = LogCalls("main", quiet_s=QUIET_S)
    log = SCENARIOS["thrown out by time-out, and nothing follows"][0]
    assert list(calls.judged(entries(log))) == []
    steps = [f"{10 + second} .2 support NONE ENTERQUEUE |0902|1" for second in range(0, QUIET_S, 30)]
    assert list(calls.judged(entries("\n".join(steps)))) == []
    [(call, _)] = calls.judged(entries(f"{10 + QUIET_S} .2 support Ann RINGNOANSWER 1000"))
    assert call.call_id == f"{T}.1"


def test_where_the_log_ends_it_is_said_that_he_may_have_gone_on() -> None:
    for name, doubt in (("thrown out by time-out, and nothing follows", True), ("gives up", False)):
        [(_, verdict)] = judged(entries(SCENARIOS[name][0]))
        assert any("may have gone on" in line for line in verdict.evidence) is doubt


def test_who_has_not_ended_is_not_given_out_but_can_be_asked_for() -> None:
    calls = LogCalls("main")
    log = "0 .1 support NONE ENTERQUEUE |0901|1\n1 .2 support NONE ENTERQUEUE |0902|2\n5 .2 support Ann CONNECT 4|x.3|1"
    assert [*calls.judged(entries(log)), *calls.finish()] == []
    assert [(call.number, judge(call).kind) for call in calls.unfinished] == [
        ("0901", "unfinished"),
        ("0902", "unfinished"),
    ]


def test_a_restart_that_the_log_does_not_tell_yet() -> None:
    log = "0 .1 support NONE ENTERQUEUE |0901|1\n40 .2 support NONE ENTERQUEUE |0902|2"
    assert told(entries(log), restarted_at=(T + 30) * SECOND) == [(".1", "0901", "support", "blocked", "pbx-restarted")]


def test_a_call_without_an_end_is_given_up_in_the_end() -> None:
    log = f"0 .1 support NONE ENTERQUEUE |0901|1\n{AGE_LIMIT_S + 700} .2 support NONE ENTERQUEUE |0902|1\n"
    log += "\n".join(f"{AGE_LIMIT_S + 1400 + second} .2 support Ann RINGNOANSWER 1000" for second in range(20))
    calls = LogCalls("main")
    [(call, verdict)] = calls.judged(entries(log))
    assert (call.number, verdict.kind, verdict.reason, verdict.rank) == ("0901", "unknown", "hangup-missing", 0)


def test_memory_is_bounded_by_so_many_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telephony.queue_log.calls.MOST_CALLS", 10)
    log = "\n".join(f"{number} .{number} support NONE ENTERQUEUE |0901|1" for number in range(30))
    calls = LogCalls("main")
    found = [verdict.kind for _, verdict in calls.judged(entries(log))]
    assert (found, len(calls.unfinished)) == (["unknown"] * 20, 10)


def test_where_there_is_no_more_room_those_who_have_ended_are_given_out_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telephony.queue_log.calls.MOST_CALLS", 10)
    gave_up = "{0} .{1} support NONE ENTERQUEUE |0901|1\n{0} .{1} support NONE ABANDON 1|1|0"
    for each in (1, 0):  # a second for each call, or all in one
        waits = "0 .99 support NONE ENTERQUEUE |0999|1"
        log = "\n".join([waits if each else "", *(gave_up.format(number * each, number) for number in range(30))])
        calls = LogCalls("main")
        found = [verdict.kind for _, verdict in calls.judged(entries(log))]
        assert (set(found), len(found) >= 20) == ({"abandoned"}, True)
        assert len(calls.unfinished) == each


def test_a_call_that_goes_round_and_round() -> None:
    visit = "{0} .1 support NONE ENTERQUEUE |0901|1\n{1} .1 support NONE EXITWITHTIMEOUT 1|1|5"
    log = "\n".join(visit.format(turn * 5, turn * 5 + 5) for turn in range(1000))
    [(call, verdict)] = judged(entries(log))
    assert (verdict.reason, len(call.visits), call.complete) == ("queue-time-out", 100, False)
    assert len(verdict.evidence) < 50


def test_a_forged_time_does_not_move_the_clock() -> None:
    log = [
        "0 .1 support NONE ENTERQUEUE |0901|1",
        *(f"99999999 .{number} support NONE ENTERQUEUE |0999|1" for number in range(100, 104)),
        "4 .1 support NONE EXITWITHTIMEOUT 1|1|4",
        "20 .1 support NONE ENTERQUEUE |0901|1",
        "21 .2 support NONE ENTERQUEUE |0902|1",
        "30 .1 support NONE ABANDON 1|1|10",
    ]
    assert told("\n".join(log)) == [(".1", "0901", "support", "abandoned", WAITING)]


def test_after_a_quiet_night_time_goes_on() -> None:
    morning = "\n".join(f"{40_000 + number} .2 support Ann RINGNOANSWER 1000" for number in range(20))
    log = f"{SCENARIOS['gives up'][0]}\n40000 .2 support NONE ENTERQUEUE |0902|1\n{morning}"
    assert [call.number for call, _ in LogCalls("main", quiet_s=QUIET_S).judged(entries(log))] == ["0901"]


def test_a_clock_that_is_set_back() -> None:
    log = (
        SCENARIOS["gives up"][0]
        + "\n"
        + "\n".join(
            f"{-3600 + number * 10} .2 support Ann {'RINGNOANSWER 1000' if number else 'CONNECT 1|x.1|1'}"
            for number in range(500)
        )
    )
    assert [call.number for call, _ in LogCalls("main", quiet_s=QUIET_S).judged(entries(log))] == ["0901"]


@pytest.mark.parametrize("at", [0, T * SECOND, T * SECOND + 1, (T + 3599) * SECOND, 4_102_444_799 * SECOND])
def test_stamps_are_those_of_live_evidence(at: int) -> None:
    assert stamp(at) == moment(at)


# Recorded logs


def recorded(version: str) -> list[tuple[Call, Verdict]]:
    return list(calls_between(LogFiles(RECORDED / version / "queue_log"), 0, EVER, pbx="main").calls)


def lost(number: str, reason: str | None = WAITING, kind: str = "abandoned", queue: str = "support") -> Told:
    return (number, number, queue, kind, reason)


def test_the_log_beside_the_lost_connection() -> None:
    told_ = calls_between(LogFiles(STREAMS / "13a.queue_log"), (T + 706) * SECOND, EVER, pbx="main")
    assert [(call.number, verdict.kind, verdict.waited_s) for call, verdict in told_.calls] == [
        ("09000000002", "abandoned", 2),
        ("09000000004", "abandoned", 1),
        ("09000000003", "abandoned", 3),
        ("09000000001", "served", 1),
    ]
    assert not told_.why_not


EXPECTED = [
    ("09011110001", "support", "served", None),
    ("09011110002", "support", "served", None),
    ("09011110003", "storm", "blocked", "queue-time-out"),
    ("09011110004", "storm", "abandoned", None),
    ("09011110005", "keyed", "requested", "digit-in-queue"),
    ("09011110006", "keyed", "unknown", "left-by-key"),
    ("09011110007", "keyed", "abandoned", None),
    (None, "full", "blocked", "queue-full"),
    ("09011110008", "full", "abandoned", None),
    (None, "strict", "blocked", "join-empty"),
    ("09011110011", "leave", "blocked", "queue-left-empty"),
    ("09011110012", "sales", "served", None),
    ("09011110013", "storm", "abandoned", None),
    ("09011110014", "sales", "served", None),
    ("09011110015", "storm", "abandoned", None),
    (None, "keyed", "abandoned", None),  # a line feed in his number
    (None, "keyed", "abandoned", None),  # a bar in his number
    (None, "keyed", "abandoned", None),  # a line feed again
    ("09011119999", "keyed", "abandoned", None),
    ("09011110016", "support", "served", None),
    (None, "support", "callback", None),
    ("09011110017", "support", "dropped", "pbx-restarted"),
    ("09011110018", "storm", "blocked", "pbx-restarted"),
    ("09011110019", "support", "served", None),
    ("09011110020", "support", "served", None),  # the PBX was stopped in order, and wrote that the caller hung up
    ("09011110021", "storm", "abandoned", None),  # likewise
]


@pytest.mark.parametrize("version", ["16", "22"])
def test_recorded_logs_give_the_calls_that_were_made(version: str) -> None:
    found = [
        (call.number, call.queue, verdict.kind, None if verdict.kind == "abandoned" else verdict.reason)
        for call, verdict in recorded(version)
    ]
    assert found == EXPECTED


@pytest.mark.parametrize("version", ["16", "22"])
def test_where_both_can_know_log_and_stream_agree(version: str) -> None:
    live = {call.call_id: verdict for call, verdict in calls_of(RECORDED / version / "stream.ami.gz")}
    both = [(verdict, live[call.call_id]) for call, verdict in recorded(version) if call.call_id in live]
    heard = [(by_log, heard) for by_log, heard in both if heard.kind not in {"unknown", "unfinished"}]
    assert len(heard) >= 15
    for by_log, by_stream in heard:
        assert (by_log.kind, by_log.reason) == (by_stream.kind, by_stream.reason)
        assert by_log.waited_s == pytest.approx(by_stream.waited_s, abs=2)
        assert by_log.talked_s == pytest.approx(by_stream.talked_s, abs=2)
        assert by_log.rank < by_stream.rank


def test_calls_are_made_as_their_constructor_makes_them() -> None:
    for call, _ in recorded("22"):
        again = replace(call)
        assert again == call
        assert [type(value) for value in astuple(again)] == [type(value) for value in astuple(call)]


@pytest.mark.parametrize("version", ["16", "22"])
def test_a_verdict_is_what_the_table_says(version: str) -> None:
    for call, verdict in [*recorded(version), *(one for log, _ in SCENARIOS.values() for one in judged(entries(log)))]:
        by_table = judge(call)
        assert (verdict.kind, verdict.reason, verdict.side) == (by_table.kind, by_table.reason, by_table.side)
        assert (verdict.waited_s, verdict.talked_s) == (by_table.waited_s, by_table.talked_s)
        assert (verdict.because, verdict.evidence) == (by_table.because, by_table.evidence)


# Rules

EVENTS = [
    "ENTERQUEUE",
    "CONNECT",
    "ABANDON",
    "COMPLETEAGENT",
    "BLINDTRANSFER",
    "EXITWITHTIMEOUT",
    "EXITWITHKEY",
    "FULL",
]
EVENTS += ["RINGNOANSWER", "RINGCANCELED", "QUEUESTART", "DID", "SYSCOMPAT", "WHATEVER"]
EVENTS += ["ATTENDEDTRANSFER", "CLOSED", "DIVERT_HOLDTIME", "LEAVEEMPTY", "EXITEMPTY"]
ANY = st.builds(
    Entry,
    at=st.integers(0, 400).map(lambda second: (T + second) * SECOND),
    call_id=st.sampled_from([f"{T}.1", f"{T}.2", "lcr-7-2", "NONE", "x"]),
    queue=st.sampled_from(["support", "sales", None]),
    agent=st.sampled_from(["Ann", "SIP/0901", None]),
    event=st.sampled_from(EVENTS),
    data=st.lists(st.sampled_from(["1", "0901", "", "x", "99999999999"]), max_size=5).map(tuple),
)


@given(st.lists(ANY, max_size=40))
def test_no_log_raises_and_every_call_comes_out_once(log: list[Entry]) -> None:
    calls = LogCalls("main", quiet_s=10_000)
    found = [call.call_id for call, _ in [*calls.judged(log), *calls.finish()]]
    assert len(found) == len(set(found))
    assert not {call.call_id for call in calls.unfinished} & set(found)
    assert calls.unfinished == () or all(not call.complete or call.ended_at is None for call in calls.unfinished)
