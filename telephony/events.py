"""Events of a PBX, typed: only those that are used here, under Asterisk's own names.

Instants (`at`) are µs UTC: the message's Timestamp (the PBX's clock), else its arrival (Asterisk 16 sends
none unless asked to). `state` is a channel's (AST_STATE_*): 0 down, 4 somebody calls on it, 5 it rings somebody, 6 up.
Seconds stay as app_queue counts them, whole; None where a header is absent. How they are read
from messages is in parsing.py; notes.py gives those that tell what we found out by asking.
"""

from telephony.values import value


@value
class Event:
    """Something happened on the PBX at this instant."""

    at: int


@value
class ChannelEvent(Event):
    """It happened to this channel, which at that time belonged to the call `linkedid`."""

    uniqueid: str
    linkedid: str
    channel: str


@value
class Newchannel(ChannelEvent):
    """A channel was created. `number` is the caller's as signalled, `exten` what was dialled.

    `state` is 4 (ring) for one on which somebody calls; 0 (down) for one that is to call somebody. Some drivers
    (chan_sip, SCCP) begin the others in 0 too, and tell a moment later that they ring: Newstate.
    """

    number: str
    exten: str
    state: int | None = None


@value
class Newstate(ChannelEvent):
    """The channel is in state 4 (ring) now: somebody calls on it. Of other states nothing is read."""


@value
class NewCallerid(ChannelEvent):
    """The dialplan, or the other end, set the channel's number."""

    number: str


@value
class Newexten(ChannelEvent):
    """The dialplan runs Queue on the channel. After a transfer or a key, `data` still names the old queue."""

    data: str


@value
class DialplanStep(ChannelEvent):
    """The dialplan does something else on the channel: Hangup, Congestion, Busy, or the first step of an extension."""

    application: str
    data: str
    extension: str
    state: int | None = None


@value
class QueueStatus(ChannelEvent):
    """Queue gave the caller back to the dialplan, unserved: TIMEOUT, FULL, JOINEMPTY and so on."""

    value: str


@value
class DialBegin(ChannelEvent):
    """This channel began to ring because somebody dialled `dial_string`."""

    dial_string: str


@value
class QueueEvent(ChannelEvent):
    """Something happened to the caller on this channel in `queue`."""

    queue: str


@value
class QueueCallerJoin(QueueEvent):
    """The caller began to wait."""

    number: str


@value
class QueueEntry(QueueEvent):
    """A listing's line: this caller waits at present, and has for `wait_s`."""

    number: str
    wait_s: int | None


@value
class QueueCallerLeave(QueueEvent):
    """The caller no longer waits. Sent before AgentConnect too: no loss by itself."""

    number: str = ""


@value
class QueueCallerAbandon(QueueEvent):
    """The caller left unserved: gave up, or was removed."""

    hold_s: int | None
    number: str = ""


@value
class AgentCalled(QueueEvent):
    """An agent's phone (channel `leg`) is rung for the caller."""

    leg: str
    interface: str = ""


@value
class AgentRingNoAnswer(QueueEvent):
    """The agent's phone stopped ringing, unanswered."""

    leg: str


@value
class AgentConnect(QueueEvent):
    """An agent answered the caller, on channel `leg` (a Local channel for such members)."""

    leg: str
    agent: str
    interface: str
    hold_s: int | None


@value
class AgentComplete(QueueEvent):
    """The talk is over. `reason` is caller, agent or transfer; several of its fields may be missing."""

    leg: str
    agent: str
    interface: str
    hold_s: int | None
    talk_s: int | None
    reason: str


@value
class HangupRequest(ChannelEvent):
    """The far end of this channel hung up, or refused."""

    cause: int | None
    number: str = ""
    state: int | None = None


@value
class SoftHangupRequest(ChannelEvent):
    """Asterisk ends the channel; `flags` is a word of AST_SOFTHANGUP bits and no Q.850 cause."""

    flags: int | None


