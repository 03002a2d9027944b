"""The pictures of docs/policy.md say the figures that they are drawn from, a policy in one colour."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from callback.reports.pages.simulation import agents, trade_off

TRADE_OFF = trade_off({"none": [(0.131, 0.0)], "in_time": [(0.151, 0.1), (0.172, 0.5)], "default": [(0.16, 0.25)]})
AGENTS = agents({"in_time": [0.4, 0.95], "default": [0.5, 1.0]})


def words(picture: str) -> list[str]:
    return re.findall(r">([^<>]+)</text>", picture)


def colours(picture: str) -> dict[str, str]:
    return {name: colour for colour, name in re.findall(r'fill="(#\w+)"><title>(\w+):', picture)}


def test_they_are_whole_and_need_nothing_else() -> None:
    for picture in (TRADE_OFF, AGENTS):
        assert ET.fromstring(picture).tag.endswith("svg")  # noqa: S314 - our own
        assert "href" not in picture


def test_each_dot_says_its_policy_and_figures() -> None:
    dots = re.findall(r"<circle[^>]*><title>([^<]*)</title></circle>", TRADE_OFF)
    assert dots == ["none: 0.131, 0.0000", "in_time: 0.151, 0.1000", "in_time: 0.172, 0.5000", "default: 0.16, 0.2500"]


def test_a_policy_has_one_colour_in_both() -> None:
    assert colours(AGENTS).items() <= colours(TRADE_OFF).items()
    assert len(set(colours(TRADE_OFF).values())) == 3


def test_the_axes_hold_all_points_and_the_aim() -> None:
    assert [word for word in words(TRADE_OFF) if word.endswith("%")][6:] == ["90%", "13%", "14%", "15%", "16%", "17%"]
    assert [word for word in words(AGENTS) if word.startswith("+")] == ["+0", "+1"]
    across = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', TRADE_OFF)]
    assert 60 < min(across) < max(across) < 590
