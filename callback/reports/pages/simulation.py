"""The pictures of docs/policy.md: what callbacks cost live callers, and how many agents 90% would need."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from callback.errors import CallbackError
from callback.reports.pages.svg import COLOURS, Across, Point, curves
from scheduler.policy import CallbackPolicy, Lane
from scheduler.simulation import trial
from scheduler.simulation.measures import Measure
from scheduler.simulation.month import Month, with_more

Judge = Callable[[Month, CallbackPolicy | None, Sequence[int], int, str], dict[str, Measure]]

NEEDED = 0.9  # of lost callers dialled within 30 minutes
MOST_MORE = 6  # agents beside those who were there
FACTORS = (0.25, 0.5, 1.0, 1.5, 2.5)  # of the prices of `default`, to draw its line
KEPT = (0, 1, 2, 3)  # agents, to draw the line of `in_time`


def draw(into: Path, month: Month, days: Sequence[int], seeds: int, judge: Judge) -> None:
    """Work out both pictures and write them as trade-off.svg and agents.svg."""
    lines = {name: [_trade(judge(month, one, days, seeds, name)) for one in ones] for name, ones in _family().items()}
    needed = {
        name: [
            _dialled(judge(with_more(month, more), policy, days, 1, f"{name} +{more}")) for more in range(MOST_MORE + 1)
        ]
        for name, policy in trial.POLICIES.items()
        if policy is not None
    }
    try:
        into.mkdir(parents=True, exist_ok=True)
        (into / "trade-off.svg").write_text(trade_off(lines), encoding="utf-8")
        (into / "agents.svg").write_text(agents(needed), encoding="utf-8")
    except OSError as error:
        raise CallbackError(f"--draw {into}: {error.strerror}; name a directory that can be written") from error


def trade_off(lines: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Draw shares of hang-ups (across) against shares dialled within 30 minutes (up), a line for each policy."""
    hang_ups = [x for line in lines.values() for x, _ in line]
    first, last = min(hang_ups) - 0.005, max(hang_ups) + 0.005
    ticks = [(share / 100, f"{share}%") for share in range(math.ceil(first * 100), math.floor(last * 100) + 1)]
    return _picture(Across("live callers who hang up", first, last, ticks), lines)


def agents(needed: Mapping[str, Sequence[float]]) -> str:
    """Draw the share dialled within 30 minutes (up) by how many more agents there are all day (across)."""
    lines = {name: list(enumerate(shares)) for name, shares in needed.items()}
    most = max(len(shares) for shares in needed.values()) - 1
    return _picture(Across("more agents, all day", 0, most, [(more, f"+{more}") for more in range(most + 1)]), lines)


def _picture(across: Across, lines: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Draw one line a policy, which has the same colour in every picture; each dot says its figures."""
    names = list(trial.POLICIES)
    points = {name: [Point(x, y, f"{name}: {x:.4g}, {y:.4f}") for x, y in line] for name, line in lines.items()}
    colours = [COLOURS[names.index(name) % len(COLOURS)] for name in lines]
    title = "Share of lost callers dialled within 30 minutes"
    return curves(title, across, points, marks=5, aim=NEEDED, colours=colours)


def _family() -> Mapping[str, Sequence[CallbackPolicy | None]]:
    """Give each policy with what it may be given more or less of: the prices, and the agents kept free."""
    default, in_time = trial.POLICIES["default"], trial.POLICIES["in_time"]
    if default is None or in_time is None:
        raise CallbackError("the policies default and in_time call nobody: mend trial.POLICIES")
    return {
        **{name: [trial.POLICIES[name]] for name in ("none", "fifo", "newest")},
        "in_time": [replace(in_time, keep=keep) for keep in KEPT],
        "default": [_priced(default, factor) for factor in FACTORS],
    }


def _priced(policy: CallbackPolicy, factor: float) -> CallbackPolicy:
    lanes = {name: Lane(lane.first, lane.price * factor) for name, lane in policy.lanes.items()}
    return replace(policy, lanes=lanes)


def _trade(figures: Mapping[str, Measure]) -> tuple[float, float]:
    return figures["inbound_hangups"].value, figures["dialled_30"].value


def _dialled(figures: Mapping[str, Measure]) -> float:
    return figures["dialled_30"].value
