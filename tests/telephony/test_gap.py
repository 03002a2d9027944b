"""What came and went while nobody listened is told once, by whoever knows it best."""

from dataclasses import replace

from telephony import gap
from telephony.call import Call, Kind, QueueVisit, Source, Verdict
from telephony.ids import SECOND

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
    [(found, verdict)] = gap.explained(
        [(seen, judged("unknown", "live-partial"))], [(call(1), judged("abandoned", "log"))], ()
    )
    assert verdict.kind == "abandoned"
    assert (found.channel, found.did, found.number) == ("PJSIP/trunk-1", "500", "+81901")


def test_what_was_seen_better_stands() -> None:
    seen = (call(1), judged("blocked", "live-partial"))
    assert gap.explained([seen], [(call(1), judged("abandoned", "log"))], ()) == [seen]


def test_calls_that_came_and_went_are_added_and_those_that_go_on_are_left_alone() -> None:
    told = [(call(number), judged("abandoned", "log")) for number in (1, 2)]
    assert gap.explained([], told, {f"{T}.2"}) == told[:1]


def test_without_a_log_it_is_said_what_is_missing() -> None:
    told = gap.ask(None, 0, 1)
    assert told.calls == ()
    assert "queue_log" in told.why_not


def test_the_log_is_read_from_a_little_before_the_gap() -> None:
    asked: list[tuple[int, int]] = []

    def log(since: int, until: int) -> gap.Told:
        asked.append((since, until))
        return gap.Told(())

    gap.ask(log, 100 * SECOND, 200 * SECOND)
    assert asked == [(40 * SECOND, 200 * SECOND)]
