"""Which call an event belongs to, and when that call is over: events and `now` in, finished Calls out. Pure.

Events are gathered by call, and put together only when it is over, so that their order and repetition do not
matter. A call is over a short grace after the Hangup of its own channel (others report later); one that
a program placed, when all its channels have hung up. Each comes out once: what is heard of it later finds a
tombstone.

Where the names of the trunks are known, a call that came in on one is a customer's, and no other is: it comes out
though it reached no queue, and what agents and colleagues dial does not. Where they are not, a call that reached no
queue comes out only if the PBX refused it and nobody was rung.

`now` is µs UTC. Time never runs backwards here: a slightly earlier `now` counts as the latest so far, and where
the clock was set back by more than `SET_BACK_S`, time goes on from there at the new clock's pace. `offset` is
where the message stands in the journal.
"""

import heapq
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Final

from telephony.calls.assemble import CallEvents, assemble
from telephony.calls.call import Call, Ending
from telephony.calls.channels import LiveChannels, Tombstones
from telephony.calls.customers import Customers
from telephony.calls.facts import agent_call
from telephony.calls.facts.agent_call import AgentCall
from telephony.calls.facts.conference import IN_CONFERENCES, Conferences
from telephony.calls.open_call import IN_A_QUEUE, OPENS_NOTHING, OpenCall, shown_in_queue
from telephony.calls.waiting import Wait, Waiting
from telephony.events import (
    AgentCalled,
    AgentConnect,
    BridgeEnter,
    ChannelEvent,
    CoreShowChannel,
    DialBegin,
    DialplanStep,
    Event,
    Hangup,
    NewCallerid,
    Newchannel,
    Newexten,
    QueueCallerJoin,
    QueueEntry,
    QueueMember,
    QueueStatus,
    kinds,
)
from telephony.ids import NO_CALL, SECOND, epoch_of, is_local, originated

GRACE_S: Final = 1.0
AGE_LIMIT_S: Final = 12 * 3600.0
SET_BACK_S: Final = 60
"""Messages may be handled this much later than they arrived; a greater step back is the clock's."""
TOMBSTONES: Final = 50_000
AGENT_CALLS_KEPT: Final = 1000
"""Agents' own calls kept until they are taken: each message brings a few at most."""

WITH_LEG: Final = (AgentCalled, AgentConnect)
TELLS_OF_A_PHONE: Final = kinds(*WITH_LEG, DialBegin)
_OF_THE_DIALPLAN: Final = kinds(DialplanStep, Newexten, QueueStatus)


