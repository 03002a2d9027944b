"""The calls in a queue_log in brief: the same calls by the same table, without evidence; made for millions. Pure."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from telephony.call import Ending, Kind, Verdict
from telephony.ids import attempt_of
from telephony.queue_log.calls import MOST_SHAPES, Ends
from telephony.queue_log.entries import Entry
from telephony.queue_log.logins import Logins
from telephony.queue_log.visits import NEAR, Draft
from telephony.verdict import judge

_SHAPES: Final = MOST_SHAPES


class Brief(NamedTuple):
    """One call: whose, in which queue at last, how it went. Instants and durations in µs.

    `began_at` is when he came to his first queue, `waited` and `talked` add up all of them. `agent` and `talked_at`
    are those of the last talk.
    """

    pbx: str
    call_id: str
    number: str | None
    queue: str
    kind: Kind
    reason: str | None
    began_at: int
    over_at: int
    waited: int
    talked: int
    agent: str | None
    talked_at: int | None


class LogBriefs(Ends[Brief]):
    """Gives each call of one PBX's log in brief when it is over, in that order."""

    def __init__(self, pbx: str) -> None:
        super().__init__(pbx)
        self.logins = Logins()
        self._verdicts: dict[tuple[object, ...], Verdict] = {}

    def unfinished(self) -> Iterator[Brief]:
        """Give the calls that had not ended where the log did: they may be alive."""
        return (self._give(draft, "capture-ended") for draft in self._alive())

    def _placed(self, call_id: str) -> bool:
        """Leave out our own callbacks alone: in a log that somebody made nameless, no id has Asterisk's form."""
        return call_id.startswith("lcr-") and attempt_of(call_id) is not None

    def _aside(self, entry: Entry) -> None:
        self.logins.put(entry)

    def _give(self, draft: Draft, ending: Ending, ended_at: int | None = None) -> Brief:
        """Give a call in brief; what a verdict can depend on is looked up, and only what is new is judged."""
        visits, until = draft.visits, draft.last_at
        if len(visits) > 1:
            visits.sort(key=lambda visit: visit.joined_at)
        last = visits[-1]
        over_at = until if ended_at is None else ended_at
        if draft.restart_at is not None:
            over_at = draft.restart_at
        waited, talked, whole = 0, 0, not draft.forgot
        agent = talked_at = None
        for visit in visits:
            ends_at = until if visit.ended_at is None else visit.ended_at
            if visit.connected_at is None:
                waited += max(0, ends_at - visit.joined_at)
            else:
                waited += max(0, visit.connected_at - visit.joined_at)
                talked += max(0, ends_at - visit.connected_at)
                agent, talked_at = visit.agent, visit.connected_at
            whole = whole and visit.joined
        left_at, cancelled_at = last.ended_at, last.cancelled_at
        rang = left_at is not None and cancelled_at is not None and abs(left_at - cancelled_at) <= NEAR
        shape = (
            ending,
            last.end,
            last.key,
            rang,
            last.handed_on,
            last.ended_by,
            last.connected_at is None,
            left_at is None,
            whole,
            self._placed(draft.call_id),
        )
        verdict = self._verdicts.get(shape)
        if verdict is None:
            verdict = judge(self._call(draft, ending, ended_at))
            if len(self._verdicts) < _SHAPES:
                self._verdicts[shape] = verdict
        return Brief(
            self.pbx,
            draft.call_id,
            draft.number,
            last.queue or "",
            verdict.kind,
            verdict.reason,
            visits[0].joined_at,
            over_at,
            waited,
            talked,
            agent,
            talked_at,
        )
