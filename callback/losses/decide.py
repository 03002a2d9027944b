"""What becomes of a lost call: a reservation, one more loss of one that stands, or no callback, and why. Pure.

Facts in, one decision out: `intake` gathers the facts, and `apply` does what is decided.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from callback.customers.caller import Caller, Customer, NotCalled
from callback.customers.loss import Doubt, Loss
from scheduler.clock import SECOND
from scheduler.incident import State
from scheduler.promise import Promise, by, late_news, merge
from scheduler.severity import Harm, severity

QUIET_MERGE_S: Final = 600  # a loss merged sooner than this after the last one sends no second text
PAUSED: Final = "paused"
ONE_RING_BURST: Final = "one-ring-burst"
Unfit = Literal["no-queue", "short-abandon"] | Doubt
TooLate = Literal["late-news", "answered-since"]
Refusal = NotCalled | Literal["number-blocked", "one-ring-burst"]
NoCallback = Unfit | TooLate | Refusal | Literal["paused"]


@dataclass(frozen=True, slots=True)
class Incident:
    """The incident that a loss belongs to, after it: it holds its callers while it is `holding`.

    `id` is None and `was` too where it begins with this loss; `others` are the reservations that it takes in now.
    """

    id: int | None
    was: State | None
    state: State
    last_lost_at: int
    others: tuple[int, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether whoever is lost by it is held."""
        return self.state == "holding"


@dataclass(frozen=True, slots=True)
class Standing:
    """The open reservation that a caller has in this queue."""

    reservation: int
    losses: int
    last_lost_at: int
    severity: int
    slot_at: int | None
    deadline_at: int
    overdue_by_at: int | None
    incident: int | None
    text_refusal: str | None
    kept: Promise  # the promise in force


@dataclass(frozen=True, slots=True)
class Known:
    """What else decides. What was not asked for, because it could change nothing, stands as no hindrance."""

    now: int
    pledge: Promise  # what can be promised for this loss
    first_start_at: int = 0  # when the service first listened to this PBX
    spoken_to_since: bool = False  # an agent spoke to the caller after the loss
    burst: bool = False  # one ring, like many others of the same block of numbers
    cause: str = ""  # what other losses of one incident have in common with this one
    incident: Incident | None = None
    standing: Standing | None = None
    paused: bool = False  # a person stopped registering in the queue


@dataclass(frozen=True, slots=True)
class Reserve:
    """Reserve a callback."""

    customer: Customer
    pledge: Promise
    severity: int
    cause: str = ""
    incident: Incident | None = None


@dataclass(frozen=True, slots=True)
class Join:
    """Join the loss to the reservation that stands: raised, since the customer is at the phone now.

    `pledge` is in force from then on, never later than what stands; `chosen` tells that it is a time to come that was
    chosen, `anew` that it follows one that was broken. `again`: the customer is told, though told before.
    """

    customer: Customer
    standing: Standing
    pledge: Promise
    chosen: bool
    anew: bool
    again: bool
    cause: str = ""
    incident: Incident | None = None


@dataclass(frozen=True, slots=True)
class Refuse:
    """List the number as refused, for people to release it."""

    why: Refusal
    customer: Customer
    pledge: Promise
    severity: int


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nobody is called back."""

    why: NoCallback


Decision = Reserve | Join | Refuse | Nothing


def decide(loss: Loss, caller: Caller, known: Known, short_abandon_s: float) -> Decision:
    """Decide what becomes of a loss."""
    too_late_or_unfit = unfit(loss, short_abandon_s) or (PAUSED if known.paused else outdated(loss, known))
    if too_late_or_unfit is not None:
        return Nothing(too_late_or_unfit)
    why = _refusal(caller, known)
    if (customer := caller.customer) is None:
        return Nothing(why or "no-number")
    return owed(loss, customer, known) if why is None else Refuse(why, customer, known.pledge, _harm(loss))


def unfit(loss: Loss, short_abandon_s: float) -> Unfit | None:
    """Why nobody would be called back for such a loss, whoever called and whenever; None where somebody might."""
    if not loss.queue:
        return "no-queue"
    if loss.doubt is not None:
        return loss.doubt
    return "short-abandon" if loss.kind == "abandoned" and loss.waited_s < short_abandon_s else None


def outdated(loss: Loss, known: Known) -> TooLate | None:
    """Why it is too late to call anybody back for a loss; None where it is not."""
    if late_news(loss.lost_at, known.now, known.pledge, known.first_start_at):
        return "late-news"
    return "answered-since" if known.spoken_to_since else None


def owed(loss: Loss, customer: Customer, known: Known) -> Reserve | Join:
    """How a callback is owed for a loss for which somebody is called back."""
    standing = known.standing
    if standing is None:
        return Reserve(customer, known.pledge, _harm(loss), known.cause, known.incident)
    chosen = standing.slot_at is not None and standing.slot_at > known.now
    pledge = standing.kept if chosen else _renewed(standing, known)
    anew = pledge is not standing.kept and standing.deadline_at <= known.now
    again = anew or loss.lost_at - standing.last_lost_at >= QUIET_MERGE_S * SECOND
    return Join(customer, standing, pledge, chosen, anew, again, known.cause, known.incident)


def _refusal(caller: Caller, known: Known) -> Refusal | None:
    """Why this number is not called back; None where it is."""
    if caller.refused is not None:
        return caller.refused
    if caller.calls_blocked:
        return "number-blocked"
    return ONE_RING_BURST if known.burst else None


def _renewed(standing: Standing, known: Known) -> Promise:
    """The promise after one more loss: a broken one is made anew, by the time that the customer was told, if any."""
    if standing.kept.deadline_at > known.now:
        return merge(standing.kept, known.pledge)
    return known.pledge if standing.overdue_by_at is None else by(known.pledge, standing.overdue_by_at)


def _harm(loss: Loss) -> int:
    return severity([Harm(loss.kind, loss.waited_s)])
