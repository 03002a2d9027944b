"""Pictures: whole SVG, and what stands out does."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callback.reports.pages import svg


@pytest.mark.parametrize(
    "picture",
    [
        svg.lines("A & B", ["1 h", "2 h"], {"ours <": [0.1, None], "theirs": [0.2, 2.0]}, 1.0, "ahead"),
        svg.heat("Lost", ["Mon", "Tue"], ["09:00", "09:30"], {(0, 0): 1.0, (1, 1): 4.0}, {(1, 1)}),
        svg.heat("Nothing", ["Mon"], ["09:00"], {}, set()),
        svg.steps("Mon <1>", range(18, 24), [1] * 48, [0] * 48, 1),
        svg.steps("Nobody", range(0), [0] * 48, [0] * 48, 0),
    ],
)
def test_pictures_are_svg(picture: str) -> None:
    root = ET.fromstring(picture)  # noqa: S314 - our own
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.attrib["aria-label"]


def test_the_heat_map_frames_what_it_is_told() -> None:
    picture = svg.heat("Lost", ["Mon"], ["09:00", "09:30"], {(0, 0): 1.0, (0, 1): 4.0}, {(0, 1)})
    assert picture.count('stroke-width="2"') == 1
    assert picture.index('fill-opacity="0.29') < picture.index('fill-opacity="1.00"')


def test_every_hour_of_the_heat_map_has_its_number_and_the_shades_have_a_key() -> None:
    across = [f"{number // 2:02}:{number % 2 * 30:02}" for number in range(17, 40)]
    picture = svg.heat("Lost", ["Mon"], across, {(0, 1): 8.0}, set())
    words = re.findall(r">([^<>]+)</text>", picture)
    assert [word for word in words if word.isdecimal()] == [str(hour) for hour in range(9, 20)]
    assert words[-5:] == ["0.0", "2.0", "4.0", "6.0", "8.0"]


def test_staff_is_drawn_in_steps() -> None:
    picture = svg.steps("Mon", range(18, 22), [2] * 19 + [4] * 29, [3] * 48, 4)
    (line,) = re.findall(r'<polyline points="([^"]*)"', picture)
    points = [tuple(map(float, point.split(","))) for point in line.split()]
    assert len(points) == 8
    assert all(x == next_x or y == next_y for (x, y), (next_x, next_y) in pairwise(points))


@given(st.integers(0, 100_000))
def test_an_axis_of_agents_has_whole_marks_and_few(top: int) -> None:
    marks = list(svg.whole_marks(top))
    assert marks[0] == 0
    assert marks[-1] <= max(top, 1)
    assert 2 <= len(marks) <= 5
    assert all(isinstance(mark, int) for mark in marks)
