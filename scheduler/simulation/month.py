"""A recorded month as input of the simulation: first calls, agents present, patience and redials."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from statistics import fmean, median

from scheduler.clock import HOUR
from scheduler.simulation import presence, redials
from scheduler.simulation.day import Arrival, Behaviour
from scheduler.simulation.draws import generator, shares
from scheduler.simulation.record import Recorded
from scheduler.simulation.survival import Curve, fit

HEAD_START_S = 90  # for each step of priority: seen in who was served before whom, and told by Brown et al.
REST_WITHIN_S = 2700  # chosen with presence.PresenceLimits so that the world without callbacks is the recorded one
LIMITS = presence.PresenceLimits()
ENOUGH = 100  # hang-ups of one queue, to say how patient its callers are
_RECORD = 2


@dataclass(frozen=True, slots=True)
class Month:
    """What the simulation needs of a record.

    `recorded` are its calls, `own` by day those that are no redials, `agent_days` by day the agents present.
    A call that was not served draws its talk from `talks_s`; one that did not wait its priority from `priorities`.
    """

    recorded: tuple[Recorded, ...]
    own: Mapping[int, tuple[Recorded, ...]]
    agent_days: Mapping[int, tuple[presence.AgentDay, ...]]
    behaviour: Behaviour
    talks_s: Mapping[tuple[str, int], Sequence[int]]
    priorities: Mapping[str, Sequence[int]]

    def arrivals(self, day: int, seed: int) -> list[Arrival]:
        """Give the first calls of a day; what the record does not say is drawn by the seed."""
        return [self._arrival(call, generator(seed, call.line, _RECORD)) for call in self.own[day]]

    def working_days(self) -> tuple[int, ...]:
        """Give the days with at least half as many calls as the middle one has."""
        counts = {day: len(calls) for day, calls in _by_day(self.recorded).items()}
        return tuple(day for day, count in sorted(counts.items()) if count >= median(counts.values()) / 2)

    def handle_s(self) -> dict[str, float]:
        """Give what a call takes on average, after-call work included, by queue."""
        after_s = fmean(self.behaviour.after_call_s)
        talks = _by_queue(self.recorded, served=True)
        return {queue: fmean(call.talk_s for call in calls) + after_s for queue, calls in talks.items()}

    def usual_s(self) -> float:
        """Give what a call takes on average in all queues, after-call work included."""
        return fmean(call.talk_s for call in self.recorded if call.served) + fmean(self.behaviour.after_call_s)

    def patience_s(self) -> float:
        """Give the mean patience: all seconds waited over the number who hung up."""
        hung_up = sum(not call.served for call in self.recorded)
        return max(1, sum(call.waited_s for call in self.recorded)) / max(1, hung_up)

    def _arrival(self, call: Recorded, chance: Random) -> Arrival:
        talks_s = self.talks_s.get((call.queue, (call.at - call.day) // HOUR)) or self.talks_s[call.queue, -1]
        talk_s = call.talk_s if call.served else chance.choice(talks_s)
        seen = self.priorities.get(call.queue)
        priority = call.priority if call.waited_s or call.priority or not seen else chance.choice(seen)
        return Arrival(call.line, call.at, call.queue, talk_s, HEAD_START_S * priority)


def prepare(calls: Sequence[Recorded], without: frozenset[str], limits: presence.PresenceLimits = LIMITS) -> Month:
    """Make a month of all calls of a record, except those of the queues `without`."""
    ours = tuple(call for call in calls if call.queue not in without)
    rosters = presence.infer(calls, limits, without)
    again = redials.curve(ours)
    found = redials.find(ours, again, shares(1, 0))
    return Month(
        recorded=ours,
        own={day: tuple(call for call in line if call.line not in found) for day, line in _by_day(ours).items()},
        agent_days=rosters.agent_days,
        behaviour=Behaviour(_patience(ours), again, rosters.after_call_s, rest_within_s=REST_WITHIN_S),
        talks_s=_talks(ours),
        priorities={
            queue: [call.priority for call in line if call.waited_s] for queue, line in _by_queue(ours).items()
        },
    )


def with_more(month: Month, agents: int) -> Month:
    """Give the month with more agents, who serve every queue from the first call of a day to the last."""
    queues = frozenset(call.queue for call in month.recorded)
    agent_days = {}
    for day, there in month.agent_days.items():
        span = (min(agent_day.there[0][0] for agent_day in there), max(agent_day.there[-1][1] for agent_day in there))
        more = tuple(presence.AgentDay(f"more-{number}", queues, (span,)) for number in range(agents))
        agent_days[day] = (*there, *more)
    return replace(month, agent_days=agent_days)


def _by_day(calls: Sequence[Recorded]) -> Mapping[int, list[Recorded]]:
    days: dict[int, list[Recorded]] = defaultdict(list)
    for call in calls:
        days[call.day].append(call)
    return days


def _by_queue(calls: Sequence[Recorded], *, served: bool | None = None) -> Mapping[str, list[Recorded]]:
    queues: dict[str, list[Recorded]] = defaultdict(list)
    for call in calls:
        if served is None or call.served is served:
            queues[call.queue].append(call)
    return queues


def _talks(calls: Sequence[Recorded]) -> Mapping[tuple[str, int], list[int]]:
    """Give the talks by queue and hour, and under the hour -1 all of the queue."""
    talks: dict[tuple[str, int], list[int]] = defaultdict(list)
    every = [call.talk_s for call in calls if call.served]
    for queue, line in _by_queue(calls).items():
        served = [call for call in line if call.served]
        talks[queue, -1] = [call.talk_s for call in served] or every or [0]
        for call in served:
            talks[queue, (call.at - call.day) // HOUR].append(call.talk_s)
    return talks


def _patience(calls: Sequence[Recorded]) -> Mapping[str, Curve]:
    """Fit patience by queue; where too few hung up, that of all."""
    every = _patience_of(calls)
    queues = _by_queue(calls)
    enough = {queue for queue, line in queues.items() if sum(not call.served for call in line) >= ENOUGH}
    return {queue: _patience_of(line) if queue in enough else every for queue, line in queues.items()}


def _patience_of(calls: Sequence[Recorded]) -> Curve:
    hung_up = [call.waited_s for call in calls if not call.served]
    return fit(hung_up, [call.waited_s for call in calls if call.served], tail=bool(hung_up))
