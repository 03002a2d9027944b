"""The service's real rules as the simulated world asks them: hours, promises, retries, order and policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from scheduler import retry
from scheduler.candidate import Candidate
from scheduler.clock import SECOND
from scheduler.hours import Hours
from scheduler.order import AgentMatching, NextCall, QueueState, choose
from scheduler.policy import CallbackPolicy, QueueLoad
from scheduler.promise import Promise, PromiseTerms, promise
from scheduler.simulation.world import Scene


@dataclass(frozen=True, slots=True)
class Service:
    """One site's rules with one policy; without a policy nobody is called.

    `handle_s` and `patience_s` are the means that a load is judged by.
    """

    hours: Hours
    policy: CallbackPolicy | None
    handle_s: float
    patience_s: float
    terms: PromiseTerms = field(default_factory=PromiseTerms)
    tries: retry.RetryPolicy = field(default_factory=retry.RetryPolicy)
    longest_ring_s: int = 20

    def promised(self, lost_at: int) -> Promise:
        """Promise as the service does to who gave up waiting."""
        return promise("abandoned", lost_at, lost_at, self.hours, self.terms)

    def choose(self, owed: Sequence[Candidate], scene: Scene, now: int) -> Candidate | None:
        """Choose as the service does; all who serve any queue are one centre."""
        if self.policy is None or not self._rings_out(now):
            return None
        load = QueueLoad(scene.staffed, scene.idle, scene.calls_s, self.handle_s, self.patience_s)
        state = QueueState(scene.free, {}, {}, loads=dict.fromkeys(scene.free, load))
        decision = choose(owed, AgentMatching(state, self.policy), self.hours, now)
        return decision.candidate if isinstance(decision, NextCall) else None

    def _rings_out(self, now: int) -> bool:
        """Whether a whole ring from now on ends before the quiet hours."""
        until = self.hours.ring_until(now)
        return until is not None and until >= now + self.longest_ring_s * SECOND

    def after(self, outcome: str, tries: int, now: int) -> int | None:
        """Follow the table of retries."""
        row = retry.after(outcome, tries, self.tries)
        if not isinstance(row, retry.Retry):
            return None
        return retry.due_at(row, self.hours, now, ring_until=now, longest_ring_s=self.longest_ring_s)
