"""How a call went: one table, read from the top down; the first line that holds is the verdict.

A call is judged by its last unfinished business: an answered call that was handed on to another queue and
given up there is abandoned; one that was thrown out of a queue and then answered elsewhere is served.

What the PBX said and we did not hear makes `unknown` with a reason, not another kind:
- the HangupRequest or QUEUESTATUS of one who left a queue unserved: `left-unserved`. He is lost for certain,
  but gave up or was thrown out. Where the manager user may not read the class `dialplan`, every time-out is
  this;
- AgentConnect and AgentComplete, or Abandon, or the key that was pressed: `left-queue-unexplained`;
- all that Queue said: `queue-result-missing`;
- the HangupRequest, or the forced end, of an answered call: `end-unexplained`;
- Hangup: the call stays open until a snapshot misses it (`ended-unseen`) or it is too old (`hangup-missing`).

What cannot be noticed: a call of which no queue event was heard at all (no verdict); a later queue visit of
which none was heard (the one before it is judged); a HangupRequest lost beside an abnormal cause (the kind
holds, its side is said to be the system); an agent's cause behind a Local member when his channel's
HangupRequest and Hangup are both lost (served).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from telephony.call import LEFT_UNSERVED, Call, Kind, Side, Source, Verdict, VisitEnd
from telephony.ids import SECOND

Holds = Callable[[Call], bool]

RESERVING_KEY: Final = "1"
"""The key in the queue that asks for a callback; others lead elsewhere."""
BREAKER: Final = "whoever broke it off"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table."""

    condition: str
    holds: Holds
    kind: Kind
    reason: str | None = None
    side: Side | Literal["whoever broke it off"] | None = None


def _talked(call: Call) -> bool:
    """Tell whether somebody talked with him in, or after, the last queue that he came to."""
    return call.talked_at is not None


def _talk(condition: Holds) -> Holds:
    return lambda call: _talked(call) and condition(call)


def _ended_with(*causes: int) -> Holds:
    """Hold where the talk ended with one of these Q.850 causes, on any of the call's channels."""
    return _talk(lambda call: not call.causes.isdisjoint(causes))


def _left(end: VisitEnd, condition: Holds = lambda _: True) -> Holds:
    """Hold where the last queue visit ended so, and nobody talked with him afterwards."""
    return lambda call: not _talked(call) and call.last is not None and call.last.end == end and condition(call)


def _ended(*endings: str) -> Holds:
    return lambda call: call.ending in endings


def _restarted(condition: Holds) -> Holds:
    return lambda call: call.ending == "pbx-restarted" and condition(call)


def _explained(call: Call) -> bool:
    return call.hangup_by is not None or call.went_on


def _talking(call: Call) -> bool:
    return call.talking


def _cut(call: Call) -> bool:
    return call.cut


def _mute(call: Call) -> bool:
    return call.media_lost


def _handed_on(call: Call) -> bool:
    return call.last is not None and call.last.handed_on


def _rang(call: Call) -> bool:
    return call.last is not None and call.last.ringing


def _asked(call: Call) -> bool:
    return call.last is not None and call.last.key == RESERVING_KEY


TABLE: Final = (
    Row("a program placed the call", lambda call: call.placed, "callback"),
    Row("the capture ended before the call", _ended("capture-ended"), "unfinished", "capture-ended"),
    # He hung up in the queue: that stays true however the call was lost sight of.
    Row("hung up while a phone rang", _left("abandoned", _rang), "abandoned", "gave-up-while-ringing"),
    Row("hung up while waiting", _left("abandoned"), "abandoned", "gave-up-waiting"),
    # The end was not seen.
    Row("the PBX restarted in the talk", _restarted(_talking), "dropped", "pbx-restarted", "system"),
    Row("the PBX restarted in the wait", _restarted(_left("waiting")), "blocked", "pbx-restarted", "system"),
    Row("it ended while nobody listened", _ended("ended-unseen", "pbx-restarted"), "unknown", "ended-unseen"),
    Row("its Hangup never came", _ended("overdue"), "unknown", "hangup-missing"),
    # Somebody talked with him.
    Row("the agent handed him on, outside the queues", _talk(_handed_on), "served"),
    Row("no sound came any more (44)", _ended_with(44), "dropped", "media-time-out", BREAKER),
    Row("a phone no longer answered (18)", _ended_with(18), "dropped", "phone-gone", BREAKER),
    Row("the line failed (19, 34, 38, 41)", _ended_with(19, 34, 38, 41), "dropped", "line-failed", BREAKER),
    Row("a program or operator cut them off", _talk(_cut), "dropped", "cut-off", "system"),
    Row("one of them hung up", _talk(_explained), "served"),
    Row("nobody was seen to end the talk", _talked, "unknown", "end-unexplained"),
    # Nobody did.
    Row("threw him out: time-out", _left("timed-out"), "blocked", "queue-time-out"),
    Row("threw him out: no agent left", _left("left-empty"), "blocked", "queue-left-empty"),
    Row("threw him out: withdrawn by a program", _left("withdrawn"), "blocked", "queue-withdrawn"),
    Row("refused him: queue full", _left("full"), "blocked", "queue-full"),
    Row("refused him: no agent there", _left("join-empty"), "blocked", "join-empty"),
    Row("refused him: no such queue", _left("no-queue"), "blocked", "no-such-queue"),
    Row("pressed the key for a callback", _left("key", _asked), "requested", "digit-in-queue"),
    Row("pressed another key", _left("key"), "unknown", "left-by-key"),
    Row("no sound while waiting (44)", _left("unserved", _mute), "blocked", "media-time-out", BREAKER),
    Row("cut off while waiting", _left("unserved", _cut), "blocked", "cut-off", "system"),
    Row("left unserved, nobody said how", _left("unserved"), "unknown", LEFT_UNSERVED),
    Row("left the queue, nobody said how", _left("left"), "unknown", "left-queue-unexplained"),
    Row("nobody said what came of it", lambda _: True, "unknown", "queue-result-missing"),
)  # fmt: skip


def judge(call: Call) -> Verdict:
    """Give the verdict on a call, with the line that held. Every call gets one."""
    row = next(row for row in TABLE if row.holds(call))
    return Verdict(
        row.kind,
        row.reason,
        call.hangup_by if row.side == BREAKER else row.side,
        _seconds(sum(visit.waited(call.seen_until) for visit in call.visits)),
        _seconds(_talk_of(call)),
        call.evidence,
        _source(call, row.kind),
        row.condition,
    )


def _source(call: Call, kind: Kind) -> Source:
    return "live-complete" if call.complete and kind not in {"unknown", "unfinished"} else "live-partial"


def _talk_of(call: Call) -> int:
    """Give all talk, µs; with whom he was joined outside any queue counts until the end."""
    talked = sum(visit.talked(call.seen_until) for visit in call.visits)
    if call.last is None or call.last.connected_at is not None or call.talked_at is None:
        return talked
    return talked + max(0, (call.ended_at or call.seen_until) - call.talked_at)


def _seconds(micros: int) -> float:
    return round(micros / SECOND, 3)
