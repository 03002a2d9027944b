"""What came and went while nobody listened is told once, by whoever knows it best."""

from dataclasses import replace
from pathlib import Path

import pytest

from telephony.calls.call import Call, Kind, QueueVisit, Source, Verdict
from telephony.ids import SECOND
from telephony.listening import gap
from telephony.queue_log.between import open_log

T = 1_795_307_000


def call(line: int, **known: str) -> Call:
    began_at = T * SECOND
    visit = QueueVisit("support", began_at, None, None, began_at + 9 * SECOND, "abandoned")
    facts = Call(
        pbx="main",
        call_id=f"{T}.{line}",
        linkedid=f"{T}.{line}",
        channel="",
        number=f"090{line}",
        did=None,
        started_at=began_at,
        ended_at=began_at + 9 * SECOND,
        seen_until=began_at + 9 * SECOND,
        visits=(visit,),
    )
    return replace(facts, **known)  # type: ignore[arg-type]


def judged(kind: Kind, source: Source) -> Verdict:
    return Verdict(kind, None, None, 9, 0, (), source, "")


def test_the_log_explains_a_call_that_was_lost_sight_of_and_what_was_known_of_it_is_kept() -> None:
    seen = call(1, channel="PJSIP/trunk-1", did="500", number="+81901")
    [(found, verdict)] = gap.best_verdicts(
        [(seen, judged("unknown", "live-partial"))], [(call(1), judged("abandoned", "log"))], ()
    )
    assert verdict.kind == "abandoned"
    assert (found.channel, found.did, found.number) == ("PJSIP/trunk-1", "500", "+81901")


def test_what_was_seen_better_stands() -> None:
    seen = (call(1), judged("blocked", "live-partial"))
    assert gap.best_verdicts([seen], [(call(1), judged("abandoned", "log"))], ()) == [seen]


def test_calls_that_came_and_went_are_added_and_those_that_go_on_are_left_alone() -> None:
    told = [(call(number), judged("abandoned", "log")) for number in (1, 2)]
    assert gap.best_verdicts([], told, {f"{T}.2"}) == told[:1]


def test_without_a_log_it_is_said_what_is_missing() -> None:
    found, told = gap.look_back(None, "main", 100 * SECOND, 200 * SECOND)
    assert told == ()
    assert (found.since, found.until, found.calls) == (100 * SECOND, 200 * SECOND, 0)
    assert "queue_log" in found.why_not


def test_a_log_that_is_not_there_is_named(tmp_path: Path) -> None:
    found, told = gap.look_back(open_log(tmp_path / "queue_log"), "main", 100 * SECOND, 200 * SECOND)
    assert told == ()
    assert "queue_log" in found.why_not


def test_a_log_that_fails_is_a_gap_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("Input/output error")

    monkeypatch.setattr(gap, "calls_between", fail)
    found, told = gap.look_back(open_log(tmp_path / "queue_log"), "main", 100 * SECOND, 200 * SECOND)
    assert told == ()
    assert "Input/output error" in found.why_not


def test_the_log_tells_who_came_and_went(tmp_path: Path) -> None:
    lines = [f"{T}|NONE|NONE|NONE|QUEUESTART|", f"{T + 20}|{T + 20}.1|support|NONE|ENTERQUEUE||0901|1"]
    lines.append(f"{T + 29}|{T + 20}.1|support|NONE|ABANDON|1|1|9")
    (tmp_path / "queue_log").write_text("\n".join(lines) + "\n")
    found, told = gap.look_back(open_log(tmp_path / "queue_log"), "main", (T + 16) * SECOND, (T + 99) * SECOND)
    assert (found.calls, found.why_not) == (1, "")
    assert [(call.number, verdict.kind, verdict.source) for call, verdict in told] == [("0901", "abandoned", "log")]


def test_our_own_callbacks_are_no_callers(tmp_path: Path) -> None:
    """The PBX restarted in the middle of them; so it did in a look of the doctor's."""
    own = [f"{T + 20}|{one}|support|NONE|ENTERQUEUE|||1" for one in ("lcr-a-1", "lcr-doctor1-2", f"{T + 20}.1")]
    lines = [f"{T}|NONE|NONE|NONE|QUEUESTART|", *own, f"{T + 30}|NONE|NONE|NONE|QUEUESTART|"]
    (tmp_path / "queue_log").write_text("\n".join(lines) + "\n")
    times = ((T + 16) * SECOND, (T + 99) * SECOND)
    found, told = gap.look_back(open_log(tmp_path / "queue_log"), "main", *times, restarted=True)
    assert (len(told), found.calls) == (3, 1)


def test_lines_that_callers_wrote_are_counted(tmp_path: Path) -> None:
    forged = f"{T + 20}|{T + 20}.1|support|NONE|ENTERQUEUE||X\n{T + 20}|{T + 20}.9|support|NONE|ENTERQUEUE||0666|1"
    lines = [f"{T}|NONE|NONE|NONE|QUEUESTART|", forged, f"{T + 29}|{T + 20}.1|support|NONE|ABANDON|1|1|9"]
    (tmp_path / "queue_log").write_text("\n".join(lines) + "\n")
    times = ((T + 16) * SECOND, (T + 99) * SECOND)
    found, told = gap.look_back(open_log(tmp_path / "queue_log"), "main", *times)
    assert (found.calls, found.forged, [call.number for call, _ in told]) == (1, 1, [None])
