"""The seeded centre on an ordinary busy day: who is at work, who waits, and five weeks of calls behind it."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from typing import Final

from callback.attempts.agent_states import Agent, AgentState
from callback.attempts.snapshot import CallerWaiting, Live
from callback.history.past_calls import PastCallWriter
from scheduler.clock import DAY, HOUR, MINUTE, SECOND
from scheduler.policy import QueueLoad
from telephony.queue_log.briefs import Brief
from tests.console.centre import NOW, Centre, picture

WEEKS: Final = 5
_NAMES: Final = (
    "Aiko", "Ben", "Chika", "Daiki", "Emi", "Fang", "Goro", "Hana", "Ichiro", "Jun", "Kaori", "Lin", "Mei", "Nao",
    "Otto", "Ping", "Rin", "Wei",
)  # fmt: skip
_STATES: Final[tuple[AgentState, ...]] = ("talking",) * 9 + ("callback",) * 4 + ("free",) * 3 + ("paused",) * 2
_QUEUES: Final = (("support", "billing"), ("support",), ("sales",), ("华语客服", "support"))
_OPENS_H, _CLOSES_H, _BUSIEST_H = 9, 20, 14
_TODAY: Final = (NOW + 9 * HOUR) // DAY * DAY - 9 * HOUR  # midnight in Tokyo


def liven(centre: Centre) -> None:
    """Let eighteen agents be at work, five callers wait, and calls have come as they come there."""
    centre.show(NOW, _live())
    writer = PastCallWriter(centre.world.store)
    for call in _calls():
        writer.add(call)
    writer.finish({})


def _live() -> Live:
    agents = tuple(
        Agent(f"PJSIP/10{n:02}", name, _QUEUES[n % len(_QUEUES)], state, NOW - (n * 97 % 1900) * SECOND)
        for n, (name, state) in enumerate(zip(_NAMES, _STATES, strict=True))
    )
    queues = {queue for agent in agents for queue in agent.queues}
    there = {queue: frozenset(agent.phone for agent in agents if queue in agent.queues) for queue in queues}
    free = {
        queue: frozenset(one.phone for one in agents if one.state == "free" and queue in one.queues) - there["support"]
        for queue in queues
    }
    pool = frozenset({"support", "billing"})
    loads = dict.fromkeys(pool, QueueLoad(len(there["support"]), 0, 0.0565, 240.0, 90.0, pool))
    loads |= {queue: QueueLoad(len(there[queue]), 1, 0.004, 240.0, 90.0) for queue in ("sales", "华语客服")}
    callers = {
        "support": tuple(CallerWaiting(NOW - s * SECOND, owed=s == 72) for s in (72, 31, 4)),
        "sales": tuple(CallerWaiting(NOW - s * SECOND, owed=False) for s in (22, 9)),
    }
    waiting = {queue: len(ones) for queue, ones in callers.items()}
    picture_ = replace(picture(), free=free, waiting=waiting, loads=loads, at_work=there, phones=there)
    return replace(picture_, agents=agents, callers=callers, heard_at=NOW)


def _calls() -> list[Brief]:
    """Calls of the weeks before, and of today until now: most in the early afternoon, one in nine lost."""
    chance = random.Random(5)  # noqa: S311 - nothing secret depends on it
    calls = []
    for days_ago in range(7 * WEEKS, -1, -1):
        for half_hour in range(2 * _OPENS_H, 2 * _CLOSES_H):
            begins_at = _TODAY - days_ago * DAY + half_hour * 30 * MINUTE
            busy = 20 * math.exp(-(((half_hour / 2 - _BUSIEST_H) / 3.5) ** 2)) * (1.25 if days_ago == 0 else 1)
            calls += [
                _call(f"{days_ago}.{half_hour}.{n}", begins_at + chance.randrange(30 * 60) * SECOND, chance)
                for n in range(max(0, round(chance.gauss(busy, busy**0.5))))
            ]
    return [call for call in calls if call.over_at < NOW]


def _call(call_id: str, began_at: int, chance: random.Random) -> Brief:
    lost = chance.random() < 1 / 9
    waited, talked = chance.randrange(5, 240) * SECOND, 0 if lost else chance.randrange(60, 400) * SECOND
    return Brief(
        pbx="main",
        call_id=call_id,
        queue=chance.choice(("support", "support", "billing", "sales")),
        number=f"+8170{chance.randrange(10**8):08}",
        kind="abandoned" if lost else "served",
        reason="gave-up-waiting" if lost else None,
        began_at=began_at,
        over_at=began_at + waited + talked,
        waited=waited,
        talked=talked,
        agent=None if lost else "PJSIP/1001",
        talked_at=None if lost else began_at + waited,
    )
