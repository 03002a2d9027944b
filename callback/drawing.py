"""Pictures as SVG text: lines, and a heat map. No library, no script; they show on a light and a dark page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 760, 340
LEFT, RIGHT, TOP, BOTTOM = 60, 170, 40, 50
INK, FAINT, PAPER = "#24292f", "#d0d7de", "#ffffff"
COLOURS = ("#0969da", "#bc4c00", "#6e7781", "#1a7f37", "#8250df", "#bf3989")


def _text(x: float, y: float, words: str, size: int = 12, anchor: str = "start") -> str:
    where = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"'
    return f'<text {where} fill="{INK}">{escape(words)}</text>'


def _page(title: str, parts: Sequence[str], height: int = HEIGHT) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(title)}" font-family="system-ui, sans-serif">'
        f'<rect width="{WIDTH}" height="{height}" fill="{PAPER}"/>'
    )
    return "\n".join([head, _text(LEFT, 24, title, 15), *parts, "</svg>"]) + "\n"


def lines(
    title: str,
    across: Sequence[str],
    series: Mapping[str, Sequence[float | None]],
    top: float,
    axis: str,
    marks: int = 4,
    unit: str = "%",
) -> str:
    """Draw one line for each of `series` over the words `across`, from 0 to `top`; None leaves a gap.

    Values are shares, told in percent, or with another `unit` plain numbers.
    """
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    step = wide / max(1, len(across) - 1)

    def place(number: int, value: float) -> tuple[float, float]:
        return LEFT + number * step, TOP + high * (1 - min(value, top) / top)

    parts = []
    for mark in range(marks + 1):
        x, y = place(0, top * mark / marks)
        parts.append(f'<line x1="{x}" x2="{LEFT + wide}" y1="{y:.1f}" y2="{y:.1f}" stroke="{FAINT}"/>')
        value = top * mark / marks
        parts.append(_text(LEFT - 8, y + 4, f"{value:.0%}" if unit == "%" else f"{value:g}{unit}", 12, "end"))
    every = -(-len(across) // 12)
    parts += [
        _text(place(number, 0)[0], HEIGHT - BOTTOM + 18, words, 12, "middle")
        for number, words in enumerate(across)
        if number % every == 0
    ]
    parts.append(_text(LEFT + wide / 2, HEIGHT - 10, axis, 12, "middle"))
    for place_in, (name, values) in enumerate(series.items()):
        colour = COLOURS[place_in % len(COLOURS)]
        points = [place(number, value) for number, value in enumerate(values) if value is not None]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        if len(points) <= marks * 4:
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
        y = TOP + 14 + 20 * place_in
        parts.append(f'<rect x="{WIDTH - RIGHT + 14}" y="{y - 9}" width="12" height="12" fill="{colour}"/>')
        parts.append(_text(WIDTH - RIGHT + 32, y + 2, name))
    return _page(title, parts)


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
            f'fill="{COLOURS[1]}" fill-opacity="{0.06 + 0.94 * value / most:.2f}"{frame}>'
            f"<title>{escape(f'{down[row]} {across[column]}: {value:.1f}')}</title></rect>"
        )
    bottom = TOP + high * len(down) + 18
    parts += [
        _text(LEFT + wide * column, bottom, words, 11)
        for column, words in enumerate(across)
        if words.endswith(":00") and column % 4 in {0, 1}
    ]
    return _page(title, parts, bottom + 16)
