"""The page of verdicts: made from the table, current, and whole."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from telephony.calls import glossary
from telephony.calls.call import Kind
from telephony.calls.verdict import TABLE

PAGE = Path(__file__).parents[3] / "docs" / "verdicts.md"


def test_the_page_is_the_one_that_the_table_makes() -> None:
    remedy = "python -m telephony.calls.glossary > docs/verdicts.md"
    assert PAGE.read_text(encoding="utf-8") == glossary.page(), remedy


def test_every_kind_and_every_line_of_the_table_stands_in_it() -> None:
    page = glossary.page()
    assert set(glossary.KINDS) == set(get_args(Kind))
    for row in TABLE:
        assert row.condition in page
        assert row.reason is None or f"`{row.reason.replace('{cause}', '…')}`" in page
