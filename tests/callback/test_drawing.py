"""Pictures: whole SVG, and what stands out does."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from callback import drawing


@pytest.mark.parametrize(
    "picture",
    [
        drawing.lines("A & B", ["1 h", "2 h"], {"ours <": [0.1, None], "theirs": [0.2, 2.0]}, 1.0, "ahead"),
        drawing.heat("Lost", ["Mon", "Tue"], ["09:00", "09:30"], {(0, 0): 1.0, (1, 1): 4.0}, {(1, 1)}),
        drawing.heat("Nothing", ["Mon"], ["09:00"], {}, set()),
    ],
)
def test_pictures_are_svg(picture: str) -> None:
    root = ET.fromstring(picture)  # noqa: S314 - our own
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.attrib["aria-label"]


def test_the_heat_map_frames_what_it_is_told() -> None:
    picture = drawing.heat("Lost", ["Mon"], ["09:00", "09:30"], {(0, 0): 1.0, (0, 1): 4.0}, {(0, 1)})
    assert picture.count('stroke-width="2"') == 1
    assert picture.index('fill-opacity="0.29') < picture.index('fill-opacity="1.00"')
