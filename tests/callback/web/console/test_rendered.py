"""An element that depends on nothing but what it is given is rendered once, however often it is shown."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from callback.web.console.render import Pages


def test_the_same_element_is_rendered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pages, rendered = Pages(ZoneInfo("Asia/Tokyo")), list[object]()

    def render(_template: str, language: str, **values: object) -> str:
        rendered.append((language, values))
        return f"  <p>{values['word']}</p> "

    monkeypatch.setattr(pages, "render", render)
    first = pages.part("some.html", "en", word="a")
    assert pages.part("some.html", "en", word="a") == first
    assert first.startswith("<p data-hash=")
    assert len(rendered) == 1
    assert pages.part("some.html", "en", word="b") != first
    pages.part("some.html", "zh_Hans", word="a")
    pages.part("other.html", "en", word="a")
    assert len(rendered) == 4
