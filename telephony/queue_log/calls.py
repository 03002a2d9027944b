"""The calls in a queue_log, from its entries: each once, when it is over, in the order in which they end. Pure.

They are the same values as those heard live, judged by the same table; only the source is the log. From it one can
know: served, with whom and who ended it; abandoned, and after how long; thrown out by time-out, or because no agent
was left, or by a program; that a key was pressed; that the PBX was restarted meanwhile. A queue that was full or had
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

Agents' own calls into queues are left out, where the log shows whose they are: desks.py.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar, Final, Generic, TypeVar

from telephony.calls.call import Call, Ending, Verdict
from telephony.calls.verdict import judge
from telephony.ids import SECOND, originated
from telephony.queue_log.desks import Desks
from telephony.queue_log.doubts import believe, disbelieve
from telephony.queue_log.entries import NO_CALL, Entry
from telephony.queue_log.sieve import Doubtful
from telephony.queue_log.values import call_of
from telephony.queue_log.visits import BEGINNINGS, NEAR, PLACES, Draft, end_talk, ring_in_vain

QUIET_S: Final = 120
"""Who left a queue less than so long before the log ends may well be on the way to another."""
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


class Ends(Generic[Given]):
    """Takes the entries of one PBX's log in their order. `counts` says what was not believed, by why.

    Gives out each call that is over, as whatever `_give` makes of it. `agents_calls` were agents' own.
    """

    only_nobodys: ClassVar = False  # an agent's call is left out only where its number could not be called anyway

    def __init__(self, pbx: str, *, quiet_s: float = AGE_LIMIT_S) -> None:
        self.pbx = pbx
        self.counts: Counter[str] = Counter()
        self.entries = 0
        self.agents_calls = 0
        self.restarts: list[int] = []
        self._quiet = round(quiet_s * SECOND)
        self._drafts: dict[str, Draft] = {}
        self._opened: dict[str, Draft] = {}  # those of them that have not ended
        self._desks = Desks()
        self._verdicts: dict[tuple[object, ...], Verdict] = {}
        self._closing: deque[tuple[int, Draft, int]] = deque()
        self._now = 0
        self._strayed = (0, 0)
        self._swept_at = 0
        self._evicted: list[Draft] = []

    def over(self, entries: Iterable[Entry]) -> Iterator[Given]:
        """Give each call that is over as entries are read; `finish` gives the rest."""
        closing, quiet, put, places, now = self._closing, self._quiet, self._put, PLACES, self._now
        for self.entries, entry in enumerate(entries, self.entries + 1):  # noqa: B020 - a count, and what is counted
            if entry[0] != now:
                self._move(entry[0])
                now = self._now
                while closing and (closing[0][0] + quiet < now or len(self._drafts) >= MOST_CALLS):
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
        """Give the calls that are over when the log has ended; that one may go on is then said.

        `restarted_at` is when the PBX is known to have started last: it writes so only when next it has something
        to write.
        """
        if restarted_at is not None:
            self._restart(restarted_at)
        for draft in self._drafts.values():
            if draft.doubted and draft.open and draft.credible and believe(draft):
                self._opened.pop(draft.call_id)
                self._closing.append((draft.last_at, draft, draft.turns))
        while self._closing:
            over = self._next_over(log_ended=True)
            if over is not None:
                yield over

    @property
    def now(self) -> int:
        """The log's own time, as far as it was read."""
        return self._now

    def _give(self, draft: Draft, ending: Ending, ended_at: int | None = None) -> Given:
        """Give a call that is over."""
        raise NotImplementedError

    def _placed(self, call_id: str) -> bool:
        """Tell whether a program placed the call."""
        return originated(call_id)

    def _aside(self, entry: Entry) -> None:
        """See an entry that is of no call."""
        self._desks.meet(entry)

    def _alive(self) -> Iterator[Draft]:
        """Give the calls that had not ended where the log did."""
        return (draft for draft in self._opened.values() if draft.credible and not self._is_agents(draft))

    def _put(self, entry: Entry, place: Callable[[Draft, Entry], None]) -> None:
        """Put an entry into its call, and see whether that is over by it."""
        draft = self._drafts.get(entry[1])
        if entry[3] is not None and entry[3] not in self._desks.agents:
            self._desks.meet(entry)
        if place is end_talk and entry.__class__ is Entry:
            draft = self._desks.whose(entry, draft)
        if draft is None or not draft.credible or draft.restart_at is not None or entry.__class__ is not Entry:
            draft = self._draft_for(entry, draft, only_known=place is ring_in_vain)
            if draft is None:
                return
        was_open = draft.open
        place(draft, entry)
        draft.last_at = entry[0]
        if entry[4] == "CONNECT" and entry.__class__ is Entry:
            self._desks.answered(draft, entry)
        if draft.open:
            if not was_open:
                draft.turns += 1
                self._opened[draft.call_id] = draft
        elif was_open or not draft.turns:
            draft.turns += 1
            self._opened.pop(draft.call_id, None)
            self._closing.append((entry[0], draft, draft.turns))

    def _draft_for(self, entry: Entry, draft: Draft | None, *, only_known: bool) -> Draft | None:
        """Give the call that an entry is about, a new one if need be; None if the entry is to be left out."""
        if draft is None:
            if only_known or entry.call_id in NO_CALL:
                return None
            draft = self._open(entry.call_id, entry.at)
        elif draft.restart_at is not None:
            self._go_on(draft, entry.at)
        if isinstance(entry, Doubtful):
            if draft.credible:
                draft.doubt(entry)
                return None
            if draft.open and entry.event in BEGINNINGS:
                return None
        else:
            draft.credible = True
        return draft

    def _open(self, call_id: str, at: int) -> Draft:
        if len(self._drafts) >= MOST_CALLS:
            self._evicted.append(self._forget(next(iter(self._drafts))))
        draft = self._drafts[call_id] = Draft(call_id, at)
        return draft

    def _forget(self, call_id: str) -> Draft:
        self._opened.pop(call_id, None)
        return self._drafts.pop(call_id)

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
        for draft in self._opened.values():
            if draft.restart_at is None and draft.last_at <= at:
                draft.restart_at = at
                draft.turns += 1
                self._closing.append((at, draft, draft.turns))

    def _go_on(self, draft: Draft, at: int) -> None:
        """See a call go on behind a restart: there was none, if that is not of the same moment."""
        restart_at = draft.restart_at
        false = restart_at is not None and at > restart_at + NEAR
        for one in [*self._opened.values()] if false else (draft,):
            if one.restart_at == restart_at:
                one.restart_at = None
                one.turns += 1
        if false:
            self.counts["restart that was none"] += 1
            self.restarts = [known for known in self.restarts if known != restart_at]

    # Giving out

    def _next_over(self, *, log_ended: bool) -> Given | None:
        """Give the call that ended first, if nothing was heard of it since."""
        at, draft, turns = self._closing.popleft()
        if turns != draft.turns or self._drafts.get(draft.call_id) is not draft:
            return None
        self._forget(draft.call_id)
        if not self._counts(draft):
            return None
        if struck := disbelieve(draft):
            self.counts[CONTRADICTED] += struck
        if draft.restart_at is not None:
            return self._give(draft, "pbx-restarted")
        if log_ended and at + QUIET_S * SECOND > self._now and draft.visits[-1].end != "abandoned":
            draft.told.append((LOG_ENDS, None, self._now))
        return self._give(draft, "hangup", at)

    def _counts(self, draft: Draft) -> bool:
        """Tell whether it is a customer's call, or one of our own."""
        if not draft.visits:
            return False
        if not draft.credible:
            self.counts[DOUBTFUL] += 1
            return False
        agents = self._is_agents(draft)
        self.agents_calls += agents
        return not agents

    def _is_agents(self, draft: Draft) -> bool:
        return self._desks.own(draft, nobodys=self.only_nobodys)

    def _sweep(self) -> Iterator[Given]:
        """Give up calls of which nothing was written for too long, and those that there was no room for."""
        old = []
        if self._now - self._swept_at > _SWEEP:
            self._swept_at = self._now
            limit = self._now - AGE_LIMIT_S * SECOND
            old = [draft for draft in self._opened.values() if draft.last_at < limit]
            for draft in old:
                self._forget(draft.call_id)
        old, self._evicted = [*self._evicted, *old], []
        for draft in old:
            if draft.doubted and draft.credible:
                believe(draft)
            draft.forgot = draft.forgot or draft.open
            if self._counts(draft):
                yield self._give(draft, "overdue") if draft.open else self._give(draft, "hangup", draft.last_at)

    def _like(self, draft: Draft, ending: Ending, ended_at: int | None) -> Verdict:
        """Give a verdict of the same kind as a call's: the table is asked once for all on which it can depend.

        The call's visits are in order.
        """
        last = draft.visits[-1]
        shape = (
            ending,
            last.end,
            last.key,
            last.rang,
            last.handed_on,
            last.ended_by,
            last.connected_at is None,
            last.ended_at is None,
            draft.forgot or not all(visit.joined for visit in draft.visits),
            self._placed(draft.call_id),
        )
        like = self._verdicts.get(shape)
        if like is None:
            like = judge(self._call(draft, ending, ended_at))
            if len(self._verdicts) < MOST_SHAPES:
                self._verdicts[shape] = like
        return like

    def _call(self, draft: Draft, ending: Ending, ended_at: int | None) -> Call:
        seen_until = self._now if ending == "capture-ended" else draft.last_at
        return call_of(draft, self.pbx, ending, ended_at, seen_until, placed=self._placed(draft.call_id))
