"""docs/metrics.md is what the code says, and docs/watching.md knows every reason not to be ready."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

from callback.operations import readiness
from callback.operations.metrics.page import page

DOCS = Path(__file__).parents[4] / "docs"


def test_the_page_is_made_from_the_families() -> None:
    assert (DOCS / "metrics.md").read_text() == page(), "python -m callback.operations.metrics.page > docs/metrics.md"


def test_every_reason_not_to_be_ready_is_explained() -> None:
    said = set(re.findall(r"`([a-z-]+)`", (DOCS / "watching.md").read_text()))
    strings = {
        node.value
        for node in ast.walk(ast.parse(inspect.getsource(readiness)))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    words = {one for one in strings if re.fullmatch(r"[a-z]+(-[a-z]+)+", one)} - {"stands-by", "at-work"}
    assert words
    assert words <= said
