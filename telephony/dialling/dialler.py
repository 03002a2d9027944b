"""Places a callback and follows it: agent first or customer first, by our own contexts and their ticket.

The contexts are in `dialplan/extensions_lcr.conf`. An attempt's channels have the ids `lcr-<attempt>-1` (which dials
the customer) and `-2` (which asks the queue for an agent), whoever comes first; every leg carries one of them as its
Linkedid.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from telephony.ami.protocol import Message
from telephony.ami.sieve import whole
from telephony.dialling.outcome import Facts, outcome_of
from telephony.ids import SECOND, attempt_of

BEHIND_EVERYONE: Final = -5  # QUEUE_PRIO; measured: behind all who wait, even those who come later
IN_TURN: Final = 0  # as callers have it: behind all who wait, before those who come later
AHEAD_OF_EVERYONE: Final = 1000  # for a customer who was called first and waits; an agent was free
CONNECTING_S: Final = 5
"""Time that the PBX may need beside ringing before it gives up on the first leg."""
STOPS_WITHIN_S: Final = 2
"""The last ring stops less than this after `ring_until`: the dialplan's EPOCH is cut to whole seconds, which makes a
ring up to one second longer, and the PBX takes a moment to stop it; under load 20 ms were measured."""
AGE_LIMIT_S: Final = 12 * 3600
"""No callback takes longer. A forged attempt, or one whose end was lost, holds the journal no longer than this."""
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
    agent: str = ""  # the phone that alone is rung, as the queue dials it; empty: the queue finds an agent

    @property
    def prio(self) -> int:
        """The QUEUE_PRIO with which an agent is asked for."""
        if self.first == "customer":
            return AHEAD_OF_EVERYONE
        return IN_TURN if self.in_turn else BEHIND_EVERYONE


@dataclass(frozen=True, slots=True)
class AttemptStep:
    """An attempt reached this step at `at`."""

    attempt: str
    step: StepName
    at: int
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """An attempt's channels have hung up. `outcome` is None if the events do not tell it: read the ticket."""

    attempt: str
    outcome: str | None
    evidence: tuple[str, ...]
    at: int


AttemptEvent = AttemptStep | AttemptEnd


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
        "LCR_AGENT": order.agent,
    }
    for name, value in variables.items():
        if not safe_value(value):
            raise ValueError(f"{name} holds a character that a dialplan reads as more than a value: {value!r}")
    return variables


@dataclass(slots=True)
class _AttemptProgress:
    """What the events have told of one attempt so far."""

    offset: int  # of the first message about it
    facts: Facts = field(default_factory=Facts)
    since: int | None = None  # the first tick after it began
    customer_leg: str | None = None
    answered: bool = False
    alone: bool = False  # one agent alone is rung, by Dial: no AgentConnect tells that the agent has answered
    agent_at: int | None = None
    ended: bool = False  # our contexts said how it ended
    evidence: list[str] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)


class Dialler:
    """Follows our attempts in the stream of events; each ends once.

    `reached_after_s` says how long both legs must have been bridged to count as reached.
    """

    def __init__(self, reached_after_s: Callable[[], float]) -> None:
        self.reached_after_s = reached_after_s
        self._attempts: dict[str, _AttemptProgress] = {}

    def oldest_offset(self) -> int | None:
        """The journal offset from which every unfinished attempt can be heard again."""
        return min((f.offset for f in self._attempts.values()), default=None)

    def forget(self, attempt: str) -> None:
        """Stop following an attempt that was resolved by other means."""
        self._attempts.pop(attempt, None)

    def tick(self, now: int) -> None:
        """Forget the attempts that are followed longer than any lasts: their tickets tell the outcome."""
        for attempt, progress in list(self._attempts.items()):
            progress.since = now if progress.since is None else progress.since
            if now - progress.since > AGE_LIMIT_S * SECOND:
                self.forget(attempt)

    def forget_before(self, offset: int) -> None:
        """Forget the attempts that hold the journal from before an offset: their tickets resolve them."""
        for attempt in [a for a, f in self._attempts.items() if f.offset < offset]:
            self.forget(attempt)

    def adopt(self, attempt: str, offset: int) -> None:
        """Follow an attempt whose channels a listing shows."""
        self._attempts.setdefault(attempt, _AttemptProgress(offset))

    def keep_only(self, live: set[str]) -> list[AttemptEvent]:
        """End all followed attempts but those in `live`, which have a live channel: their end was not seen."""
        return [self._end(attempt, 0, unseen=True) for attempt in self._attempts.keys() - live]

    def take(self, attempt: str, message: Message, at: int, offset: int) -> list[AttemptEvent]:
        """Take a message about an attempt of ours (see `attempt_of_message`); give what it tells of it, in order."""
        name = message.name
        if attempt not in self._attempts:
            if name != "Newchannel":
                return []  # its end was told already, or it belongs to nobody
            self._attempts[attempt] = _AttemptProgress(offset)
        return self._read(attempt, self._attempts[attempt], name, message, at)

    def _read(
        self, attempt: str, progress: _AttemptProgress, name: str, message: Message, at: int
    ) -> list[AttemptEvent]:
        step = _READERS[name](progress, attempt, message, at)
        if step is not None:
            progress.evidence.append(f"{step.removesuffix('_at').replace('_', ' ')} at {at / 1e6:.3f}")
            agent = message.get("MemberName") or message.get("Interface") or None
            return [AttemptStep(attempt, step, at, agent if step == "agent_connected_at" else None)]
        over = progress.gone >= {channel_id(attempt, 1), channel_id(attempt, 2)}
        return [self._end(attempt, at)] if over else []

    def _end(self, attempt: str, at: int, *, unseen: bool = False) -> AttemptEnd:
        progress = self._attempts.pop(attempt)
        outcome = outcome_of(progress.facts, self.reached_after_s()) if progress.ended and not unseen else None
        return AttemptEnd(attempt, None if outcome == "unknown" else outcome, tuple(progress.evidence), at)


