"""Pictures as SVG text: curves, steps, and a heat map. No library, no script.

In a page they take its ink, so that they can be read on a light and on a dark one; alone they stand on white paper.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT = 760, 340
LEFT, RIGHT, TOP, BOTTOM = 60, 170, 40, 50
INK, FAINT, PAPER = "#24292f", "#d0d7de", "#ffffff"
_FAINT = f'style="stroke:var(--line,{FAINT})"'
SMALL_WIDTH, SMALL_HEIGHT = 270, 150
_SMALL_LEFT, _SMALL_TOP, _MOST_HOURS = 26, 26, 9
_MOST_TICKS, _MOST_DOTS = 12, 16  # more of them are too dense to be told apart
_SHADES = 4  # steps of the key below a heat map
COLOURS = ("#0969da", "#bc4c00", "#6e7781", "#1a7f37", "#8250df", "#bf3989")


def _text(x: float, y: float, words: str, size: int = 12, anchor: str = "start") -> str:
    """Give words as they are to stand at a place."""
    where = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"'
    return f'<text {where} style="fill:var(--ink,{INK})">{escape(words)}</text>'


def _paper(width: float, height: float) -> str:
    """Give the white ground on which a picture stands that is no part of a page."""
    return f'<rect width="{width}" height="{height}" fill="{PAPER}"/>'


def _svg(title: str, parts: Sequence[str], width: float, height: float) -> str:
    """Give a whole picture; its title is for those who cannot see it."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(title)}" font-family="system-ui, sans-serif">'
    )
    return "\n".join([head, *parts, "</svg>"]) + "\n"


def _page(title: str, parts: Sequence[str], height: int = HEIGHT) -> str:
    return _svg(title, [_paper(WIDTH, height), _text(LEFT, 24, title, 15), *parts], WIDTH, height)


class Point(NamedTuple):
    """A point of a curve; its dot says `said` to whoever points at it."""

    x: float
    y: float
    said: str = ""


@dataclass(frozen=True, slots=True)
class Across:
    """What a picture shows from left to right: from `first` to `last`, with words at some places."""

    name: str
    first: float
    last: float
    ticks: Sequence[tuple[float, str]]


def lines(
    title: str, across: Sequence[str], series: Mapping[str, Sequence[float | None]], top: float, axis: str
) -> str:
    """Draw one line for each of `series`, shares told in percent, over the words `across`, from 0 to `top`.

    None leaves a gap.
    """
    points = {
        name: [Point(number, value) for number, value in enumerate(values) if value is not None]
        for name, values in series.items()
    }
    return curves(title, Across(axis, 0, max(1, len(across) - 1), list(enumerate(across))), points, top)


