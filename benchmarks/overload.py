"""A queue_log of pure overload: more callers than agents all day, most of whom give up, and call again."""

from __future__ import annotations

import random
from heapq import heapify, heappop, heappush
from pathlib import Path
from typing import Final, NamedTuple

BEGINS_AT: Final = 1_790_553_600  # a Monday
A_DAY: Final = 86_400
OPENS_S, CLOSES_S = 8 * 3600, 20 * 3600
CALLERS_A_DAY: Final = 5_000
AGENTS: Final = tuple(f"PJSIP/{number}" for number in range(100, 110))
_TRIES: Final = 6
_REST_S: Final = 10.0


class _Caller(NamedTuple):
    """A caller who is about to call, for the so-manieth time."""

    at: float
    number: str
    tries: int


def write(path: Path, lines: int, seed: int = 1) -> None:
    """Write a log of just so many lines."""
    chance = random.Random(seed)  # noqa: S311 - a made-up log
    with path.open("w", encoding="utf-8") as log:
        day = 0
        while lines > 0:
            of_day = _day(BEGINS_AT + day * A_DAY, day, chance)[:lines]
            log.writelines(of_day)
            lines, day = lines - len(of_day), day + 1


def _day(midnight: int, day: int, chance: random.Random) -> list[str]:
    rows: list[tuple[float, int, str]] = []

    def put(at: float, call_id: str, agent: str, what: str) -> None:
        rows.append((at, len(rows), f"{int(at)}|{call_id}|support|{agent}|{what}\n"))

    opens, closes = midnight + OPENS_S, midnight + CLOSES_S
    for agent in AGENTS:
        put(opens, "NONE", agent, "ADDMEMBER|")
        put(closes, "NONE", agent, "REMOVEMEMBER|")
    to_come = [
        _Caller(opens + chance.random() * (CLOSES_S - OPENS_S), f"090{chance.randrange(10**8):08d}", 1)
        for _ in range(CALLERS_A_DAY)
    ]
    heapify(to_come)
    free = [(float(opens), agent) for agent in AGENTS]
    serial = 0
    while to_come:
        at, number, tries = heappop(to_come)
        serial += 1
        call_id = f"{int(at)}.{day * 100_000 + serial}"
        put(at, call_id, "NONE", f"ENTERQUEUE||{number}|1")
        patience_s = chance.expovariate(1 / 60)
        answered_at = max(at, free[0][0])
        if answered_at - at <= patience_s:
            talk_s, agent = chance.expovariate(1 / 180), heappop(free)[1]
            heappush(free, (answered_at + talk_s + _REST_S, agent))
            put(answered_at, call_id, agent, f"CONNECT|{answered_at - at:.0f}|{call_id}9|3")
            put(answered_at + talk_s, call_id, agent, f"COMPLETECALLER|{answered_at - at:.0f}|{talk_s:.0f}|1")
            continue
        put(at + patience_s, call_id, "NONE", f"ABANDON|1|3|{patience_s:.0f}")
        again_at = at + patience_s + chance.expovariate(1 / 300)
        if tries < _TRIES and again_at < closes and chance.random() < 0.5:  # noqa: PLR2004 - a share
            heappush(to_come, _Caller(again_at, number, tries + 1))
    return [line for _, _, line in sorted(rows)]
