"""The page of events: made from their classes, and current."""

from __future__ import annotations

import re
from pathlib import Path

from callback.events import KINDS
from callback.service import event_page

DOCS = Path(__file__).parents[3] / "docs"


def test_the_page_is_the_one_that_the_classes_make() -> None:
    remedy = "python -m callback.service.event_page > docs/events.md"
    assert (DOCS / "events.md").read_text(encoding="utf-8") == event_page.page(), remedy


def test_the_alarming_ones_are_those_that_the_page_of_alarms_names() -> None:
    text = (DOCS / "alarms.md").read_text(encoding="utf-8")
    (named,) = re.findall(r"follow\. Events:\n(.*?)A channel that fails", text, re.DOTALL)
    words = set(re.findall(r"`([a-z-]+)`", named))
    assert words == {name for name, kind in KINDS.items() if kind.ALARMING}
