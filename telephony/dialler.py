"""Placing a callback and following it: the agent first, then the customer, by our own contexts and their ticket.

The contexts are in `dialplan/extensions_lcr.conf`. An attempt's channels have the ids `lcr-<attempt>-1` (which dials
the customer) and `-2` (which asks the queue for an agent); every leg carries the first as its Linkedid.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from telephony.ami.protocol import Message
from telephony.ami.sieve import whole
from telephony.ids import SECOND, attempt_of
from telephony.outcome import Facts, outcome_of

BEHIND_EVERYONE: Final = -5  # QUEUE_PRIO; measured: behind all who wait, even those who come later
AGE_LIMIT_S: Final = 12 * 3600
"""No callback takes longer: what was forged, or whose end was not heard, holds the journal no more then."""
_MARK: Final = b"lcr-"
_SAFE: Final = re.compile(r"[^&|,\"'${}\[\]\\\r\n]*")

StepName = Literal["agent_connected_at", "customer_dialled_at", "customer_answered_at"]


@dataclass(frozen=True, slots=True)
class Order:
    """A callback to place. `ring_until` is the epoch second in which the last ring must have ended."""

    attempt: str
    queue: str
    dial: str  # what Dial() rings: PJSIP/09012345678@trunk
    ring_until: int
    agent_wait_s: int
    ring_s: int
    caller_num: str  # what the customer sees
    caller_name: str
    agent_sees: str  # what the agent's phone shows
    prio: int = BEHIND_EVERYONE
    record: bool = False


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

    `now_s` is the PBX's clock, epoch seconds. Asterisk itself hangs up what rings for us at `ring_until`, whatever
    the queue does: with `timeoutpriority=conf` it lets the agent's phone ring past the time-out given to Queue.
    """
    variables = {
        "LCR_ID": order.attempt,
        "LCR_QUEUE": order.queue,
        "LCR_PRIO": str(order.prio),
        "LCR_AGENT_WAIT": str(order.agent_wait_s),
        "LCR_DIAL": order.dial,
        "LCR_RING": str(order.ring_s),
        "LCR_RING_UNTIL": str(order.ring_until),
        "LCR_CALLER_NUM": order.caller_num,
        "LCR_CALLER_NAME": order.caller_name,
        "LCR_RECORD": "yes" if order.record else "no",
    }
    for name, value in {**variables, "agent_sees": order.agent_sees}.items():
        if not safe_value(value):
            raise ValueError(f"{name} holds a character that a dialplan reads as more than a value: {value!r}")
    return [
        ("Channel", "Local/s@lcr-agent/n"),
        ("Context", "lcr-customer"),
        ("Exten", "s"),
        ("Priority", "1"),
        ("ChannelId", channel_id(order.attempt, 1)),
        ("OtherChannelId", channel_id(order.attempt, 2)),
        ("CallerID", f'"Callback" <{order.agent_sees}>'),
        ("Timeout", str(max(1000, int(min(order.agent_wait_s + 5, order.ring_until - now_s) * 1000)))),
        ("Async", "true"),
        *[("Variable", f"__{name}={value}") for name, value in variables.items()],
    ]


@dataclass(slots=True)
class _Followed:
    """What was heard of one attempt so far."""

    offset: int  # of the first message about it
    facts: Facts = field(default_factory=Facts)
    since: int | None = None  # the first tick that found it
    customer_leg: str | None = None
    answered: bool = False
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
        step = _READERS[name](followed, attempt, message)
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


def _newchannel(_followed: _Followed, _attempt: str, _message: Message) -> None:
    """That it is followed from here on is all that it says."""


def _agent_connect(followed: _Followed, _attempt: str, _message: Message) -> StepName | None:
    if followed.facts.agent_connected:
        return None
    followed.facts = replace(followed.facts, agent_connected=True)
    return "agent_connected_at"


def _dial_begin(followed: _Followed, attempt: str, message: Message) -> StepName | None:
    if message.get("Uniqueid") != channel_id(attempt) or followed.customer_leg:
        return None
    followed.customer_leg = message.get("DestUniqueid")
    return "customer_dialled_at"


def _dial_end(followed: _Followed, attempt: str, message: Message) -> StepName | None:
    ours = message.get("Uniqueid") == channel_id(attempt)
    if not ours or message.get("DialStatus") != "ANSWER" or followed.answered:
        return None
    followed.answered = True
    return "customer_answered_at"


def _hangup(followed: _Followed, attempt: str, message: Message) -> None:
    followed.gone.add(message.get("Uniqueid"))
    _cause(followed, attempt, message)


def _cause(followed: _Followed, _attempt: str, message: Message) -> None:
    """How the customer's own leg ended; its HangupRequest comes first, and may be all there is in time."""
    if message.get("Uniqueid") != followed.customer_leg:
        return
    cause, tech = message.get("Cause"), message.get("TechCause")
    if cause.isdigit():
        followed.facts = replace(followed.facts, cause=int(cause), tech_cause=int(tech) if tech.isdigit() else None)


def _user_event(followed: _Followed, attempt: str, message: Message) -> None:
    """What our own contexts say; believed only on our own channel, about its own attempt."""
    word = message.get("UserEvent")
    if message.get("CallbackId") != attempt or attempt_of(message.get("Uniqueid")) != attempt:
        return
    facts = followed.facts
    followed.told = followed.told or word in {"LcrRefused", "LcrAgent", "LcrEnded"}
    if word == "LcrRefused":
        followed.facts = replace(facts, refused=message.get("Why"))
        followed.seen.append(f"LcrRefused {message.get('Why')}")
    elif word == "LcrAgent":
        followed.facts = replace(facts, queue_status=message.get("QueueStatus"))
        followed.seen.append(f"LcrAgent queue status {message.get('QueueStatus') or 'none'}")
    elif word == "LcrEnded":
        status, cause, talked = (message.get(key) for key in ("DialStatus", "HangupCause", "AnsweredTime"))
        seconds = float(talked) if talked.isdigit() and status == "ANSWER" else None
        own_cause = int(cause) if cause.isdigit() else None
        cause_now = facts.cause if facts.cause is not None else own_cause
        followed.facts = replace(facts, dial_status=status, cause=cause_now, talked_s=seconds)
        followed.seen.append(f"LcrEnded {status or 'before dialling'} cause {cause} after {talked or 0} s")


_READERS: Final = {
    "Newchannel": _newchannel,
    "AgentConnect": _agent_connect,
    "DialBegin": _dial_begin,
    "DialEnd": _dial_end,
    "Hangup": _hangup,
    "HangupRequest": _cause,
    "UserEvent": _user_event,
}


_BEGINNINGS: Final = tuple(f"Event: {name}\r\n".encode() for name in _READERS)


def wanted(raw: bytes) -> bool:
    """Tell by a look at its bytes whether an event may be about an attempt of ours."""
    return raw.startswith(_BEGINNINGS) and _MARK in raw


def attempt_told_of(message: Message) -> str | None:
    """Give the attempt of ours that a message tells something about; None for all that nobody here reads."""
    if not (wanted(message.raw) and whole(message.raw)):
        return None
    return attempt_of(message.get("Linkedid")) or attempt_of(message.get("Uniqueid"))
