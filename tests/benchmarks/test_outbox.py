"""The benchmark of the outbox runs, and what it prints last is for programs."""

from __future__ import annotations

import json

import pytest

from benchmarks.outbox import main
from lab import postgres


@pytest.mark.postgresql
def test_it_sends_each_text_once_and_says_how_fast(
    postgres_binaries: postgres.Binaries, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--quick"]) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {"sqlite_per_s", "postgresql_per_s", "sqlite_commits_per_text", "postgresql_ratio_to_bare"} <= set(figures)
    assert min(figures.values()) > 0
