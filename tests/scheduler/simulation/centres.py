"""Small call centres for the tests: a day, its agents, and callers of whom everything is known."""

from __future__ import annotations

from datetime import UTC, datetime

from scheduler import clock
from scheduler.clock import DAY, MINUTE, SECOND
from scheduler.hours import Hours
from scheduler.policy import CallbackPolicy
from scheduler.simulation.day import Arrival, Behaviour, SimulatedDay
from scheduler.simulation.presence import AgentDay
from scheduler.simulation.rules import SimulatedRules
from scheduler.simulation.survival import Curve
from scheduler.simulation.world import World

DAY_AT = clock.micros(datetime(1999, 2, 1, tzinfo=UTC))
NEVER = Curve((), ())
SITE = Hours(clock.zone("UTC"))


def at(text: str) -> int:
    """Read "10:00" or "10:00:30" on the day."""
    hours, minutes, *seconds = (int(part) for part in text.split(":"))
    return DAY_AT + hours * 60 * MINUTE + minutes * MINUTE + sum(seconds) * SECOND


def always(seconds: int) -> Curve:
    """It happens to everybody within the second that ends then."""
    return Curve((seconds,), (1.0,))


def behaviour(
    patience_s: int | None = 30, redial: Curve = NEVER, answer_rate: float = 1.0, after_s: int = 0
) -> Behaviour:
    """What everybody is like in the queue "q"."""
    patience = NEVER if patience_s is None else always(patience_s)
    return Behaviour({"q": patience}, redial, (after_s,), answer_rate)


def there(agent: str, since: str = "7:00", until: str = "23:00") -> AgentDay:
    """An agent who is there once."""
    return AgentDay(agent, frozenset({"q"}), ((at(since), at(until)),))


def simulate(
    callers: list[tuple[str, int]],
    agent_days: list[AgentDay],
    kind: Behaviour,
    policy: CallbackPolicy | None = None,
    seed: int = 0,
) -> SimulatedDay:
    """Simulate the day: callers by when they come and how many seconds they talk."""
    arrivals = [Arrival(number, at(when), "q", talk_s) for number, (when, talk_s) in enumerate(callers)]
    rules = SimulatedRules(SITE, policy, handle_s=100, patience_s=100)
    return World(arrivals, agent_days, kind, rules, seed, DAY_AT + DAY).run()
