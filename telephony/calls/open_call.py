"""A call that is not over: its events so far, in bounded memory however long it lasts. Pure."""

from dataclasses import dataclass, field
from typing import Final

from telephony.calls.facts.media import VOICE, Voice
from telephony.calls.facts.pre_queue import CONFERENCE, DECISIVE, RING
from telephony.events import (
    AgentCalled,
    AgentConnect,
    AgentRingNoAnswer,
    BridgeEnter,
    ChannelEvent,
    ChannelTalkingStart,
    ChannelTalkingStop,
    Confirmed,
    CoreShowChannel,
    Denied,
    Detecting,
    DialBegin,
    DialplanStep,
    DTMFEnd,
    Hangup,
    LcrClosed,
    LcrReason,
    LcrRequested,
    NewCallerid,
    Newchannel,
    Newexten,
    Newstate,
    QueueEvent,
    QueueStatus,
    RTCPReceived,
    RTCPSent,
    kinds,
)
from telephony.ids import originated

EVENTS_OF_A_CALL: Final = 1000
"""More than a call of hours has, phones that ring apart; of those as many again. What comes after them is not kept,
and the call is then not complete."""
VOICES_OF_A_CALL: Final = 32
"""Channels whose voice is followed; more than a call of many transfers has."""

IN_A_QUEUE: Final = kinds(QueueEvent, QueueStatus, Newexten)
"""Events about a caller's own channel which prove that the call reached a queue."""
OPENS_NOTHING: Final = VOICE | kinds(Confirmed, Denied, Detecting, LcrRequested, LcrClosed, LcrReason)
"""Events that belong to a call which is known already, or to none that we follow: voice, answers to our questions."""
REPEATED: Final = kinds(RTCPSent, RTCPReceived)
"""Reports that come every few seconds; each repeats the one before."""
OF_RINGING: Final = kinds(Newchannel, Newstate, NewCallerid, AgentCalled, DialBegin, AgentRingNoAnswer, Hangup)
"""Events that each ringing phone repeats: if a large queue rings all, a thousand in minutes."""
_DOWN: Final = 0
_ONLY_ONCE: Final = kinds(ChannelTalkingStart, ChannelTalkingStop)
_BY_THE_DIALPLAN: Final = kinds(DialplanStep, Newexten, QueueStatus)
_MEETS: Final = kinds(DialBegin, BridgeEnter)
_BEGINS_A_TALK: Final = kinds(BridgeEnter, AgentConnect)


@dataclass(slots=True)
class OpenCall:
    """A call that is not over. `offset` is where the journal first tells of it."""

    call_id: str
    opened_at: int
    offset: int | None
    placed: bool
    channel: str = ""  # the name of its own channel, as first told
    named: str = ""  # as last told: a transfer may give it another
    began_down: bool = False  # its own channel began as those do that are to call somebody
    called_on: bool = False  # somebody called on it
    dialled: bool = False  # it was made to ring somebody
    events: dict[ChannelEvent, None] = field(default_factory=dict)
    ringing: int = 0  # events among them that tell of phones that ring
    voices: dict[str, Voice] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)
    alive: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    queued: bool = False
    met: bool = False  # a phone rang for the caller, or was bridged
    stepped: bool = False  # the dialplan ran for the caller
    waits_in: str | None = None
    heard_at: int = 0
    let_go_at: int = -1  # when the caller last stopped waiting
    closes_at: int | None = None
    gap: bool = False

    def take(self, event: ChannelEvent, now: int) -> None:
        """Add an event, and see what it changes."""
        kind = type(event)
        self.heard_at = now
        if event.uniqueid == self.call_id:
            self._take_own(event)
        if kind in _MEETS:
            self.met = True
        if kind in IN_A_QUEUE or (kind is CoreShowChannel and shown_in_queue(event)):
            self.queued = True
        if kind in VOICE:
            self._fold(event)
        elif self._tells(event):
            self._keep(event)
        if kind not in OPENS_NOTHING:
            self._note_alive(event)

    def adds(self, event: ChannelEvent) -> bool:
        """Tell whether an event has to be kept so that the call can be put together again after a crash.

        Reports of packets need not be: the next ones repeat them. Voice is kept once in each talk.
        """
        kind = type(event)
        if kind in REPEATED:
            return False
        if kind in _ONLY_ONCE:
            return not self._voice(event.uniqueid).heard_in_this_talk
        return not self.stepped or self._tells(event)

    @property
    def over(self) -> bool:
        """Tell whether it is over: a customer's call ends with its own channel, a placed one with its last channel."""
        return (not self.alive and bool(self.gone)) if self.placed else self.call_id in self.gone

    @property
    def outgoing(self) -> bool:
        """Tell whether its own channel was made to call somebody, and nobody called on it."""
        return self.dialled or (self.began_down and not self.called_on)

    def _take_own(self, event: ChannelEvent) -> None:
        if event.channel != self.named:
            self.named = event.channel
            self.channel = self.channel or event.channel
            self.placed = self.placed or originated(self.call_id, event.channel)
        if isinstance(event, Newchannel):
            self.began_down = event.state == _DOWN
        elif isinstance(event, DialBegin):
            self.dialled = True
        elif isinstance(event, Newstate):
            self.called_on = True
        if isinstance(event, (DialplanStep, Hangup)) and event.state == RING:  # in case Newstate was lost
            self.called_on = True
        if type(event) in _BY_THE_DIALPLAN:
            self.stepped = True

    def _tells(self, event: ChannelEvent) -> bool:
        """Tell whether the call is put together from it: not so from keys in a menu, nor from most steps."""
        if isinstance(event, DialplanStep):
            decides = event.application in (*DECISIVE, CONFERENCE) or event.extension == "h"
            return event.uniqueid == self.call_id and decides
        return self.queued or not isinstance(event, DTMFEnd)

    def _keep(self, event: ChannelEvent) -> None:
        kind = type(event)
        rings = kind in OF_RINGING
        taken = self.ringing if rings else len(self.events) - self.ringing
        if taken < EVENTS_OF_A_CALL or kind is Hangup:
            if rings and event not in self.events:
                self.ringing += 1
            self.events[event] = None
        else:
            self.gap = True
        if kind in _BEGINS_A_TALK:
            for voice in self.voices.values():
                voice.heard_in_this_talk = False

    def _fold(self, event: ChannelEvent) -> None:
        voice = self._voice(event.uniqueid)
        voice.take(event)  # type: ignore[arg-type]  # one of VOICE
        if len(self.voices) < VOICES_OF_A_CALL:
            self.voices.setdefault(event.uniqueid, voice)

    def _voice(self, uniqueid: str) -> Voice:
        return self.voices.get(uniqueid) or Voice()

    def _note_alive(self, event: ChannelEvent) -> None:
        uniqueid = event.uniqueid
        if isinstance(event, Hangup):
            self.alive.discard(uniqueid)
            self.gone.add(uniqueid)
        elif uniqueid not in self.gone or isinstance(event, Newchannel):
            self.alive.add(uniqueid)


def shown_in_queue(event: ChannelEvent) -> bool:
    """Tell whether a listing shows this channel in a queue."""
    return isinstance(event, CoreShowChannel) and event.application == "Queue"
