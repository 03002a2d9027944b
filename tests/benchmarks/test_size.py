"""The benchmark of a whole day runs, loses nobody, and what it prints last is for programs."""

from __future__ import annotations

import json

import pytest

from benchmarks.size import main
from lab import postgres


@pytest.mark.postgresql
def test_a_small_day_is_lived_and_all_who_were_lost_are_called_back_once(
    postgres_binaries: postgres.Binaries, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--calls", "60", "--lost", "4", "--seconds", "3", "--peer-calls", "60"]) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (figures["calls"], figures["lost"], figures["wrong"]) == (60, 4, [])
    assert min(figures[name] for name in ("lag_p99_ms", "cpu_s_per_1000_lost", "asterisk_ami_cpu_s_per_1000_calls")) > 0