class Tracker:
    """Follows every call on one PBX. Give it all events as they arrive, and `tick` now and then.

    `trunks` are what the names of customers' channels begin with; empty: nobody said. `gives_originated`: whether calls
    with an id that a program chose come out too, as our callbacks have it; they are no customer's, whatever is in them.
    """

    def __init__(
        self,
        pbx: str,
        *,
        trunks: tuple[str, ...] = (),
        grace_s: float = GRACE_S,
        age_limit_s: float = AGE_LIMIT_S,
        tombstones: int = TOMBSTONES,
        gives_originated: bool = True,
    ) -> None:
        self.pbx = pbx
        self._customers = Customers(trunks)
        self._hears_dialplan = False
        self._conferences = Conferences()
        self.channels = LiveChannels(tombstones=tombstones, age_s=age_limit_s)
        self._grace = int(grace_s * SECOND)
        self._age = int(age_limit_s * SECOND)
        self._open_calls: OrderedDict[str, OpenCall] = OrderedDict()
        self._call_of: dict[str, str] = {}  # a further channel of a call → the call
        self._closing: deque[tuple[int, str]] = deque()
        self._held: list[tuple[int, str]] = []  # a heap: from where on the journal tells of which call, some closed
        self._over = Tombstones(tombstones, age_limit_s)
        self._waiting = Waiting()
        self._trunks = trunks
        self._gives_originated = gives_originated
        self.agent_calls: deque[AgentCall] = deque(maxlen=AGENT_CALLS_KEPT)  # over; whoever takes them clears it
        self._now = 0  # of the clock in here, which is `_ahead` of the one outside
        self._ahead = 0

    def feed(self, event: Event, now: int, offset: int | None = None) -> list[Call]:
        """Let time pass until `now` and take an event; give the calls that are over by now."""
        calls = self.tick(now)
        self.take(event, offset)
        return calls

    def take(self, event: Event, offset: int | None = None) -> bool:
        """Take an event that came since the last `tick`; tell whether it must be kept in the journal.

        Events that only repeat, such as voice and packet counts, would fill the journal.
        """
        if isinstance(event, QueueMember):
            self._customers.learn(event)
        if not isinstance(event, ChannelEvent) or event.channel == NO_CALL:
            return True
        kind = type(event)
        if isinstance(event, QueueEntry):
            event = self._linked(event)
        if kind in _OF_THE_DIALPLAN:
            self._hears_dialplan = True
        call = self._call_for(event, offset)
        self.channels.note(event, self._now, offset)
        adds = call.adds(event) if call is not None else kind not in OPENS_NOTHING
        if call is not None:
            self._gather(call, event, offset)
            self._gather_where_joined(call, event)
        if kind in IN_CONFERENCES:
            for other in self._conferences.take(event):
                self._tell_of_each_other(other, event)
        return adds

    def next_grace_ends_at(self) -> int | None:
        """Give when the grace of a call ends next, by the clock outside; None where none is in its grace."""
        return self._closing[0][0] - self._ahead if self._closing else None

    def tick(self, now: int) -> list[Call]:
        """Give the calls that are over by now: the grace has passed, or they are too old to be alive."""
        now = self._advance(now)
        calls = []
        while self._closing and self._closing[0][0] <= now:
            closes_at, call_id = self._closing.popleft()
            call = self._open_calls.get(call_id)
            if call is not None and call.closes_at == closes_at:
                calls += self._close(call, "hangup")
        while self._open_calls and now - (oldest := next(iter(self._open_calls.values()))).opened_at > self._age:
            calls += self._close(oldest, "overdue")
        self.channels.expire(now)
        return calls

    def finish(self, now: int) -> list[Call]:
        """Give the remaining calls at the end of a capture: those in their grace as ended, the others unfinished."""
        calls = self.tick(now)
        for call in list(self._open_calls.values()):
            calls += self._close(call, "capture-ended" if call.closes_at is None else "hangup")
        return calls

    def snapshot(
        self,
        channels: Iterable[CoreShowChannel],
        entries: Iterable[QueueEntry],
        now: int,
        *,
        asked_at: int | None = None,
        restarted: bool = False,
        ends: bool = True,
        keep: Callable[[ChannelEvent], int | None] = lambda _: None,
    ) -> list[Call]:
        """Reconcile with what is alive after a gap; give the calls that ended in it.

        `channels` must be all channels of the PBX, `entries` all callers who wait, as they were at some time
        since `asked_at` (an arrival; by default now): what was heard of since then is newer than the lists.
        `restarted`: the PBX has started since the last event, which is how the calls ended that are gone. Calls
        that go on have a gap; waiting callers unknown so far are taken up from when their wait began. What came
        and went in the gap is in queue_log alone. `ends`: whether calls that are not listed have ended; else they are
        left for another snapshot.

        `keep` is called for each line that tells of somebody in a queue, or that a caller talks, before anything else
        is done: it writes the line to the journal, gives its offset, and may raise.
        """
        now_in_here = self._advance(now)
        since = now_in_here if asked_at is None else asked_at + self._ahead
        items = (*channels, *entries)
        present = {item.uniqueid for item in items}
        fresh = [item for item in items if not self._outdated(item, since)]
        lines = [(item, keep(item) if self._tells_of_a_caller(item) else None) for item in fresh]
        calls = self.tick(now)
        for call in [call for call in self._open_calls.values() if call.heard_at < since]:
            call.gap = True
            self._waiting.end(call)
            gone = present.isdisjoint(call.alive if call.placed else {call.call_id})
            if ends and gone and call.closes_at is None:
                calls += self._close(call, "pbx-restarted" if restarted else "ended-unseen")
        if ends:
            self.channels.keep_only(present, self._now, since)
        for item, offset in lines:
            calls += self.feed(item, now, offset)
        return calls

    def compare(self, present: AbstractSet[str], now: int, *, asked_at: int) -> list[Call]:
        """Compare with the Uniqueids of all channels that live; give the calls whose end was not heard, or refused.

        What was heard of since `asked_at` is newer than that. So no lost Hangup, and none that a caller's number made
        unreadable, keeps a number on the line, or holds the journal, for long.
        """
        self._advance(now)
        since = asked_at + self._ahead
        silent = [call for call in self._open_calls.values() if call.heard_at < since and call.closes_at is None]
        gone = [call for call in silent if not present & (call.alive if call.placed else {call.call_id})]
        calls = [over for call in gone for over in self._close(call, "ended-unseen")]
        self.channels.keep_only(present, self._now, since)
        return calls

    def give_up(self, offset: int) -> list[Call]:
        """Give up the calls that hold the journal from before an offset: it is full, and they come out as overdue."""
        held = [call for call in self._open_calls.values() if call.offset is not None and call.offset < offset]
        return [over for call in held for over in self._close(call, "hangup" if call.closes_at else "overdue")]

    def waiting(self, queue: str) -> int:
        """Give how many customers wait in a queue; callbacks of ours do not count."""
        return len(self._waiting.in_queue(queue))

    def waits(self, queue: str) -> Collection[Wait]:
        """Give the same waits: since when, and of which number."""
        return self._waiting.in_queue(queue)

    def live_numbers(self) -> Mapping[str, Mapping[str, str]]:
        """Give every number signalled on a live channel, with those channels: Uniqueid to Linkedid.

        Of customers, agents and dialled phones; an attempt's own channels are known by their Linkedid.
        """
        return self.channels.numbers()

    def unjudged_numbers(self) -> set[str]:
        """Give the callers' numbers of calls that are over but not judged yet: what they come to may settle much."""
        open_calls = (self._open_calls.get(call_id) for _, call_id in self._closing)
        named = (Newchannel, NewCallerid, QueueCallerJoin, QueueEntry, Hangup)
        return {e.number for call in open_calls if call for e in call.events if isinstance(e, named)}

    @property
    def strangers(self) -> Mapping[str, int]:
        """Give how many calls reached a queue and were left out, by what they came in on beside the trunks."""
        return self._customers.strangers

    def own_live(self) -> set[str]:
        """Give our attempts that have a live channel."""
        return self.channels.attempts()

    def own_phones(self) -> set[str]:
        """Give the phones that have a channel of one of our attempts: those of agents, ringing or talking."""
        return self.channels.phones_of_attempts()

    def knows(self, call_id: str) -> bool:
        """Tell whether anything was heard of a call, lately."""
        return call_id in self._open_calls or call_id in self._over

    def alive(self) -> AbstractSet[str]:
        """Give the calls that go on; those in their grace do not."""
        return {call_id for call_id, call in self._open_calls.items() if call.closes_at is None}

    def oldest_offset(self) -> int | None:
        """Give the journal offset from which every call that is not over can be heard again."""
        held = self._held
        while held:
            offset, call_id = held[0]
            call = self._open_calls.get(call_id)
            if call is not None and call.offset == offset:
                return offset
            heapq.heappop(held)
        return None

    def _hold_journal(self, call: OpenCall, offset: int | None) -> None:
        """Note from where on the journal tells of a call."""
        call.offset = offset
        if offset is not None:
            heapq.heappush(self._held, (offset, call.call_id))

    def _advance(self, now: int) -> int:
        """Give the time in here, which only goes on."""
        if now + self._ahead < self._now - SET_BACK_S * SECOND:
            self._ahead = self._now - now
        self._now = max(now + self._ahead, self._now)
        return self._now

    def _outdated(self, item: ChannelEvent, since: int) -> bool:
        """Tell whether something newer than a line of a listing was heard: the caller hung up, or no longer waits."""
        call = self._open_calls.get(item.uniqueid)
        left = isinstance(item, QueueEntry) and call is not None and call.let_go_at >= since
        return left or self.channels.ended_since(item.uniqueid, since)

    def _tells_of_a_caller(self, item: ChannelEvent) -> bool:
        talks = isinstance(item, CoreShowChannel) and bool(item.bridge) and item.uniqueid in self._open_calls
        return isinstance(item, QueueEntry) or shown_in_queue(item) or talks

    def _linked(self, event: QueueEntry) -> QueueEntry:
        """Give the event with its Linkedid, which a listing of queues does not tell."""
        known = self.channels.get(event.uniqueid)
        return replace(event, linkedid=known.linkedid) if known else event

    def _call_for(self, event: ChannelEvent, offset: int | None) -> OpenCall | None:
        """Find the call, or open one; None for what belongs to a call that is over."""
        own = self._open_calls.get(event.uniqueid)
        if own is not None or event.uniqueid in self._over:
            return own
        if self._stands_alone(event):
            return self._promote(event, offset)
        call = self._known(event)
        if call is not None or self._call_of.get(event.uniqueid, event.linkedid) in self._over:
            return call
        if type(event) in OPENS_NOTHING or (isinstance(event, CoreShowChannel) and not shown_in_queue(event)):
            return None
        return self._open(event.linkedid, event, offset)

    def _known(self, event: ChannelEvent) -> OpenCall | None:
        return self._open_calls.get(self._call_of.get(event.uniqueid, event.linkedid))

    def _stands_alone(self, event: ChannelEvent) -> bool:
        """Tell whether a caller in a queue is a call of its own although the channel has another's Linkedid.

        It is for somebody that an agent dialled and then put into a queue. It is not for a Local channel, behind which
        the caller with that Linkedid is, nor for the customer that one of our callbacks reached.
        """
        return (
            type(event) in IN_A_QUEUE
            and event.uniqueid != event.linkedid
            and not is_local(event.channel)
            and epoch_of(event.uniqueid) is not None
            and not originated(event.linkedid)
            and not originated(self._call_of.get(event.uniqueid, event.linkedid))
        )

    def _promote(self, event: ChannelEvent, offset: int | None) -> OpenCall:
        """Open a call for a channel that was another call's so far, with what was said of it there."""
        channel, before = self.channels.get(event.uniqueid), self._known(event)
        self._call_of.pop(event.uniqueid, None)
        call = self._open(event.uniqueid, event, channel.offset if channel else offset)
        call.events = dict.fromkeys(channel.named_by) if channel else {}
        if before is not None and event.uniqueid in before.voices:
            call.voices[event.uniqueid] = before.voices.pop(event.uniqueid)
        return call

    def _open(self, call_id: str, event: ChannelEvent, offset: int | None) -> OpenCall:
        channel = event.channel if event.uniqueid == call_id else ""
        call = OpenCall(call_id, self._now, None, originated(call_id, channel))
        self._open_calls[call_id] = call
        self._hold_journal(call, offset)
        return call

    def _gather(self, call: OpenCall, event: ChannelEvent, offset: int | None) -> None:
        """Add an event to its call, and see what it changes."""
        kind = type(event)
        if call.offset is None:
            self._hold_journal(call, offset)
        if event.uniqueid != call.call_id and kind not in OPENS_NOTHING:
            self._join(call, event.uniqueid)
        if isinstance(event, WITH_LEG) and event.leg:
            self._join(call, event.leg)
        call.take(event, self._now)
        if kind in TELLS_OF_A_PHONE:
            self._customers.learn(event, queued=call.queued)
        self._waiting.note(call, event, self._now)
        if not call.over:
            call.closes_at = None
        elif call.closes_at is None:
            call.closes_at = self._now + self._grace
            self._closing.append((call.closes_at, call.call_id))
        if kind is Hangup:
            self._note_agent_calls(call, {event.uniqueid}, whole=not call.gap)

    def _gather_where_joined(self, call: OpenCall, event: ChannelEvent) -> None:
        """Add it also to the call that a channel of another one was joined with: a colleague of the agent's.

        Of one that has a call of its own, as who fetches a parked caller does, only that it was joined.
        """
        joined = self._open_calls.get(event.linkedid)
        if joined is None or joined is call or joined.closes_at is not None:
            return
        tells = isinstance(event, BridgeEnter) or event.uniqueid != call.call_id
        if tells and type(event) not in IN_A_QUEUE:
            joined.take(event, self._now)

    def _tell_of_each_other(self, one: ChannelEvent, other: ChannelEvent) -> None:
        """Add the entry of each of two who are in one conference to the other's call, if it is a customer's."""
        for call_id, entry in ((one.uniqueid, other), (other.uniqueid, one)):
            call = self._open_calls.get(call_id)
            if call is not None and not call.placed:
                call.take(entry, self._now)

    def _note_agent_calls(self, call: OpenCall, channels: AbstractSet[str], *, whole: bool) -> None:
        """Note those of a call's channels that somebody of the house dialled; a caller in a queue dials nobody."""
        if not call.queued and channels - {call.call_id}:
            facts = (call.call_id, call.channel, call.events, call.voices, sorted(channels), self._trunks)
            self.agent_calls.extend(agent_call.agent_calls_of(*facts, whole=whole))

    def _join(self, call: OpenCall, uniqueid: str) -> None:
        """Note that a channel is this call's, whatever its Linkedid will become; the first call counts."""
        if self._call_of.setdefault(uniqueid, call.call_id) == call.call_id:
            call.others.add(uniqueid)

    def _close(self, call: OpenCall, ending: Ending) -> list[Call]:
        """Remove a call; give it if it is to be judged."""
        self._waiting.end(call)
        self._note_agent_calls(call, call.others - call.gone, whole=ending == "hangup" and not call.gap)
        del self._open_calls[call.call_id]
        self._over.bury(call.call_id, self._now)
        for uniqueid in call.others:
            self._call_of.pop(uniqueid, None)
            if uniqueid in call.gone:
                self._over.bury(uniqueid, self._now)
        wanted = self._gives_originated or not originated(call.call_id)
        if not (wanted and self._customers.may_be(call)):
            return []
        stepped = call.stepped or (False if self._hears_dialplan else None)
        now, events = self._now - self._ahead, tuple(call.events)
        finished = assemble(CallEvents(self.pbx, call.call_id, events, ending, now, call.gap, call.voices, stepped))
        return [finished] if self._customers.is_one(call, finished) else []
