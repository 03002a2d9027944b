"""Placing a callback and following it: the agent or the customer first, by our own contexts and their ticket.

The contexts are in `dialplan/extensions_lcr.conf`. An attempt's channels have the ids `lcr-<attempt>-1` (which dials
the customer) and `-2` (which asks the queue for an agent), whoever comes first; every leg carries one of them as its
Linkedid.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from telephony.ami.protocol import Message
from telephony.ami.sieve import whole
from telephony.dialling.outcome import Facts, outcome_of
from telephony.ids import SECOND, attempt_of

BEHIND_EVERYONE: Final = -5  # QUEUE_PRIO; measured: behind all who wait, even those who come later
IN_TURN: Final = 0  # as callers have it: behind all who wait, before those who come later
AHEAD_OF_EVERYONE: Final = 1000  # of a customer who was called first: he is on the line, for an agent who was free
CONNECTING_S: Final = 5
"""What the PBX may take beside ringing before it gives up on whoever comes first."""
STOPS_WITHIN_S: Final = 2
"""The last ring stops less than this after `ring_until`: the dialplan's EPOCH is cut to whole seconds, which makes a
ring up to one second longer, and the PBX takes a moment to stop it; under load 20 ms were measured."""
AGE_LIMIT_S: Final = 12 * 3600
"""No callback takes longer: what was forged, or whose end was not heard, holds the journal no more then."""
_MARK: Final = b"lcr-"
_SAFE: Final = re.compile(r"[^&|,\"'${}\[\]\\\r\n]*")

First = Literal["agent", "customer"]
StepName = Literal["agent_connected_at", "customer_dialled_at", "customer_answered_at"]


@dataclass(frozen=True, slots=True)
class Order:
    """A callback to place. From epoch second `ring_until` on nobody is rung; STOPS_WITHIN_S later no phone rings."""

    attempt: str
    queue: str
    dial: str  # what Dial() rings: PJSIP/09012345678@trunk
    ring_until: int
    agent_wait_s: int
    ring_s: int
    caller_num: str  # what the customer sees
    caller_name: str
    agent_sees: str  # the number that the agent's phone shows
    agent_reads: str = "Callback"  # the name beside it
    first: First = "agent"
    in_turn: bool = False  # waits its turn like a caller, and not behind those who come later
    record: bool = False

    @property
    def prio(self) -> int:
        """The QUEUE_PRIO with which an agent is asked for."""
        if self.first == "customer":
            return AHEAD_OF_EVERYONE
        return IN_TURN if self.in_turn else BEHIND_EVERYONE


@dataclass(frozen=True, slots=True)
class Step:
    """An attempt took a step at this instant."""

    attempt: str
    step: StepName
    at: int
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """An attempt's channels are gone. `outcome` is None where the events do not say how: read the ticket."""

    attempt: str
    outcome: str | None
    evidence: tuple[str, ...]
    at: int


News = Step | Ended


def channel_id(attempt: str, leg: Literal[1, 2] = 1) -> str:
    """The Uniqueid of an attempt's leg."""
    return f"lcr-{attempt}-{leg}"


def safe_value(value: str) -> bool:
    """Tell whether a dialplan reads the value as nothing but a value."""
    return _SAFE.fullmatch(value) is not None


def originate(order: Order, now_s: float) -> list[tuple[str, str]]:
    """The headers of the Originate; ValueError for a value that the dialplan would read as more than a value.

    `now_s` is the PBX's clock, epoch seconds. Asterisk itself hangs up the agent's phone at `ring_until`, whatever the
    queue does: with `timeoutpriority=conf` it lets it ring past the time-out given to Queue. The customer's phone our
    own Dial bounds.
    """
    left_s = order.ring_until - now_s
    if order.first == "customer":
        legs = ("Local/s@lcr-customer/n", "lcr-waiting", channel_id(order.attempt, 2), channel_id(order.attempt, 1))
        timeout_s = min(order.ring_s, left_s) + CONNECTING_S
    else:
        legs = ("Local/s@lcr-agent/n", "lcr-customer", channel_id(order.attempt, 1), channel_id(order.attempt, 2))
        timeout_s = min(order.agent_wait_s + CONNECTING_S, left_s)
    channel, context, own_id, other_id = legs
    return [
        ("Channel", channel),
        ("Context", context),
        ("Exten", "s"),
        ("Priority", "1"),
        ("ChannelId", own_id),
        ("OtherChannelId", other_id),
        ("CallerID", f'"{order.agent_reads}" <{order.agent_sees}>'),
        ("Timeout", str(max(1000, int(timeout_s * 1000)))),
        ("Async", "true"),
        *[("Variable", f"__{name}={value}") for name, value in _variables(order).items()],
    ]


