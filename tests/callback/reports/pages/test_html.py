"""Parts of the page: every word of others is shown and none is obeyed; every row and column has its name."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callback.reports.pages import html, svg
from callback.reports.pages.html import Bar, Shade

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=a()>',
    "sales & <b>more</b>",
    "' onmouseover='x",
    "</style>",
]
PARTS: list[Callable[[str], str]] = [
    lambda name: html.page(name, [html.heading(1, name)]),
    html.words,
    lambda name: html.table([name], [[name]]),
    lambda name: html.points([name, (name, [name])]),
    lambda name: html.tiles([(name, name)]),
    lambda name: html.bars([Bar(name, 0.5, name)]),
    lambda name: html.grid([name], [name], {(0, 0): Shade(name, name, "hot", 0.5, framed=True)}),
    lambda name: html.key([("", name)]),
    lambda name: svg.steps(name, range(2), [1, 2], [1, 1], 2),
]
OURS = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "h1",
        "p",
        "div",
        "b",
        "span",
        "i",
        "ul",
        "li",
        "dl",
        "dt",
        "dd",
    ),
    *("table", "thead", "tbody", "tr", "th", "td", "br", "svg", "text", "line", "polygon", "polyline"),
}


class Reader(HTMLParser):
    """Gathers tags, attributes and words."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.names: set[str] = set()
        self.said = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.said += data


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    return reader


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_others_are_shown_and_not_obeyed(part: Callable[[str], str], name: str) -> None:
    found = read(part(name))
    assert name.replace(" ", "") in found.said.replace(" ", "")
    assert found.tags <= OURS
    assert not {one for one in found.names if one.startswith("on") or one == "src"}


@given(st.lists(st.lists(st.text("<>&\"'a0 -"), min_size=2, max_size=2), max_size=4))
def test_a_table_holds_every_cell_as_it_is(rows: list[list[str]]) -> None:
    made = html.table(["x", "y"], rows, summed=True)
    assert read(made).said == "xy" + "".join(cell for row in rows for cell in row)
    assert made.count('class="sum"') == bool(rows)


def test_a_wide_table_scrolls_in_itself_and_no_name_in_it_is_broken() -> None:
    page = html.page("x", [html.table(["queue"], [["sales-de"]])])
    assert '<div class="scroll"><table>' in page
    (cells,) = re.findall(r"\.scroll th,\.scroll td\{([^}]*)\}", page)
    assert "white-space:nowrap" in cells
    assert re.search(r"\.scroll\{overflow-x:auto", page)
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in page


def test_every_row_and_column_of_a_grid_has_its_name() -> None:
    down, across = ["09:00", "09:30", "10:00"], ["Mon 30", "Tue 01"]
    made = html.grid(down, across, {(1, 1): Shade("+2", "why", "hot", 1.0)})
    assert re.findall(r'<th class="row[^"]*">(\d\d:\d\d)</th>', made) == down
    assert re.findall(r"<th>([^<]*)<br>([^<]*)</th>", made) == [("Mon", "30"), ("Tue", "01")]
    assert made.count("<td") == 6
    assert '<td class="hot" style="--a:1.00" title="why">+2</td>' in made


def test_the_page_needs_no_script_and_follows_the_reader_s_dark_and_light() -> None:
    page = html.page("x", [])
    assert "<script" not in page
    assert "prefers-color-scheme:dark" in page