def curves(
    title: str,
    across: Across,
    series: Mapping[str, Sequence[Point]],
    top: float = 1.0,
    *,
    marks: int = 4,
    aim: float | None = None,
    colours: Sequence[str] = COLOURS,
) -> str:
    """Draw one line for each of `series`, shares told in percent from 0 to `top`; `aim` is a broken line."""
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    step = wide / (across.last - across.first)

    def place(x: float, y: float) -> tuple[float, float]:
        return LEFT + (x - across.first) * step, TOP + high * (1 - min(y, top) / top)

    parts = [_level(place(across.first, top * mark / marks), wide, top * mark / marks) for mark in range(marks + 1)]
    if aim is not None:
        parts.append(_level(place(across.first, aim), wide, aim, f'stroke="{INK}" stroke-dasharray="5 4"'))
    every = -(-len(across.ticks) // _MOST_TICKS)
    parts += [
        _text(place(x, 0)[0], HEIGHT - BOTTOM + 18, words, 12, "middle") for x, words in across.ticks[:: max(1, every)]
    ]
    parts.append(_text(LEFT + wide / 2, HEIGHT - 10, across.name, 12, "middle"))
    for number, (name, points) in enumerate(series.items()):
        colour = colours[number % len(colours)]
        parts += _curve([Point(*place(point.x, point.y), point.said) for point in points], colour)
        y = TOP + 14 + 20 * number
        parts.append(f'<rect x="{WIDTH - RIGHT + 14}" y="{y - 9}" width="12" height="12" fill="{colour}"/>')
        parts.append(_text(WIDTH - RIGHT + 32, y + 2, name))
    return _page(title, parts)


def _level(left: tuple[float, float], wide: int, share: float, stroke: str = f'stroke="{FAINT}"') -> str:
    """Draw a line across at a share of the height, with its figure."""
    x, y = left
    line = f'<line x1="{x}" x2="{LEFT + wide}" y1="{y:.1f}" y2="{y:.1f}" {stroke}/>'
    return f"{line}\n{_text(LEFT - 8, y + 4, f'{share:.0%}', 12, 'end')}"


def _curve(points: Sequence[Point], colour: str) -> list[str]:
    """Draw a line through places of the picture, with dots where they are few."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
    dots = points if len(points) <= _MOST_DOTS else ()
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"{_said(said, "circle")}' for x, y, said in dots),
    ]


def _said(words: str, element: str) -> str:
    """End an element, with words that it says to whoever points at it."""
    return f"><title>{escape(words)}</title></{element}>" if words else "/>"


def heat(
    title: str,
    down: Sequence[str],
    across: Sequence[str],
    values: Mapping[tuple[int, int], float],
    framed: set[tuple[int, int]],
) -> str:
    """Draw `values` by row and column as shades, the greatest darkest, and a frame about those in `framed`."""
    most = max(values.values(), default=1.0) or 1.0
    wide, high = (WIDTH - LEFT - 20) / len(across), 26
    parts = [_text(LEFT - 8, TOP + high * (row + 0.65), name, 12, "end") for row, name in enumerate(down)]
    for (row, column), value in sorted(values.items()):
        x, y = LEFT + wide * column, TOP + high * row
        frame = f' stroke="{INK}" stroke-width="2"' if (row, column) in framed else ""
        parts.append(
            f'<rect x="{x + 1:.1f}" y="{y + 1:.1f}" width="{wide - 2:.1f}" height="{high - 2}" '
            f'fill="{COLOURS[1]}" fill-opacity="{0.06 + 0.94 * value / most:.2f}"{frame}'
            + _said(f"{down[row]} {across[column]}: {value:.1f}", "rect")
        )
    bottom = TOP + high * len(down) + 18
    parts += [
        _text(LEFT + wide * column, bottom, str(int(words[:2])), 11)
        for column, words in enumerate(across)
        if words.endswith(":00")
    ]
    parts += _shades(most, bottom + 14)
    return _page(title, parts, bottom + 46)


def _shades(most: float, y: float) -> list[str]:
    """Say what the shades of a heat map mean."""
    parts = []
    for step in range(_SHADES + 1):
        x, value = LEFT + 64 * step, most * step / _SHADES
        opacity = f"{0.06 + 0.94 * step / _SHADES:.2f}"
        parts.append(f'<rect x="{x}" y="{y:.1f}" width="22" height="14" fill="{COLOURS[1]}" fill-opacity="{opacity}"/>')
        parts.append(_text(x + 27, y + 12, f"{value:.1f}", 11))
    return parts


def steps(title: str, span: range, needed: Sequence[int], planned: Sequence[int], top: int) -> str:
    """Draw a small picture of a day's agents in the half hours `span`: needed as a line, planned as an area.

    `top` agents are the height, the same for all pictures that stand together; both axes have whole numbers.
    """
    wide, high = SMALL_WIDTH - _SMALL_LEFT - 8, SMALL_HEIGHT - _SMALL_TOP - 20
    each, full = wide / max(1, len(span)), max(1, top)

    def place(number: float, agents: float) -> str:
        return f"{_SMALL_LEFT + (number - span.start) * each:.1f},{_SMALL_TOP + high * (1 - agents / full):.1f}"

    parts = [_text(_SMALL_LEFT, 14, title, 13)]
    for mark in whole_marks(top):
        y = _SMALL_TOP + high * (1 - mark / full)
        parts.append(f'<line x1="{_SMALL_LEFT}" x2="{_SMALL_LEFT + wide}" y1="{y:.1f}" y2="{y:.1f}" {_FAINT}/>')
        parts.append(_text(_SMALL_LEFT - 5, y + 4, str(mark), 12, "end"))
    corners = {name: _corners(span, values, place) for name, values in (("planned", planned), ("needed", needed))}
    area = [place(span.start, 0), *corners["planned"], place(span.stop, 0)]
    parts.insert(1, f'<polygon points="{" ".join(area)}" style="fill:var(--plan,#c3ccd5)"/>')
    line = 'fill="none" stroke-width="2" style="stroke:var(--need,#bc4c00)"'
    parts.append(f'<polyline points="{" ".join(corners["needed"])}" {line}/>')
    hours = [number for number in range(span.start, span.stop + 1) if number % 2 == 0]
    every = -(-len(hours) // _MOST_HOURS)
    parts += [
        _text(_SMALL_LEFT + (number - span.start) * each, SMALL_HEIGHT - 5, str(number // 2), 12, "middle")
        for number in hours[::every]
    ]
    return _svg(title, parts, SMALL_WIDTH, SMALL_HEIGHT)


def _corners(span: range, values: Sequence[int], place: Callable[[float, float], str]) -> list[str]:
    return [place(number + side, values[number]) for number in span for side in (0, 1)]


def whole_marks(top: int) -> range:
    """Give whole numbers from 0 to `top` for an axis, five at most."""
    step = next(step for power in range(12) for step in (10**power, 2 * 10**power, 5 * 10**power) if step * 4 >= top)
    return range(0, max(top, 1) + 1, step)
