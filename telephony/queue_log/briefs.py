"""The calls in a queue_log in brief: the same calls by the same table, without evidence; made for millions. Pure."""

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from telephony.calls.call import Ending, Kind
from telephony.ids import attempt_of
from telephony.queue_log.calls import LogReader
from telephony.queue_log.entries import Entry
from telephony.queue_log.logins import Logins
from telephony.queue_log.visits import PendingCall


class Brief(NamedTuple):
    """One call: its number, its last queue, its verdict. Instants and durations in µs.

    `began_at` is when the caller reached the first queue, `waited` and `talked` are sums. `agent` and `talked_at`
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


_made: Final[Callable[[type[Brief], tuple[Any, ...]], Brief]] = tuple.__new__  # in half the time of Brief(…)


class LogBriefs(LogReader[Brief]):
    """Gives each call of one PBX's log in brief when it is over, in that order."""

    def __init__(self, pbx: str) -> None:
        super().__init__(pbx)
        self.logins = Logins()

    def unfinished(self) -> Iterator[Brief]:
        """Give the calls that had not ended where the log did: they may be alive."""
        return (self._give(pending, "capture-ended") for pending in self._alive())

    def _placed(self, call_id: str) -> bool:
        """Leave out only our own callbacks: in an anonymised log no id has Asterisk's form."""
        return call_id.startswith("lcr-") and attempt_of(call_id) is not None

    def _aside(self, entry: Entry) -> None:
        super()._aside(entry)
        self.logins.put(entry)

    def _give(self, pending: PendingCall, ending: Ending, ended_at: int | None = None) -> Brief:
        """Give a call in brief."""
        waited, talked = pending.settle()
        visits = pending.visits
        last_talk = visits[-1]
        if last_talk.connected_at is None and len(visits) > 1:
            last_talk = next((visit for visit in reversed(visits) if visit.connected_at is not None), last_talk)
        verdict = self._verdict_like(pending, ending, ended_at)
        over_at = pending.last_at if ended_at is None else ended_at
        if pending.restart_at is not None:
            over_at = pending.restart_at
        began_at, queue = visits[0].joined_at, visits[-1].queue or ""
        call = self.pbx, pending.call_id, pending.number, queue, verdict.kind, verdict.reason
        return _made(Brief, (*call, began_at, over_at, waited, talked, last_talk.agent, last_talk.connected_at))
