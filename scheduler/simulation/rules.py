"""The service's rules, as the simulation asks for them: hours, promises, retries, order and policy."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from scheduler import retry
from scheduler.candidate import IN_AIM, IN_WINDOW, OVERDUE, Candidate
from scheduler.clock import SECOND
from scheduler.hours import Hours
from scheduler.order import BINDS, AgentMatching, NextCall, QueueState, choose
from scheduler.policy import CallbackPolicy, QueueLoad, binds_at
from scheduler.promise import Promise, PromiseTerms, promise
from scheduler.simulation.world import CentreState


@dataclass(frozen=True, slots=True)
class SimulatedRules:
    """One site's rules with one policy; without a policy nobody is called back.

    `handle_s` and `patience_s` are the means that a load is judged by.
    """

    hours: Hours
    policy: CallbackPolicy | None
    handle_s: float
    patience_s: float
    terms: PromiseTerms = field(default_factory=PromiseTerms)
    tries: retry.RetryPolicy = field(default_factory=retry.RetryPolicy)
    longest_ring_s: int = 20

    @property
    def call_back(self) -> bool:
        """Whether anybody is called back: if there is a policy."""
        return self.policy is not None

    def promised(self, lost_at: int) -> Promise:
        """Promise what the service promises a caller who gave up waiting."""
        return promise("abandoned", lost_at, lost_at, self.hours, self.terms)

    def choose(self, candidates: Sequence[Candidate], state: CentreState, now: int) -> Candidate | None:
        """Choose as the service does; all agents together are one load."""
        if self.policy is None or not self._rings_out(now):
            return None
        load = QueueLoad(state.staffed, state.idle, state.calls_s, self.handle_s, self.patience_s)
        queues = QueueState(state.free, {}, {}, loads=dict.fromkeys(state.free, load))
        matching = AgentMatching(queues, self.policy)
        callable_in = matching.callable_in()
        if not any(callable_in.values()):
            return None
        decision = choose(_first_of_lanes(candidates, callable_in, self.policy, now), matching, self.hours, now)
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


def _first_of_lanes(
    candidates: Sequence[Candidate], callable_in: Mapping[str, frozenset[str]], policy: CallbackPolicy, now: int
) -> Iterator[Candidate]:
    """Give of each lane whoever could be called first: in an overload a thousand others wait, and would be judged too.

    The lanes are stretches of `candidates`, because aims and deadlines rise in the order of the losses.
    """
    live = bisect_left(candidates, now, key=lambda one: one.deadline_at)
    in_aim = bisect_left(candidates, now, key=lambda one: one.aim_at)
    bound = bisect_right(candidates, now, key=lambda one: binds_at(one, policy)) if policy.bind_s else 0
    stretches = {OVERDUE: range(live), IN_WINDOW: range(live, in_aim), IN_AIM: range(in_aim, len(candidates))}
    for name, lane in policy.lanes.items():
        stretch = stretches[name]
        ready = (
            candidates[place]
            for place in (stretch if lane.first == "oldest" else reversed(stretch))
            if candidates[place].begins_at <= now
            and (
                candidates[place].queue in callable_in[name]
                or (live <= place < bound and candidates[place].queue in callable_in[BINDS])
            )
        )
        for _, alike in groupby(ready, key=lambda one: one.clock_starts_at):
            yield from alike
            break