def _variables(order: Order) -> dict[str, str]:
    """What our contexts read of an order."""
    variables = {
        "LCR_ID": order.attempt,
        "LCR_FIRST": order.first,
        "LCR_QUEUE": order.queue,
        "LCR_PRIO": str(order.prio),
        "LCR_AGENT_WAIT": str(order.agent_wait_s),
        "LCR_DIAL": order.dial,
        "LCR_RING": str(order.ring_s),
        "LCR_RING_UNTIL": str(order.ring_until),
        "LCR_CALLER_NUM": order.caller_num,
        "LCR_CALLER_NAME": order.caller_name,
        "LCR_AGENT_NUM": order.agent_sees,
        "LCR_AGENT_NAME": order.agent_reads,
        "LCR_RECORD": "yes" if order.record else "no",
    }
    for name, value in variables.items():
        if not safe_value(value):
            raise ValueError(f"{name} holds a character that a dialplan reads as more than a value: {value!r}")
    return variables


@dataclass(slots=True)
class _Followed:
    """What was heard of one attempt so far."""

    offset: int  # of the first message about it
    facts: Facts = field(default_factory=Facts)
    since: int | None = None  # the first tick that found it
    customer_leg: str | None = None
    answered: bool = False
    agent_at: int | None = None
    told: bool = False  # our contexts said how it ended
    seen: list[str] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)


class Dialler:
    """Follows our attempts from the stream; every attempt ends once.

    `reached_after_s` is how long both legs must have been bridged to count as reached.
    """

    def __init__(self, reached_after_s: float) -> None:
        self.reached_after_s = reached_after_s
        self._followed: dict[str, _Followed] = {}

    def oldest_offset(self) -> int | None:
        """The journal offset from which every unfinished attempt can be heard again."""
        return min((f.offset for f in self._followed.values()), default=None)

    def forget(self, attempt: str) -> None:
        """Stop following an attempt that was resolved otherwise."""
        self._followed.pop(attempt, None)

    def tick(self, now: int) -> None:
        """Forget the attempts that are followed for longer than any takes: their tickets say what became of them."""
        for attempt, followed in list(self._followed.items()):
            followed.since = now if followed.since is None else followed.since
            if now - followed.since > AGE_LIMIT_S * SECOND:
                self.forget(attempt)

    def forget_before(self, offset: int) -> None:
        """Forget the attempts that hold the journal from before an offset: their tickets resolve them."""
        for attempt in [a for a, f in self._followed.items() if f.offset < offset]:
            self.forget(attempt)

    def adopt(self, attempt: str, offset: int) -> None:
        """Follow an attempt that is already under way, as a snapshot shows it."""
        self._followed.setdefault(attempt, _Followed(offset))

    def keep_only(self, live: set[str]) -> list[News]:
        """Given all attempts that have a live channel: the others that are followed have ended unseen."""
        return [self._end(attempt, 0, unseen=True) for attempt in self._followed.keys() - live]

    def feed(self, message: Message, at: int, offset: int) -> list[News]:
        """Take a message of the stream; what it means for our attempts, in order."""
        attempt, name = attempt_told_of(message), message.name
        if attempt is None:
            return []
        if attempt not in self._followed:
            if name != "Newchannel":
                return []  # its end was told already, or it belongs to nobody
            self._followed[attempt] = _Followed(offset)
        return self._read(attempt, self._followed[attempt], name, message, at)

    def _read(self, attempt: str, followed: _Followed, name: str, message: Message, at: int) -> list[News]:
        step = _READERS[name](followed, attempt, message, at)
        if step is not None:
            followed.seen.append(f"{step.removesuffix('_at').replace('_', ' ')} at {at / 1e6:.3f}")
            agent = message.get("MemberName") or message.get("Interface") or None
            return [Step(attempt, step, at, agent if step == "agent_connected_at" else None)]
        over = followed.gone >= {channel_id(attempt, 1), channel_id(attempt, 2)}
        return [self._end(attempt, at)] if over else []

    def _end(self, attempt: str, at: int, *, unseen: bool = False) -> Ended:
        followed = self._followed.pop(attempt)
        outcome = outcome_of(followed.facts, self.reached_after_s) if followed.told and not unseen else None
        return Ended(attempt, None if outcome == "unknown" else outcome, tuple(followed.seen), at)


