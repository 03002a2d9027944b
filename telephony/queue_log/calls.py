"""The calls in a queue_log, from its entries: each once, when it is over, in the order in which they end. Pure.

They are the same values as live calls, judged by the same table; only the source is the log. The log tells: served,
by which agent and which side ended it; abandoned, and after how long; removed by time-out, or because no agent was
left, or by a program; that a key was pressed; that the PBX was restarted meanwhile. A queue that was full or had
nobody to join is known where the site's dialplan writes FULL or JOINEMPTY; app_queue itself writes nothing then.

Not knowable from it: a hang-up's cause; calls that were broken off, or silent (an answered call that its phones ended
is served); what became of a caller whom the queue threw out, who left by a key, or who was transferred to no queue;
which of those who gave up were cut off while waiting; that a call ended at all, where nothing was written. A PBX that
is stopped in order writes the ends of its calls as if callers had hung up.

A call is over when its last queue visit has ended, and nothing more was written of it for `AGE_LIMIT_S` of the log's
own time: a caller whom one queue threw out, or who was transferred, may join another much later, and an id is never
used again. What app_queue began and never ended was cut off by a restart, if QUEUESTART follows; and is given up as
overdue after `AGE_LIMIT_S` without a word. A restart of which later lines show that it cannot have been (old calls go
on) is not believed, nor is a leap in time on the word of a few lines: both can be forged. Memory is bounded by
`MOST_CALLS`: where there are more, calls that have ended are given out first.

Agents' own calls into queues are left out, where the log shows whose they are: agent_calls.py.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import ClassVar, Final, Generic, TypeVar

from telephony.calls.call import Call, Ending, Verdict
from telephony.calls.verdict import judge
from telephony.ids import SECOND, originated
from telephony.queue_log.agent_calls import AgentCalls
from telephony.queue_log.doubts import believe, disbelieve
from telephony.queue_log.entries import NO_CALL, Entry
from telephony.queue_log.sieve import DoubtfulEntry
from telephony.queue_log.values import call_of
from telephony.queue_log.visits import BEGINNINGS, NEAR, PLACES, PendingCall, count_unanswered, end_talk

QUIET_S: Final = 120
"""A caller who left a queue less than so long before the log ends may be on the way to another."""
AGE_LIMIT_S: Final = 12 * 3600
MOST_CALLS: Final = 50_000
MOST_SHAPES: Final = 1000
RESTART: Final = "QUEUESTART"

_LEAP: Final = 60 * SECOND
_AGREEING: Final = 8  # lines in a row, more than a caller can forge at once
_SWEEP: Final = 600 * SECOND
DOUBTFUL: Final = "a call that stands in doubtful lines alone"
CONTRADICTED: Final = "a talk of somebody who had given up and did not come back"
LOG_ENDS: Final = "the log ends here: he may have gone on to another queue"


Given = TypeVar("Given")


class LogReader(Generic[Given]):
    """Reads the calls of one PBX's log from its entries in order. `counts` says what was not believed, by reason.

    Gives each call that is over, in the form that `_give` makes. `agents_calls` counts agents' own calls.
    """

    only_nobodys: ClassVar = False  # an agent's call is left out only where its number could not be called anyway

    def __init__(self, pbx: str, *, quiet_s: float = AGE_LIMIT_S) -> None:
        self.pbx = pbx
        self.counts: Counter[str] = Counter()
        self.entries = 0
        self.agents_calls = 0
        self.restarts: list[int] = []
        self._quiet = round(quiet_s * SECOND)
        self._pending: dict[str, PendingCall] = {}
        self._opened: dict[str, PendingCall] = {}  # those of them that have not ended
        self._agent_calls = AgentCalls()
        self._agents = self._agent_calls.agents
        self._verdicts: dict[tuple[object, ...], Verdict] = {}
        self._closing: deque[tuple[int, PendingCall, int]] = deque()
        self._now = 0
        self._strayed = (0, 0)
        self._swept_at = 0
        self._evicted: list[PendingCall] = []

    def over(self, entries: Iterable[Entry]) -> Iterator[Given]:
        """Give each call that is over as entries are read; `finish` gives the rest."""
        closing, quiet, put, places, now = self._closing, self._quiet, self._put, PLACES, self._now
        pendings = self._pending
        for self.entries, entry in enumerate(entries, self.entries + 1):  # noqa: B020 - a count, and what is counted
            at = entry[0]
            if at != now:
                if 0 < at - now <= _LEAP and now:  # nearly always: as _move() does, without a call for each line
                    self._now = now = at
                else:
                    self._move(at)
                    now = self._now
                while closing and (closing[0][0] + quiet < now or len(pendings) >= MOST_CALLS):
                    over = self._next_over(log_ended=False)
                    if over is not None:
                        yield over
                if now - self._swept_at > _SWEEP:
                    yield from self._sweep()
            place = places.get(entry[4])
            if place is not None:
                put(entry, place)
            elif entry[4] == RESTART:
                self._restart(entry[0])
            else:
                self._aside(entry)
            if self._evicted:
                yield from self._sweep()

    def finish(self, restarted_at: int | None = None) -> Iterator[Given]:
        """Give the calls that are over when the log has ended; their evidence says so if they may continue.

        `restarted_at` is when the PBX is known to have started last: it writes so only when next it has something
        to write.
        """
        if restarted_at is not None:
            self._restart(restarted_at)
        for pending in self._pending.values():
            if pending.doubted and pending.open and pending.credible and believe(pending):
                self._opened.pop(pending.call_id)
                self._closing.append((pending.last_at, pending, pending.turns))
        while self._closing:
            over = self._next_over(log_ended=True)
            if over is not None:
                yield over

    @property
    def now(self) -> int:
        """The log's own time, as far as it was read."""
        return self._now

    def _give(self, pending: PendingCall, ending: Ending, ended_at: int | None = None) -> Given:
        """Give a call that is over."""
        raise NotImplementedError

    def _placed(self, call_id: str) -> bool:
        """Tell whether a program placed the call."""
        return originated(call_id)

    def _aside(self, entry: Entry) -> None:
        """Take an entry that belongs to no call."""
        self._agent_calls.learn(entry)

    def _alive(self) -> Iterator[PendingCall]:
        """Give the calls that had not ended where the log did."""
        own = partial(self._agent_calls.own, nobodys=self.only_nobodys)
        return (pending for pending in self._opened.values() if pending.credible and not own(pending))

    def _put(self, entry: Entry, place: Callable[[PendingCall, Entry], None]) -> None:
        """Put an entry into its call, and see whether that is over by it."""
        at, call_id, _, agent, event, _ = entry
        pending, sure = self._pending.get(call_id), entry.__class__ is Entry
        if agent is not None and agent not in self._agents:
            self._agent_calls.learn(entry)
        if sure and place is end_talk:
            pending = self._agent_calls.call_of_talk(entry, pending)
        if pending is None or not sure or not pending.credible or pending.restart_at is not None:
            pending = self._pending_for(entry, pending, only_known=place is count_unanswered)
            if pending is None:
                return
        was_open = pending.open
        place(pending, entry)
        pending.last_at = at
        if sure and event == "CONNECT":
            self._agent_calls.answered(pending, entry)
        if pending.open:
            if not was_open:
                pending.turns += 1
                self._opened[pending.call_id] = pending
        elif was_open or not pending.turns:
            pending.turns += 1
            self._opened.pop(pending.call_id, None)
            self._closing.append((at, pending, pending.turns))

    def _pending_for(self, entry: Entry, pending: PendingCall | None, *, only_known: bool) -> PendingCall | None:
        """Give the call that an entry is about, a new one if need be; None if the entry is to be left out."""
        if pending is None:
            if only_known or entry.call_id in NO_CALL:
                return None
            pending = self._open(entry.call_id, entry.at)
        elif pending.restart_at is not None:
            self._go_on(pending, entry.at)
        if isinstance(entry, DoubtfulEntry):
            if pending.credible:
                pending.doubt(entry)
                return None
            if pending.open and entry.event in BEGINNINGS:
                return None
        else:
            pending.credible = True
        return pending

    def _open(self, call_id: str, at: int) -> PendingCall:
        if len(self._pending) >= MOST_CALLS:
            self._evicted.append(self._forget(next(iter(self._pending))))
        pending = self._pending[call_id] = PendingCall(call_id, at)
        return pending

    def _forget(self, call_id: str) -> PendingCall:
        self._opened.pop(call_id, None)
        return self._pending.pop(call_id)

    # Time

    def _move(self, at: int) -> None:
        """Move to the time of a line. A leap (a quiet night, a clock that is set, a forgery) has to be confirmed."""
        if 0 < at - self._now <= _LEAP or not self._now:
            self._now = at
        elif at < self._now - _LEAP or at > self._now:
            strayed_at, lines = self._strayed
            lines = lines + 1 if abs(at - strayed_at) <= _LEAP else 1
            self._strayed = at, lines
            if lines >= _AGREEING:
                self._now, self._strayed = at, (0, 0)

    def _restart(self, at: int) -> None:
        self.restarts.append(at)
        for pending in self._opened.values():
            if pending.restart_at is None and pending.last_at <= at:
                pending.restart_at = at
                pending.turns += 1
                self._closing.append((at, pending, pending.turns))

    def _go_on(self, pending: PendingCall, at: int) -> None:
        """Take a call that continues after a restart: unless at the same moment, there was no restart."""
        restart_at = pending.restart_at
        false = restart_at is not None and at > restart_at + NEAR
        for one in [*self._opened.values()] if false else (pending,):
            if one.restart_at == restart_at:
                one.restart_at = None
                one.turns += 1
        if false:
            self.counts["restart that was none"] += 1
            self.restarts = [known for known in self.restarts if known != restart_at]

    # Giving out

    def _next_over(self, *, log_ended: bool) -> Given | None:
        """Give the call that ended first, if nothing was written of it since."""
        at, pending, turns = self._closing.popleft()
        if turns != pending.turns or self._pending.get(pending.call_id) is not pending:
            return None
        self._forget(pending.call_id)
        if not self._counts(pending):
            return None
        if len(pending.visits) > 1 and (struck := disbelieve(pending)):
            self.counts[CONTRADICTED] += struck
        if pending.restart_at is not None:
            return self._give(pending, "pbx-restarted")
        if log_ended and at + QUIET_S * SECOND > self._now and pending.visits[-1].end != "abandoned":
            pending.lines.append((LOG_ENDS, None, self._now))
        return self._give(pending, "hangup", at)

    def _counts(self, pending: PendingCall) -> bool:
        """Tell whether it is a customer's call, or one of our own."""
        if not pending.visits:
            return False
        if not pending.credible:
            self.counts[DOUBTFUL] += 1
            return False
        agents = self._agent_calls.own(pending, nobodys=self.only_nobodys)
        self.agents_calls += agents
        return not agents

    def _sweep(self) -> Iterator[Given]:
        """End the calls of which nothing was written for too long, and those that there was no room for."""
        old = []
        if self._now - self._swept_at > _SWEEP:
            self._swept_at = self._now
            limit = self._now - AGE_LIMIT_S * SECOND
            old = [pending for pending in self._opened.values() if pending.last_at < limit]
            for pending in old:
                self._forget(pending.call_id)
        old, self._evicted = [*self._evicted, *old], []
        for pending in old:
            if pending.doubted and pending.credible:
                believe(pending)
            pending.forgot = pending.forgot or pending.open
            if self._counts(pending):
                yield self._give(pending, "overdue") if pending.open else self._give(pending, "hangup", pending.last_at)

    def _verdict_like(self, pending: PendingCall, ending: Ending, ended_at: int | None) -> Verdict:
        """Give a verdict of the same kind as a call's: the table is read once for each combination it depends on.

        The call's visits are in order.
        """
        visits = pending.visits
        last = visits[-1]
        shape = (
            ending,
            last.end,
            last.key,
            last.cancelled_at is not None and last.rang,
            last.handed_on,
            last.ended_by,
            last.connected_at is None,
            last.ended_at is None,
            pending.forgot or not (last.joined if len(visits) == 1 else all(one.joined for one in visits)),
            self._placed(pending.call_id),
        )
        like = self._verdicts.get(shape)
        if like is None:
            like = judge(self._call(pending, ending, ended_at))
            if len(self._verdicts) < MOST_SHAPES:
                self._verdicts[shape] = like
        return like

    def _call(self, pending: PendingCall, ending: Ending, ended_at: int | None) -> Call:
        seen_until = self._now if ending == "capture-ended" else pending.last_at
        return call_of(pending, self.pbx, ending, ended_at, seen_until, placed=self._placed(pending.call_id))
