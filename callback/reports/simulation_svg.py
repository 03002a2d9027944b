"""The pictures of docs/policy.md: what callbacks cost live callers, and how many agents 90% would need. Plain SVG."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from callback.errors import CallbackError
from callback.reports.svg import paper, svg, text
from scheduler.policy import CallbackPolicy, Lane
from scheduler.simulation import trial
from scheduler.simulation.measures import Measure
from scheduler.simulation.month import Month, with_more

Judge = Callable[[Month, CallbackPolicy | None, Sequence[int], int, str], dict[str, Measure]]
Point = tuple[float, float]

WIDTH, HEIGHT, EDGE = 640, 400, 60
NEEDED = 0.9  # of lost callers dialled within 30 minutes
MOST_MORE = 6  # agents beside those who were there
FACTORS = (0.25, 0.5, 1.0, 1.5, 2.5)  # of the prices of `default`, to draw its line
KEPT = (0, 1, 2, 3)  # agents, to draw the line of `in_time`
COLOURS = {"none": "#666", "fifo": "#b35900", "newest": "#7a3db8", "in_time": "#1f6fb2", "default": "#1a7f37"}


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


def trade_off(lines: Mapping[str, Sequence[Point]]) -> str:
    """Draw shares of hang-ups (across) against shares dialled within 30 minutes (up), a line for each policy."""
    points = [point for line in lines.values() for point in line]
    span = (min(x for x, _ in points) - 0.005, max(x for x, _ in points) + 0.005)
    return _picture(
        "Share of lost callers dialled within 30 minutes", "live callers who hang up", span, _tenths(span, 0.01), lines
    )


def agents(needed: Mapping[str, Sequence[float]]) -> str:
    """Draw the share dialled within 30 minutes (up) by how many more agents there are all day (across)."""
    lines = {name: [(float(more), share) for more, share in enumerate(shares)] for name, shares in needed.items()}
    most = max(len(shares) for shares in needed.values()) - 1
    ticks = [(float(more), f"+{more}") for more in range(most + 1)]
    return _picture(
        "Share of lost callers dialled within 30 minutes", "more agents, all day", (0.0, float(most)), ticks, lines
    )


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


def _trade(figures: Mapping[str, Measure]) -> Point:
    return figures["inbound_hangups"].value, figures["dialled_30"].value


def _dialled(figures: Mapping[str, Measure]) -> float:
    return figures["dialled_30"].value


def _tenths(span: tuple[float, float], step: float) -> list[tuple[float, str]]:
    first, last = int(span[0] / step) + 1, int(span[1] / step)
    return [(number * step, f"{number * step:.0%}") for number in range(first, last + 1)]


def _picture(
    title: str,
    across: str,
    span: tuple[float, float],
    ticks: Sequence[tuple[float, str]],
    lines: Mapping[str, Sequence[Point]],
) -> str:
    """Draw one line a policy in a frame; upwards from 0 to 100%."""

    def place(point: Point) -> Point:
        x, y = point
        wide, high = WIDTH - 2 * EDGE, HEIGHT - 2 * EDGE
        return round(EDGE + (x - span[0]) / (span[1] - span[0]) * wide, 1), round(HEIGHT - EDGE - y * high, 1)

    parts = [
        paper(WIDTH, HEIGHT),
        text(WIDTH / 2, 24, title, anchor="middle"),
        text(WIDTH / 2, HEIGHT - 14, across, anchor="middle"),
        *(_rule(place((span[0], share / 5)), place((span[1], share / 5)), f"{share / 5:.0%}") for share in range(6)),
        _needed(place((span[0], NEEDED)), place((span[1], NEEDED))),
        *(text(place((value, 0))[0], HEIGHT - EDGE + 18, label, anchor="middle") for value, label in ticks),
        *(_line(name, line, [place(point) for point in line]) for name, line in lines.items()),
        *(_key(number, name) for number, name in enumerate(lines)),
    ]
    return svg(title, parts, WIDTH, HEIGHT)


def _line(name: str, told: Sequence[Point], points: Sequence[Point]) -> str:
    """Draw a line with its dots; each dot says its figures to who points at it."""
    colour = COLOURS.get(name, "#000")
    path = " ".join(f"{x},{y}" for x, y in points)
    dots = "".join(
        f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}"><title>{name}: {across:.4g}, {up:.4f}</title></circle>'
        for (x, y), (across, up) in zip(points, told, strict=True)
    )
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>{dots}'


def _key(number: int, name: str) -> str:
    y = 44 + number * 16
    return f'<rect x="{EDGE + 10}" y="{y}" width="12" height="4" fill="{COLOURS.get(name, "#000")}"/>' + text(
        EDGE + 28, y + 6, name
    )


def _rule(left: Point, right: Point, label: str) -> str:
    line = f'<line x1="{left[0]}" y1="{left[1]}" x2="{right[0]}" y2="{right[1]}" stroke="#ddd"/>'
    return line + text(left[0] - 6, left[1] + 4, label, anchor="end")


def _needed(left: Point, right: Point) -> str:
    return (
        f'<line x1="{left[0]}" y1="{left[1]}" x2="{right[0]}" y2="{right[1]}" stroke="#c00" stroke-dasharray="5 4"/>'
        + text(right[0] + 6, right[1] + 4, f"{NEEDED:.0%}")
    )