def _newchannel(_progress: _AttemptProgress, _attempt: str, _message: Message, _at: int) -> None:
    """Take nothing from it: it only begins the following."""


def _agent_connect(progress: _AttemptProgress, _attempt: str, _message: Message, at: int) -> StepName | None:
    if progress.agent_at is not None:
        return None
    progress.agent_at = at
    progress.facts = replace(progress.facts, agent_connected=True)
    return "agent_connected_at"


def _dial_begin(progress: _AttemptProgress, attempt: str, message: Message, _at: int) -> StepName | None:
    if message.get("Uniqueid") != channel_id(attempt) or progress.customer_leg:
        return None
    progress.customer_leg = message.get("DestUniqueid")
    return "customer_dialled_at"


def _dial_end(progress: _AttemptProgress, attempt: str, message: Message, at: int) -> StepName | None:
    answered = message.get("DialStatus") == "ANSWER"
    if answered and progress.alone and message.get("Uniqueid") == channel_id(attempt, 2):
        return _agent_connect(progress, attempt, message, at)
    if not answered or message.get("Uniqueid") != channel_id(attempt) or progress.answered:
        return None
    progress.answered = True
    return "customer_answered_at"


def _hangup(progress: _AttemptProgress, attempt: str, message: Message, at: int) -> None:
    progress.gone.add(message.get("Uniqueid"))
    _cause(progress, attempt, message, at)


def _cause(progress: _AttemptProgress, _attempt: str, message: Message, _at: int) -> None:
    """Take the cause of the customer's leg; its HangupRequest comes first, and may be the only one in time."""
    if message.get("Uniqueid") != progress.customer_leg:
        return
    cause, tech = message.get("Cause"), message.get("TechCause")
    if cause.isdigit():
        progress.facts = replace(progress.facts, cause=int(cause), tech_cause=int(tech) if tech.isdigit() else None)


def _user_event(progress: _AttemptProgress, attempt: str, message: Message, at: int) -> None:
    """Take a UserEvent of our contexts; it counts only on our own channel, about its own attempt."""
    word = message.get("UserEvent")
    if message.get("CallbackId") != attempt or attempt_of(message.get("Uniqueid")) != attempt:
        return
    progress.ended = progress.ended or word in {"LcrRefused", "LcrAgent", "LcrEnded"}
    if word == "LcrRefused":
        progress.facts = replace(progress.facts, refused=message.get("Why"))
        progress.evidence.append(f"LcrRefused {message.get('Why')}")
    elif word == "LcrAlone":
        progress.alone = True
        progress.evidence.append("LcrAlone one agent alone is rung")
    elif word == "LcrAgent":
        progress.facts = replace(progress.facts, queue_status=message.get("QueueStatus"))
        progress.evidence.append(f"LcrAgent queue status {message.get('QueueStatus') or 'none'}")
    elif word == "LcrEnded":
        _dial_ended(progress, message, at)


def _dial_ended(progress: _AttemptProgress, message: Message, at: int) -> None:
    """Take how our Dial ended. A customer called first talks from AgentConnect on: AnsweredTime may be missing."""
    status, cause, talked = (message.get(key) for key in ("DialStatus", "HangupCause", "AnsweredTime"))
    facts, seconds = progress.facts, None
    if status == "ANSWER" and talked.isdigit():
        seconds = float(talked)
    elif status == "ANSWER" and progress.agent_at is not None:
        seconds = max(0, at - progress.agent_at) / SECOND
    own_cause = int(cause) if cause.isdigit() else None
    cause_now = facts.cause if facts.cause is not None else own_cause
    progress.facts = replace(facts, dial_status=status, cause=cause_now, talked_s=seconds)
    progress.evidence.append(f"LcrEnded {status or 'before dialling'} cause {cause} after {seconds or 0:.0f} s")


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
"""The kinds of event that may be about an attempt."""
_BEGINNINGS: Final = tuple(b"Event: " + kind + b"\r\n" for kind in KINDS)


def wanted(raw: bytes) -> bool:
    """Tell from the bytes whether an event may be about an attempt of ours."""
    return raw.startswith(_BEGINNINGS) and raw.find(_MARK) >= 0  # twice as fast as "in"


def attempt_of_message(message: Message) -> str | None:
    """Give the attempt of ours that a message is about; None if it is about none, or of a kind not read here."""
    if not (wanted(message.raw) and whole(message.raw)):
        return None
    return attempt_of(message.get("Linkedid")) or attempt_of(message.get("Uniqueid"))
