"""The verdict on a call: one table, read from the top down; the first row that holds is the verdict.

A call is judged by its last unfinished business: an answered call that was handed on to another queue and given up
there is abandoned, and so is one that was put through to a colleague who never answered; one that was thrown out of a
queue and then answered elsewhere is served.

An event that is lost makes `unknown` with a reason, not another kind:
- the HangupRequest or QUEUESTATUS of a caller who left a queue unserved, or never reached one: `left-unserved`. The
  caller is lost for certain, but may have given up or been removed. If the manager user may not read the class
  `dialplan`, every time-out is this, and every call that the dialplan ends before any queue;
- AgentConnect and AgentComplete, or Abandon, or the key that was pressed: `left-queue-unexplained`;
- all that Queue said: `queue-result-missing`; so too, before any queue, where events are known to be lost;
- the HangupRequest, or the forced end, of an answered call: `end-unexplained`;
- Hangup: the call stays open until a snapshot misses it (`ended-unseen`) or it is too old (`hangup-missing`).

What cannot be noticed:
- a call of which no queue event was heard at all: no verdict. If the trunks are known, and no bridge with the caller
  was heard of either, the call comes out as lost before any queue. If no event of a later queue visit was heard, the
  visit before it is judged;
- a HangupRequest lost beside an abnormal cause: the kind holds and its side is said to be the system; before any
  queue, blocked instead of abandoned;
- an agent's cause behind a Local member when that channel's HangupRequest and Hangup are both lost: served;
- what was told of the voice, or that the class `reporting` may not be read: a silent call, or one whose agent's phone
  died, then looks like any that somebody ended: served. All that the detector told of one side, and not that it was
  on: silent. What the voice itself does not tell stands with it, in media.py;
- that the agent transferred the caller (AgentComplete, and the agent's own Hangup), that a phone rang for it, or all
  events of the parking lot or conference in which the caller was left: served;
- what our dialplan said (class `user`): the loss that it was, or served, without the reason and the wish.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from telephony.calls.call import LEFT_UNSERVED, NOT_KNOWN, Call, Kind, Side, Source, Verdict, VisitEnd
from telephony.ids import SECOND

Holds = Callable[[Call], bool]

RESERVING_KEY: Final = "1"
"""The key in the queue that asks for a callback; others lead elsewhere."""
BREAKER: Final = "who broke it off"
MUTE: Final = "who was mute"


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """A row of the table."""

    condition: str
    holds: Holds
    kind: Kind
    reason: str | None = None
    side: Side | Literal["who broke it off", "who was mute"] | None = None


def _talked(call: Call) -> bool:
    """Tell whether somebody talked with the caller in the last queue, or after it."""
    return call.talked_at is not None


def _talk(condition: Holds) -> Holds:
    return lambda call: _talked(call) and condition(call)


def _ended_with(*causes: int) -> Holds:
    """Hold where the talk ended with one of these Q.850 causes, on any of the call's channels."""
    return _talk(lambda call: not call.causes.isdisjoint(causes))


def _left(*ends: VisitEnd, when: Holds = lambda _: True) -> Holds:
    """Hold where the last queue visit ended so, and nobody talked with the caller afterwards."""
    return lambda call: not _talked(call) and call.last is not None and call.last.end in ends and when(call)


def _before(condition: Holds) -> Holds:
    """Hold where the call reached no queue, and nobody talked with the caller; not if events are known to be lost."""
    return lambda call: _came_nowhere(call) and call.complete and condition(call)


def _unanswered(condition: Holds) -> Holds:
    """Hold where the caller was transferred or parked, and nobody answered."""
    return lambda call: call.onward in {"rung", "left"} and condition(call)


def _asked(condition: Holds) -> Holds:
    return lambda call: call.asked and condition(call)


def _ended(*endings: str) -> Holds:
    return lambda call: call.ending in endings


def _restarted(condition: Holds) -> Holds:
    return lambda call: call.ending == "pbx-restarted" and condition(call)


def _refused(*causes: int, when: Holds = lambda _: True) -> Holds:
    """Hold where the PBX refused the call with one of these causes; if none is named, with any."""
    return lambda call: call.refused_with is not None and (not causes or call.refused_with in causes) and when(call)


def _said(reason: str) -> Holds:
    return _talk(lambda call: call.said == reason)


def _mute(why: str) -> Holds:
    return lambda call: call.mute is not None and call.mute.why == why


def _explained(call: Call) -> bool:
    return call.hangup_by is not None or call.went_on


def _talking(call: Call) -> bool:
    return call.talking


