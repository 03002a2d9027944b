"""The benchmark of the doorbell runs, and what it prints last is for programs."""

from __future__ import annotations

import json

import pytest

from benchmarks.doorbell import main
from lab import redis


@pytest.mark.redis
def test_it_measures_with_and_without_a_redis(redis_binary: redis.Binary, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--times", "2", "--databases", "sqlite"]) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert len(figures) == 2 * 2 * 3
    assert min(figures.values()) > 0
