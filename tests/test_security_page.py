"""The page on security names a test for each line, and each of them is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PAGE = (REPOSITORY / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and line[2] != "-"]
LINES = [line for line in ROWS if not line.startswith("| tries |")]


@pytest.mark.parametrize("line", LINES, ids=[line.split(" | ")[0].strip("| ")[:40] for line in LINES])
def test_what_holds_is_proved_by_tests_that_are_there(line: str) -> None:
    named = re.findall(r"\[`(test_\w+)`\]\(\.\./(tests/[\w/]+\.py)\)", line)
    assert named, "name at least one test"
    assert [test for test, file in named if test not in functions(REPOSITORY / file)] == []


def test_each_kind_of_attacker_has_lines() -> None:
    assert len(LINES) >= 20
    heads = [line for line in PAGE.splitlines() if line.startswith("## ")]
    assert len([line for line in PAGE.splitlines() if line.startswith("| tries |")]) == len(heads) - 3


def functions(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}