def _came_nowhere(call: Call) -> bool:
    return not _talked(call) and call.last is None


def _cut(call: Call) -> bool:
    return call.cut


def _no_sound(call: Call) -> bool:
    return call.media_lost


def _stalled(call: Call) -> bool:
    return call.stalled


def _closed(call: Call) -> bool:
    return call.closed


def _gave_up(call: Call) -> bool:
    return call.gave_up


def _turned_away(call: Call) -> bool:
    return call.turned_away


def _let_go(call: Call) -> bool:
    return call.turned_away or call.refused_with is not None


def _unstepped(call: Call) -> bool:
    return call.stepped is False


def _handed_on(call: Call) -> bool:
    return call.last is not None and call.last.handed_on and call.onward is None


def _rang(call: Call) -> bool:
    return call.last is not None and call.last.ringing


def _reserves(call: Call) -> bool:
    return call.last is not None and call.last.key == RESERVING_KEY


TABLE: Final = (
    VerdictRow("a program placed the call", lambda call: call.placed, "callback"),
    VerdictRow("the capture ended before the call", _ended("capture-ended"), "unfinished", "capture-ended"),
    # The caller hung up in the queue, or asked for a callback: that stays true even if the end was not seen.
    VerdictRow("hung up while a phone rang", _left("abandoned", when=_rang), "abandoned", "gave-up-while-ringing"),
    VerdictRow("hung up while waiting", _left("abandoned"), "abandoned", "gave-up-waiting"),
    VerdictRow("asked by a key in the queue", _asked(_left("key", "left")), "requested", "digit-in-queue"),
    VerdictRow("asked when the queue timed out", _asked(_left("timed-out")), "requested", "asked-after-time-out"),
    VerdictRow("asked when no agent was left", _asked(_left("left-empty")), "requested", "asked-after-left-empty"),
    VerdictRow("asked when the queue was full", _asked(_left("full")), "requested", "asked-after-full"),
    VerdictRow("asked when no agent was there", _asked(_left("join-empty")), "requested", "asked-after-join-empty"),
    VerdictRow("asked when the site was closed", _asked(_closed), "requested", "asked-when-closed"),
    VerdictRow("asked at another time", lambda call: call.asked, "requested", "asked"),
    # The end was not seen.
    VerdictRow("the PBX restarted in the talk", _restarted(_talking), "dropped", "pbx-restarted", "system"),
    VerdictRow("the PBX restarted in the wait", _restarted(_left("waiting")), "blocked", "pbx-restarted", "system"),
    VerdictRow("the PBX restarted before any queue", _restarted(_came_nowhere), "blocked", "pbx-restarted", "system"),
    VerdictRow("it ended while nobody listened", _ended("ended-unseen", "pbx-restarted"), "unknown", "ended-unseen"),
    VerdictRow("its Hangup never came", _ended("overdue"), "unknown", "hangup-missing"),
    # Somebody talked with the caller.
    VerdictRow("transferred, hung up unanswered", _unanswered(_gave_up), "abandoned", "gave-up-after-transfer"),
    VerdictRow("transferred, nobody answered", _unanswered(_let_go), "blocked", "transfer-unanswered"),
    VerdictRow("transferred, nobody said how it ended", _unanswered(_ended("hangup")), "unknown", LEFT_UNSERVED),
    VerdictRow("the agent said: in the verification", _said("verification"), "dropped", "verification", BREAKER),
    VerdictRow("the agent said: the agent's mistake", _said("agents-mistake"), "dropped", "agents-mistake", "agent"),
    VerdictRow("the agent said: after a wrong answer", _said("wrong-answer"), "dropped", "wrong-answer", BREAKER),
    VerdictRow("the agent transferred the caller, outside the queues", _talk(_handed_on), "served"),
    VerdictRow("no sound came any more (44)", _ended_with(44), "dropped", "media-time-out", BREAKER),
    VerdictRow("a phone no longer answered (18)", _ended_with(18), "dropped", "phone-gone", BREAKER),
    VerdictRow("the line failed (19, 34, 38, 41)", _ended_with(19, 34, 38, 41), "dropped", "line-failed", BREAKER),
    VerdictRow("a program or operator cut them off", _talk(_cut), "dropped", "cut-off", "system"),
    VerdictRow("the agent's phone had died, the caller hung up", _talk(_stalled), "dropped", "media-stalled", "agent"),
    VerdictRow("one side sent no packet", _talk(_mute("no-media")), "silent", "no-media", MUTE),
    VerdictRow("one side sent no sound", _talk(_mute("no-sound")), "silent", "no-sound", MUTE),
    VerdictRow("one of them hung up", _talk(_explained), "served"),
    VerdictRow("nobody was seen to end the talk", _talked, "unknown", "end-unexplained"),
    # Nobody did; the call had reached a queue.
    VerdictRow("removed: time-out", _left("timed-out"), "blocked", "queue-time-out"),
    VerdictRow("removed: no agent left", _left("left-empty"), "blocked", "queue-left-empty"),
    VerdictRow("removed: withdrawn by a program", _left("withdrawn"), "blocked", "queue-withdrawn"),
    VerdictRow("refused: queue full", _left("full"), "blocked", "queue-full"),
    VerdictRow("refused: no agent there", _left("join-empty"), "blocked", "join-empty"),
    VerdictRow("refused: no such queue", _left("no-queue"), "blocked", "no-such-queue"),
    VerdictRow("refused: queue closed", _left("closed"), "blocked", "closed"),
    VerdictRow("refused: too many wait", _left("diverted"), "blocked", "queue-diverted"),
    VerdictRow("pressed the key for a callback", _left("key", when=_reserves), "requested", "digit-in-queue"),
    VerdictRow("pressed another key", _left("key"), "unknown", "left-by-key"),
    VerdictRow("no sound while waiting (44)", _left("unserved", when=_no_sound), "blocked", "media-time-out", BREAKER),
    VerdictRow("cut off while waiting", _left("unserved", when=_cut), "blocked", "cut-off", "system"),
    VerdictRow("left unserved, nobody said how", _left("unserved"), "unknown", LEFT_UNSERVED),
    VerdictRow("left the queue, nobody said how", _left("left"), "unknown", "left-queue-unexplained"),
    # Nobody did, and the call reached no queue.
    VerdictRow("the site was closed", _before(_closed), "blocked", "closed"),
    VerdictRow("no sound before any queue (44)", _before(_no_sound), "blocked", "media-time-out", BREAKER),
    VerdictRow("cut off before any queue", _before(_cut), "blocked", "cut-off", "system"),
    VerdictRow("the PBX took no more calls", _before(_refused(42, when=_unstepped)), "blocked", "maxcalls"),
    VerdictRow("no more channels (42)", _before(_refused(42)), "blocked", "channel-limit"),
    VerdictRow("congestion (34)", _before(_refused(34)), "blocked", "congestion"),
    VerdictRow("busy (17)", _before(_refused(17)), "blocked", "busy"),
    VerdictRow("turned away with another cause", _before(_refused()), "blocked", "hangup-{cause}"),
    VerdictRow("hung up before any queue", _before(_gave_up), "abandoned", "before-queue"),
    VerdictRow("the dialplan hung up", _before(_turned_away), "blocked", "turned-away"),
    VerdictRow("let go before any queue, nobody said how", _before(_ended("hangup")), "unknown", LEFT_UNSERVED),
    VerdictRow("nobody said what came of it", lambda _: True, "unknown", "queue-result-missing"),
)  # fmt: skip