def _newchannel(_followed: _Followed, _attempt: str, _message: Message, _at: int) -> None:
    """That it is followed from here on is all that it says."""


def _agent_connect(followed: _Followed, _attempt: str, _message: Message, at: int) -> StepName | None:
    if followed.agent_at is not None:
        return None
    followed.agent_at = at
    followed.facts = replace(followed.facts, agent_connected=True)
    return "agent_connected_at"


def _dial_begin(followed: _Followed, attempt: str, message: Message, _at: int) -> StepName | None:
    if message.get("Uniqueid") != channel_id(attempt) or followed.customer_leg:
        return None
    followed.customer_leg = message.get("DestUniqueid")
    return "customer_dialled_at"


def _dial_end(followed: _Followed, attempt: str, message: Message, _at: int) -> StepName | None:
    ours = message.get("Uniqueid") == channel_id(attempt)
    if not ours or message.get("DialStatus") != "ANSWER" or followed.answered:
        return None
    followed.answered = True
    return "customer_answered_at"


def _hangup(followed: _Followed, attempt: str, message: Message, at: int) -> None:
    followed.gone.add(message.get("Uniqueid"))
    _cause(followed, attempt, message, at)


def _cause(followed: _Followed, _attempt: str, message: Message, _at: int) -> None:
    """How the customer's own leg ended; its HangupRequest comes first, and may be all there is in time."""
    if message.get("Uniqueid") != followed.customer_leg:
        return
    cause, tech = message.get("Cause"), message.get("TechCause")
    if cause.isdigit():
        followed.facts = replace(followed.facts, cause=int(cause), tech_cause=int(tech) if tech.isdigit() else None)


def _user_event(followed: _Followed, attempt: str, message: Message, at: int) -> None:
    """What our own contexts say; believed only on our own channel, about its own attempt."""
    word = message.get("UserEvent")
    if message.get("CallbackId") != attempt or attempt_of(message.get("Uniqueid")) != attempt:
        return
    followed.told = followed.told or word in {"LcrRefused", "LcrAgent", "LcrEnded"}
    if word == "LcrRefused":
        followed.facts = replace(followed.facts, refused=message.get("Why"))
        followed.seen.append(f"LcrRefused {message.get('Why')}")
    elif word == "LcrAgent":
        followed.facts = replace(followed.facts, queue_status=message.get("QueueStatus"))
        followed.seen.append(f"LcrAgent queue status {message.get('QueueStatus') or 'none'}")
    elif word == "LcrEnded":
        _dial_ended(followed, message, at)


def _dial_ended(followed: _Followed, message: Message, at: int) -> None:
    """How our Dial ended. Who was called first talks from when an agent took him: the PBX may not know since when."""
    status, cause, talked = (message.get(key) for key in ("DialStatus", "HangupCause", "AnsweredTime"))
    facts, seconds = followed.facts, None
    if status == "ANSWER" and talked.isdigit():
        seconds = float(talked)
    elif status == "ANSWER" and followed.agent_at is not None:
        seconds = max(0, at - followed.agent_at) / SECOND
    own_cause = int(cause) if cause.isdigit() else None
    cause_now = facts.cause if facts.cause is not None else own_cause
    followed.facts = replace(facts, dial_status=status, cause=cause_now, talked_s=seconds)
    followed.seen.append(f"LcrEnded {status or 'before dialling'} cause {cause} after {seconds or 0:.0f} s")


_READERS: Final = {
    "Newchannel": _newchannel,
    "AgentConnect": _agent_connect,
    "DialBegin": _dial_begin,
    "DialEnd": _dial_end,
    "Hangup": _hangup,
    "HangupRequest": _cause,
    "UserEvent": _user_event,
}


KINDS: Final = frozenset(name.encode() for name in _READERS)
"""The kinds of event that may tell something of an attempt."""
_BEGINNINGS: Final = tuple(b"Event: " + kind + b"\r\n" for kind in KINDS)


def wanted(raw: bytes) -> bool:
    """Tell by a look at its bytes whether an event may be about an attempt of ours."""
    return raw.startswith(_BEGINNINGS) and raw.find(_MARK) >= 0  # twice as fast as "in"


def attempt_told_of(message: Message) -> str | None:
    """Give the attempt of ours that a message tells something about; None for all that nobody here reads."""
    if not (wanted(message.raw) and whole(message.raw)):
        return None
    return attempt_of(message.get("Linkedid")) or attempt_of(message.get("Uniqueid"))
