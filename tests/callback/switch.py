"""A PBX to try dialling with: it rings a customer for an attempt at most once, and never at or after its last second.

It does what the dialling contexts do (`telephony/dialplan`): the ticket is looked at beside the Dial, and seconds are
whole.
"""

from __future__ import annotations

from dataclasses import dataclass

from telephony.dialling.commands import Ticket
from telephony.dialling.dialler import AttemptEnd, AttemptEvent, AttemptStep, Order, StepName
from tests.callback.world import US

ENOUGH_S = 10  # of talk to count as reached

# what the ticket holds when an attempt has ended so, once the customer's phone rang
TICKETS = {
    "busy": "ended:BUSY:17:",
    "no-answer": "ended:NOANSWER:19:",
    "declined": "ended:CHANUNAVAIL:21:",
    "invalid-number": "ended:CHANUNAVAIL:1:",
    "trunk-failure": "ended:CONGESTION:34:",
    "agent-cancelled": "ended:CANCEL:16:",
    "customer-left": "ended:ANSWER:16:4",
    "reached": "ended:ANSWER:16:60",
}
WHILE_IT_RINGS = ("busy", "no-answer", "declined", "invalid-number", "trunk-failure", "agent-cancelled")


@dataclass
class Leg:
    """A live attempt: it looks for an agent, rings the customer or talks, until this instant at the latest."""

    order: Order
    phase: str
    until: int | None


@dataclass
class Ring:
    """A customer's phone that rang; while it rings, `ended_at` is when it must have stopped."""

    order: Order
    began_at: int
    ended_at: int


class Switch:
    """One Asterisk. What it says of attempts piles up in `said`."""

    def __init__(self) -> None:
        self.boot = 1
        self.tickets: dict[str, tuple[str, int]] = {}
        self.legs: dict[str, Leg] = {}
        self.rings: list[Ring] = []
        self.reached: list[tuple[Order, int]] = []  # who was spoken to for long enough, and since when
        self.said: list[AttemptEvent] = []

    def originate(self, order: Order, now: int) -> None:
        """An Originate arrives; one whose channels still live is refused by their id."""
        if order.attempt in self.legs:
            return
        left = order.ring_until - now // US
        if left <= 0:
            self._say_end(order.attempt, "refused-late", now)
        else:
            self.legs[order.attempt] = Leg(order, "looking", now + min(left, order.agent_wait_s) * US)

    def agent_answers(self, attempt: str, now: int) -> None:
        """The last decision before the customer's phone rings is the ticket's."""
        leg = self.legs[attempt]
        self._say_step(attempt, "agent_connected_at", now)
        left = leg.order.ring_until - now // US
        if attempt in self.tickets:
            self._over(attempt, "refused-used", now)
        elif left <= 0:
            self._over(attempt, "refused-late", now)
        else:
            self.tickets[attempt] = ("ringing", now)
            self._say_step(attempt, "customer_dialled_at", now)
            leg.phase, leg.until = "ringing", now + min(left, leg.order.ring_s) * US
            self.rings.append(Ring(leg.order, now, leg.until))

    def customer_answers(self, attempt: str, now: int) -> None:
        self._stop_ringing(attempt, now)
        self.tickets[attempt] = ("answered", now)
        self._say_step(attempt, "customer_answered_at", now)
        self.legs[attempt].phase, self.legs[attempt].until = "talking", None

    def ends(self, attempt: str, outcome: str, now: int, *, told: bool = True) -> None:
        """It is over; `told` says whether the events tell how."""
        leg = self.legs[attempt]
        if leg.phase == "talking" and outcome == "reached":
            _, answered_at = self.tickets[attempt]
            self.reached.append((leg.order, answered_at))
        if leg.phase != "looking":
            self._stop_ringing(attempt, now)
            self.tickets[attempt] = (TICKETS[outcome], now)
        self._over(attempt, outcome if told else None, now)

    def hang_up(self, attempt: str, now: int) -> None:
        """We call it off."""
        self.ends(attempt, "agent-cancelled", now, told=self.legs[attempt].phase != "looking")

    def restart(self, now: int) -> set[str]:
        """Every channel is gone without a word, and so is what AstDB wrote in the last second; give those tickets."""
        for attempt in list(self.legs):
            self._stop_ringing(attempt, now)
        self.legs.clear()
        self.boot += 1
        lost = {attempt for attempt, (_, at) in self.tickets.items() if at >= now - US}
        self.tickets = {attempt: ticket for attempt, ticket in self.tickets.items() if attempt not in lost}
        return lost

    def go_on(self, now: int) -> None:
        """What time alone ends has ended by now."""
        for attempt, leg in list(self.legs.items()):
            if leg.until is not None and leg.until <= now:
                self.ends(attempt, "agent-no-answer" if leg.phase == "looking" else "no-answer", leg.until)

    def ticket(self, attempt: str) -> Ticket:
        value, _ = self.tickets.get(attempt, (None, 0))
        return Ticket(value, f"boot {self.boot}")

    def _stop_ringing(self, attempt: str, now: int) -> None:
        for ring in self.rings:
            if ring.order.attempt == attempt:
                ring.ended_at = min(ring.ended_at, now)

    def _over(self, attempt: str, outcome: str | None, now: int) -> None:
        del self.legs[attempt]
        self._say_end(attempt, outcome, now)

    def _say_step(self, attempt: str, step: StepName, now: int) -> None:
        self.said.append(AttemptStep(attempt, step, now, "Agent One"))

    def _say_end(self, attempt: str, outcome: str | None, now: int) -> None:
        self.said.append(AttemptEnd(attempt, outcome, ("said so",), now))