def judge(call: Call) -> Verdict:
    """Give the verdict on a call, with the row that held. Every call gets one."""
    row = next(row for row in TABLE if row.holds(call))
    return Verdict(
        row.kind,
        row.reason and row.reason.format(cause=call.refused_with),
        _side(row, call),
        _seconds(_wait_of(call)),
        _seconds(_talk_of(call)),
        call.evidence,
        _source(call, row.kind),
        row.condition,
    )


def _side(row: VerdictRow, call: Call) -> Side | None:
    if row.side == BREAKER:
        return call.hangup_by
    if row.side == MUTE:
        return call.mute.side if call.mute else None
    return row.side


def _source(call: Call, kind: Kind) -> Source:
    return "live-complete" if call.complete and kind not in NOT_KNOWN else "live-partial"


def _wait_of(call: Call) -> int:
    """Give all waits, µs; a caller who gave up before any queue waited for the whole call."""
    if _came_nowhere(call) and call.gave_up:
        return max(0, (call.ended_at or call.seen_until) - call.started_at)
    return sum(visit.waited(call.seen_until) for visit in call.visits)


def _talk_of(call: Call) -> int:
    """Give all talk, µs; a talk outside the queues counts until the end."""
    talked = sum(visit.talked(call.seen_until) for visit in call.visits)
    in_queue = call.last is not None and call.last.connected_at is not None and call.onward != "met"
    if in_queue or call.talked_at is None:
        return talked
    return talked + max(0, (call.ended_at or call.seen_until) - call.talked_at)


def _seconds(micros: int) -> float:
    return round(micros / SECOND, 3)
