"""The benchmark of the console runs, loses no change, and what it prints last is for programs."""

from __future__ import annotations

import json

import pytest

from benchmarks.console.site import Size
from benchmarks.errors import BenchmarkError
from benchmarks.web import main


@pytest.mark.timeout(300)
def test_it_shows_each_change_to_everybody_and_says_how_soon(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quick", "--ear-seconds", "0"]) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    measured = ("fanout_s", "queue_p95_ms", "now_p95_ms", "timeline_p95_ms", "rss_mb", "changes", "pages_per_s")
    assert min(figures[f"sqlite_{name}"] for name in measured) > 0
    assert (figures["sqlite_never_seen"], figures["sqlite_resyncs"]) == (0, 0)


@pytest.mark.parametrize(("reservations", "open_"), [(100, 100), (100, 8), (8, 9)])
def test_a_site_has_open_and_settled_ones(reservations: int, open_: int) -> None:
    with pytest.raises(BenchmarkError):
        Size(reservations, open_)
