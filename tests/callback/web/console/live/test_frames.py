"""Whatever frame a viewer begins with: with those that follow it has what the view shows."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from callback.web.console.live.frames import Shown, frame
from callback.web.console.live.views import Rendered, hashed

TEXTS = st.sampled_from(["a", "b", "<b>", '"\n'])
NAMES = st.sampled_from(["late", "binds", "held"])


@st.composite
def contents(draw: st.DrawFn) -> Rendered:
    ids = draw(st.lists(st.integers(1, 8), unique=True, max_size=6))
    cut = draw(st.integers(0, len(ids)))
    return Rendered(
        order={"calling": ids[:cut], "late": ids[cut:]},
        rows={id_: draw(TEXTS) for id_ in ids},
        figures=draw(st.dictionaries(NAMES, TEXTS)),
        parts=draw(st.dictionaries(NAMES, TEXTS)),
    )


class Page:
    """What a browser makes of frames."""

    def __init__(self) -> None:
        self.rows: dict[int, str] = {}
        self.order: dict[str, list[int]] = {}
        self.figures: dict[str, str] = {}
        self.parts: dict[str, str] = {}

    def take(self, facts: dict[str, Any]) -> None:
        if facts.get("whole"):
            self.rows, self.order, self.figures, self.parts = {}, {}, {}, {}
        self.rows.update({int(id_): row for id_, row in facts.get("rows", {}).items()})
        self.order = facts.get("order", self.order)
        self.figures.update(facts.get("figures", {}))
        self.parts.update(facts.get("parts", {}))
        shown = {id_ for ids in self.order.values() for id_ in ids}
        self.rows = {id_: row for id_, row in self.rows.items() if id_ in shown}

    def shows(self, rendered: Rendered) -> bool:
        """Figures and parts that a page has and nobody speaks of any more stay as they are: they are part of it."""
        has_all = all(self.figures[name] == text for name, text in rendered.figures.items())
        return (
            self.rows == rendered.rows
            and self.order == rendered.order
            and list(self.order) == list(rendered.order)
            and has_all
            and all(self.parts[name] == text for name, text in rendered.parts.items())
        )


def read(facts: dict[str, Any]) -> dict[str, Any]:
    """A frame as it arrives."""
    event = frame(facts, "x-1").decode()
    data, id_, *rest = event.split("\n")
    assert (id_, rest) == ("id: x-1", ["", ""])
    got: dict[str, Any] = json.loads(data.removeprefix("data: "))
    return got


@given(st.lists(contents(), min_size=1, max_size=6), st.data())
def test_the_whole_and_all_that_follows_is_what_is_shown(moments: list[Rendered], data: st.DataObject) -> None:
    joins = data.draw(st.integers(0, len(moments) - 1))
    shown, page = Shown(), Page()
    for place, moment in enumerate(moments):
        shown.show(moment, place + 1)
        if place >= joins:
            page.take(read(shown.whole() if place == joins else shown.since(place + 1)))
            assert page.shows(moment)


@given(st.lists(contents(), min_size=2, max_size=6), st.data())
def test_who_was_away_gets_what_was_missed_in_one_frame(moments: list[Rendered], data: st.DataObject) -> None:
    shown, page = Shown(), Page()
    left = data.draw(st.integers(1, len(moments) - 1))
    for place, moment in enumerate(moments):
        shown.show(moment, place + 1)
        if place < left:
            page.take(read(shown.whole() if place == 0 else shown.since(place + 1)))
    page.take(read(shown.since(left)))
    assert page.shows(moments[-1])


@given(contents())
def test_what_did_not_change_makes_no_frame(moment: Rendered) -> None:
    shown = Shown()
    shown.show(moment, 1)
    assert shown.show(moment, 2) == []
    assert shown.since(2) == {}


def test_a_row_that_left_is_told_once_and_not_when_it_is_back() -> None:
    shown = Shown()
    shown.show(Rendered({"late": [1, 2]}, {1: "a", 2: "b"}), 1)
    assert shown.show(Rendered({"late": [2]}, {2: "b"}), 2) == [1]
    shown.leave(1, "reached by 1004", 2)
    assert shown.since(2) == {"gone": {1: "reached by 1004"}, "order": {"late": [2]}}
    shown.show(Rendered({"late": [1, 2]}, {1: "a", 2: "b"}), 3)
    assert shown.since(2) == {"rows": {1: "a"}, "order": {"late": [1, 2]}}
    shown.show(Rendered({"late": [2]}, {2: "b"}), 4)
    shown.leave(1, "cancelled", 4)
    shown.forget(5)
    assert "gone" not in shown.since(4)


def test_a_view_without_a_list_says_nothing_of_another_ones() -> None:
    shown = Shown()
    shown.show(Rendered(figures={"late": "1"}), 1)
    assert shown.whole() == {"whole": True, "figures": {"late": "1"}}
    emptied = Shown()
    emptied.show(Rendered({"late": [1]}, {1: "a"}), 1)
    emptied.show(Rendered(), 2)
    assert emptied.whole() == {"whole": True, "order": {}}


def test_who_looks_at_a_row_that_is_not_here_is_not_told() -> None:
    shown = Shown()
    shown.show(Rendered({"late": [1, 2]}, {1: "a", 2: "b"}), 1)
    assert shown.look({2: ["Bo"], 7: ["Anna"]}, 2)
    assert not shown.look({2: ["Bo"]}, 3)
    assert shown.since(2) == {"who": {2: ["Bo"]}}
    assert shown.look({}, 4)
    assert shown.since(4) == {"who": {}}


def test_an_element_tells_by_its_hash_whether_it_changed() -> None:
    one, same, other = (hashed(html) for html in ('<tr id="r-1"><td>a', '<tr id="r-1"><td>a', '<tr id="r-1"><td>b'))
    assert one == same != other
    assert one.startswith('<tr data-hash="')
    assert one.endswith('" id="r-1"><td>a')
    assert hashed("<p>x</p>").endswith('">x</p>')
