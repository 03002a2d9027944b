"""The calls in a queue_log at length: each with its verdict and the evidence for it. Pure."""

from collections.abc import Iterable, Iterator

from telephony.calls.call import Call, Ending, Judged, Verdict
from telephony.ids import SECOND
from telephony.queue_log.calls import AGE_LIMIT_S, MOST_CALLS, LogReader
from telephony.queue_log.entries import Entry
from telephony.queue_log.visits import PendingCall


class LogCalls(LogReader[Judged]):
    """Gives each call of one PBX's log with its verdict when it is over, in that order."""

    only_nobodys = True  # who is left out here is never called back

    def __init__(self, pbx: str, *, quiet_s: float = AGE_LIMIT_S) -> None:
        super().__init__(pbx, quiet_s=quiet_s)
        self._cut_at: dict[str, int] = {}

    def judged(self, entries: Iterable[Entry]) -> Iterator[Judged]:
        """Give each call that is over, with its verdict, as entries are read; `finish` gives the rest."""
        return self.over(entries)

    @property
    def unfinished(self) -> tuple[Call, ...]:
        """The calls that had not ended where the log did: they may be alive."""
        alive = tuple(self._alive())
        for pending in alive:
            pending.settle()
        return tuple(self._call(pending, "capture-ended", None) for pending in alive)

    def over_at(self, call: Call) -> int:
        """Give when a call was over: the last that was written of it, or the restart that cut it off."""
        return call.ended_at if call.ended_at is not None else self._cut_at.get(call.call_id, call.seen_until)

    def _give(self, pending: PendingCall, ending: Ending, ended_at: int | None = None) -> Judged:
        """Give a call with its verdict."""
        if pending.restart_at is not None:
            if len(self._cut_at) >= MOST_CALLS:
                self._cut_at.clear()
            self._cut_at[pending.call_id] = pending.restart_at
        waited, talked = pending.settle()
        call, like = self._call(pending, ending, ended_at), self._verdict_like(pending, ending, ended_at)
        return call, Verdict(
            like.kind,
            like.reason,
            like.side,
            round(waited / SECOND, 3),
            round(talked / SECOND, 3),
            call.evidence,
            "log",
            like.because,
        )
