"""The benchmark of the import works, and refuses figures of an import that tells something else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import commands, imports, overload
from benchmarks.errors import BenchmarkError

LINES = 4000


def test_the_log_has_just_so_many_lines_and_its_calls_are_known(tmp_path: Path) -> None:
    written = imports.write(tmp_path / "log", LINES)
    lines = (tmp_path / "log").read_text().splitlines()
    assert len(lines) == written.lines == LINES
    assert sum("|ENTERQUEUE|" in line for line in lines) == written.calls.total()
    assert sum("|ABANDON|" in line for line in lines) == written.calls["abandoned"]
    assert lines == sorted(lines, key=lambda line: int(line.partition("|")[0]))


def test_the_log_of_overload_has_just_so_many_lines_in_order_and_most_callers_give_up(tmp_path: Path) -> None:
    overload.write(tmp_path / "log", LINES)
    lines = (tmp_path / "log").read_text().splitlines()
    assert len(lines) == LINES
    assert lines == sorted(lines, key=lambda line: int(line.partition("|")[0]))
    assert sum("|ABANDON|" in line for line in lines) > sum("|COMPLETE" in line for line in lines)


def test_the_last_line_has_every_figure_also_of_a_base(capsys: pytest.CaptureFixture[str]) -> None:
    few = ["--lines", str(LINES), "--overload", str(LINES), "--rounds", "1"]
    assert benchmarks.main(["import", *few, "--base", str(Path.cwd())]) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    base = figures.pop("base")
    assert figures.pop("lines") == LINES
    assert figures.pop("calls") > 0
    assert figures.keys() == base.keys() == {"lines_per_s", "lines_per_s_best", "hints_s", "start_s", "rss_mb"}
    assert figures["start_s"].keys() == {"--help", "queue"}
    assert all(value > 0 for value in (*figures.pop("start_s").values(), *figures.values()))


def test_figures_of_an_import_that_tells_something_else_are_void(tmp_path: Path) -> None:
    written = imports.write(tmp_path / "log", LINES)
    told = json.loads(commands.run(Path.cwd(), ["import-queue-log", str(tmp_path / "log"), "--json"]).out)
    imports.checked(told, written)
    written.calls["answered"] += 1
    with pytest.raises(BenchmarkError, match="the import told"):
        imports.checked(told, written)


def test_a_command_that_fails_has_no_figures(tmp_path: Path) -> None:
    for measure in (commands.run, commands.first_character_s):
        with pytest.raises(BenchmarkError, match=r"callback queue (?s:.*)cannot be read"):
            measure(Path.cwd(), ["queue", "--settings", str(tmp_path / "none.toml")])
