"""Parts of a page that needs nothing else, neither script nor picture: figures, bars, tables, coloured grids.

Every word is escaped here. Tables that are wider than the page scroll inside themselves, and no cell is broken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, Literal

_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1f2328;--dim:#59636e;--line:#d1d9e0;--paper:#fff;--soft:#f3f5f7;
--hot:239,125,40;--cold:84,163,255;--need:#bc4c00;--plan:#c3ccd5;--peak:#1f2328}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--dim:#9aa4af;--line:#333b44;--paper:#0d1117;--soft:#171c23;
--hot:186,78,8;--cold:28,92,184;--need:#ff9950;--plan:#45505c;--peak:#fff}}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:0 auto;padding:1.5rem 1rem 3rem;color:var(--ink);
background:var(--paper);overflow-wrap:anywhere}
h1{font-size:1.75rem;line-height:1.2;margin:.5rem 0}h2{margin:2.5rem 0 .5rem;border-top:1px solid var(--line);
padding-top:1.25rem;font-size:1.35rem}h3{margin:1.25rem 0 .25rem;font-size:1.05rem}
p{margin:.5rem 0}.dim,caption{color:var(--dim);font-size:.9rem}
ul{padding-left:1.2rem;margin:.5rem 0}li{margin:.2rem 0}
.tiles,.beside,.small{display:grid;gap:1rem;margin:1rem 0}
.tiles{grid-template-columns:repeat(auto-fit,minmax(9rem,1fr))}
.tiles div{background:var(--soft);border-radius:.5rem;padding:.75rem 1rem;font-size:.9rem;line-height:1.35}
.tiles b{display:block;font-size:1.7rem;line-height:1.25;font-variant-numeric:tabular-nums}
.beside{grid-template-columns:repeat(auto-fit,minmax(min(20rem,100%),1fr));gap:1rem 2.5rem}.beside>*{min-width:0}
.small{grid-template-columns:repeat(auto-fill,minmax(15rem,1fr))}svg{display:block;width:100%;height:auto}
.scroll{overflow-x:auto;margin:1rem 0}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
.scroll th,.scroll td{padding:.3rem .6rem;border-bottom:1px solid var(--line);white-space:nowrap;text-align:right}
.scroll th{font-weight:600;font-size:.85rem;vertical-align:bottom;white-space:normal;overflow-wrap:normal}
.scroll th:first-child,.scroll td:first-child{text-align:left}
.scroll tr.sum td{font-weight:600}
dl.bars{display:grid;grid-template-columns:max-content 1fr max-content;gap:.35rem .75rem;align-items:center;
margin:1rem 0}
dl.bars dt{max-width:14rem}dl.bars dd{margin:0;font-variant-numeric:tabular-nums;text-align:right}
dl.bars i{display:block;height:1.1rem;background:var(--soft);border-radius:.2rem;overflow:hidden}
dl.bars i i{background:rgb(var(--hot));border-radius:0}dl.bars i.good i{background:rgb(var(--cold))}
table.grid{width:100%;table-layout:fixed;font-size:.8rem;line-height:1.35;margin:.5rem 0;border-collapse:separate;
border-spacing:1px}.grid th{font-weight:400;color:var(--dim);overflow-wrap:normal}.grid thead th{font-size:.8rem}
.grid th.row{width:3rem;text-align:right;padding-right:.4rem}.grid th.hour{color:var(--ink)}
.grid td{text-align:center;background:rgba(var(--tint,0,0,0),var(--a,0));height:1.3rem;padding:0;border-radius:2px}
.grid td.soft{background:var(--soft)}.hot{--tint:var(--hot)}.cold{--tint:var(--cold)}
.grid td.frame{outline:2px solid var(--peak);outline-offset:-2px;font-weight:700}
.key{display:flex;flex-wrap:wrap;gap:.25rem 1rem;color:var(--dim);font-size:.85rem;margin:.5rem 0}
.key span{display:inline-flex;align-items:center;gap:.35rem}
.key i{display:inline-block;width:1.5rem;height:1rem;border-radius:2px;background:rgba(var(--tint,0,0,0),var(--a,0))}
.key i.soft{background:var(--soft)}.key i.frame{outline:2px solid var(--peak);outline-offset:-2px}
.key i.plan{background:var(--plan)}.key i.need{height:3px;background:var(--need)}
@media print{h2{break-after:avoid}.small svg,table.grid{break-inside:avoid}}
"""

