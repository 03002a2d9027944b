"""The benchmark of the import works, and refuses figures of an import that tells something else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import imports
from benchmarks.errors import BenchmarkError

LINES = 4000


def test_the_log_has_just_so_many_lines_and_its_calls_are_known(tmp_path: Path) -> None:
    written = imports.write(tmp_path / "log", LINES)
    lines = (tmp_path / "log").read_text().splitlines()
    assert len(lines) == written.lines == LINES
    assert sum("|ENTERQUEUE|" in line for line in lines) == written.calls.total()
    assert sum("|ABANDON|" in line for line in lines) == written.calls["abandoned"]
    assert lines == sorted(lines, key=lambda line: int(line.partition("|")[0]))


def test_the_last_line_has_every_figure(capsys: pytest.CaptureFixture[str]) -> None:
    assert benchmarks.main(["import", "--lines", str(LINES), "--rounds", "1"]) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures.keys() == {"lines_per_s", "lines_per_s_best", "seconds", "rss_mb", "lines", "calls"}
    assert figures["lines"] == LINES
    assert all(value > 0 for value in figures.values())


def test_figures_of_an_import_that_tells_something_else_are_void(tmp_path: Path) -> None:
    written = imports.write(tmp_path / "log", LINES)
    ran = imports.run(tmp_path / "log")
    imports.checked(ran, written)
    written.calls["answered"] += 1
    with pytest.raises(BenchmarkError, match="the import told"):
        imports.checked(ran, written)