@value
class Hangup(ChannelEvent):
    """The channel is gone. `cause` is Q.850; on 22 a plain hang-up in the queue says 0. `state` is 6 if it was up."""

    cause: int | None
    number: str = ""
    state: int | None = None


@value
class DTMFEnd(ChannelEvent):
    """A key was pressed at the far end of this channel, or sent to it."""

    digit: str
    direction: str


@value
class BridgeEnter(ChannelEvent):
    """The channel was joined with another one; `bridge_type` is basic for two who talk.

    `technology` is how the bridge is mixed: of one that holds (holding_bridge), everybody hears music alone.
    """

    bridge_type: str
    bridge: str = ""
    technology: str = ""


@value
class ConfbridgeJoin(BridgeEnter):
    """ConfBridge says the same of a conference."""


@value
class ParkedCall(ChannelEvent):
    """The channel was parked: it waits until somebody fetches it."""


@value
class UnParkedCall(ChannelEvent):
    """Somebody fetched the parked channel."""


@value
class ParkedCallGiveUp(ChannelEvent):
    """The parked caller hung up."""


@value
class ParkedCallTimeOut(ChannelEvent):
    """Nobody fetched the parked channel in time: the dialplan has it again, or the phone of who parked it rings."""


@value
class CoreShowChannel(ChannelEvent):
    """A listing's line: this channel is alive."""

    number: str
    application: str
    data: str
    bridge: str = ""


@value
class Hold(ChannelEvent):
    """The far end of this channel put the other one on hold."""


@value
class Unhold(ChannelEvent):
    """The far end of this channel goes on with the other one."""


@value
class ChannelTalkingStart(ChannelEvent):
    """The detector, on for this channel, hears its far end talk."""


@value
class ChannelTalkingStop(ChannelEvent):
    """It hears it no more. A hang-up in the middle of a word leaves a Start without a Stop."""


@value
class RTCPSent(ChannelEvent):
    """Asterisk's report, every 5 s, of the voice that it received from the far end of this channel.

    `highest` is the highest sequence number so far, None while not one packet had come. `sent_at` is the PBX's clock
    where the report tells it (it does if Asterisk sent voice itself), else 0.
    """

    highest: int | None
    sent_at: int = 0


@value
class RTCPReceived(ChannelEvent):
    """The far end's own report came: it lives. Many phones send none."""


@value
class RtpTotal(ChannelEvent):
    """How many packets of voice came from the far end of this channel in all, told at its end (on 22 alone)."""

    received: int


@value
class LcrRequested(ChannelEvent):
    """Our dialplan: the caller asked to be called back, for `queue`."""

    queue: str


@value
class LcrClosed(ChannelEvent):
    """Our dialplan: the site was closed for this caller; `queue` may be empty."""

    queue: str


@value
class LcrReason(ChannelEvent):
    """The agent's reason for breaking off the talk: verification, agents-mistake, wrong-answer."""

    reason: str


@value
class QueueMember(Event):
    """The state of an agent in one queue: a line of a listing, or an event. `gone`: the agent was removed."""

    queue: str
    interface: str
    name: str
    state_interface: str
    status: int | None
    paused: bool
    in_call: bool
    last_call_s: int
    wrapup_s: int
    gone: bool


@value
class Confirmed(ChannelEvent):
    """The PBX, asked, says that this channel is alive, with this number."""

    number: str


@value
class Denied(ChannelEvent):
    """The PBX, asked, knows no such channel: it never existed, or is gone."""


@value
class Detecting(ChannelEvent):
    """The talk detector was switched on for this channel: from now on the PBX reports voice on it."""


def kinds(*of: type[Event]) -> frozenset[type[Event]]:
    """Give these kinds and those made of them. `type(event) in` it takes 0.03 µs, isinstance with them 0.07 to 0.11."""
    return frozenset(of).union(*(kinds(*kind.__subclasses__()) for kind in of))