Tone = Literal["hot", "cold", "soft", ""]
Table = tuple[Sequence[str], Sequence[Sequence[str]]]
"""A head and its rows."""


@dataclass(frozen=True, slots=True)
class Shade:
    """A cell of a grid: what stands in it, what it says to who points at it, and how deep (0 to 1) it is coloured."""

    text: str
    says: str
    tone: Tone = ""
    depth: float = 0.0
    framed: bool = False

    @property
    def drawn(self) -> str:
        """Give the attributes that colour it."""
        names = " ".join(filter(None, (self.tone, "frame" if self.framed else "")))
        depth = f' style="--a:{0.1 + 0.9 * self.depth:.2f}"' if self.tone in {"hot", "cold"} else ""
        return (_class(names) if names else "") + depth


@dataclass(frozen=True, slots=True)
class Bar:
    """A share as a bar, with its name before it and its figures behind it; it may be a good one."""

    name: str
    share: float
    figures: str
    good: bool = False


def page(title: str, parts: Iterable[str]) -> str:
    """Give the page."""
    head = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head><body>'
    )
    return head + "\n".join(part for part in parts if part) + "</body></html>\n"


def heading(level: int, words: str) -> str:
    """Give a heading."""
    return f"<h{level}>{escape(words)}</h{level}>"


def words(text: str) -> str:
    """Give a paragraph in small letters."""
    return f'<p class="dim">{escape(text)}</p>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, summed: bool = False) -> str:
    """Give a table, which scrolls where it is too wide; if it is `summed`, the last row is the sum."""
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    lines = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    last = len(lines) - 1 if summed else -1
    body = "".join(f"<tr{_class('sum') if place == last else ''}>{line}</tr>" for place, line in enumerate(lines))
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def points(lines: Iterable[str | tuple[str, Sequence[str]]]) -> str:
    """Give a list; a line with others that belong to it has them below it."""
    found = "".join(
        f"<li>{escape(line)}</li>" if isinstance(line, str) else f"<li>{escape(line[0])}{points(line[1])}</li>"
        for line in lines
    )
    return f"<ul>{found}</ul>" if found else ""


def tiles(figures: Iterable[tuple[str, str]]) -> str:
    """Give figures, each with its words below it."""
    found = "".join(f"<div><b>{escape(figure)}</b>{escape(said)}</div>" for figure, said in figures)
    return f'<div class="tiles">{found}</div>'


def bars(rows: Iterable[Bar]) -> str:
    """Give bars below each other, all of one scale."""
    found = "".join(
        f"<dt>{escape(bar.name)}</dt><dd><i{_class('good') if bar.good else ''}>"
        f'<i style="width:{100 * min(1.0, bar.share):.1f}%"></i></i></dd><dd>{escape(bar.figures)}</dd>'
        for bar in rows
    )
    return f'<dl class="bars">{found}</dl>'


def grid(down: Sequence[str], across: Sequence[str], cells: Mapping[tuple[int, int], Shade]) -> str:
    """Give a grid of coloured cells by row and column; every row and every column has its name, day below weekday."""
    top = "".join(f"<th>{escape(name).replace(' ', '<br>')}</th>" for name in across)
    rows = "".join(
        f'<tr><th class="row{" hour" * name.endswith(":00")}">{escape(name)}</th>'
        + "".join(_cell(cells.get((row, column))) for column in range(len(across)))
        + "</tr>"
        for row, name in enumerate(down)
    )
    return f'<table class="grid"><thead><tr><th class="row"></th>{top}</tr></thead><tbody>{rows}</tbody></table>'


def _class(name: str) -> str:
    return f' class="{name}"'


def _cell(cell: Shade | None) -> str:
    return f'<td{cell.drawn} title="{escape(cell.says)}">{escape(cell.text)}</td>' if cell else "<td></td>"


def key(entries: Iterable[tuple[str, str]]) -> str:
    """Say what colours mean: attributes of a swatch, and words."""
    return f'<p class="key">{"".join(f"<span><i{drawn}></i>{escape(said)}</span>" for drawn, said in entries)}</p>'


def beside(*parts: str) -> str:
    """Put parts beside each other where there is room."""
    return f'<div class="beside">{"".join(f"<div>{part}</div>" for part in parts if part)}</div>'


def small(pictures: Iterable[str]) -> str:
    """Put small pictures beside each other."""
    return f'<div class="small">{"".join(pictures)}</div>'
