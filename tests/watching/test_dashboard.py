"""The dashboard, asked of a real Prometheus that scrapes a service that runs: every panel's query is answered."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from callback.operations.metrics.families import ALL
from lab import prometheus
from tests.callback.service.watching.running import free_port, simulated, watched
from tests.watching.test_rules import binaries, queries

__all__ = ["binaries"]


def until_scraped(server: prometheus.Server, times: int) -> None:
    """Wait until it has scraped so often."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        found = server.ask("query", query="count_over_time(lcr_node_ready[5m])")["result"]
        if found and int(found[0]["value"][1]) >= times:
            return
        time.sleep(0.2)
    raise AssertionError("it scrapes nothing")


@pytest.mark.timeout(240)
def test_every_panel_is_answered_from_a_service_that_ran(tmp_path: Path, binaries: prometheus.Binaries) -> None:
    url, port = f"sqlite:///{tmp_path}/calls.db", free_port()
    with simulated() as pbx, watched(tmp_path, "one", url, pbx) as one:
        one.until("/readyz", lambda status, _: status == 200)
        text = one.asks("/metrics")[1]
        with prometheus.serve(binaries, tmp_path, f"127.0.0.1:{one.port}", port) as server:
            until_scraped(server, 3)
            answered = {expr: server.ask("query", query=expr)["result"] for _, expr in queries()}
            known: list[Any] = server.ask("label/__name__/values")
    types = set(re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE))
    assert {family.name for family in ALL} <= types
    for expr in answered:
        for name in re.findall(r"\blcr_[a-z0-9_]+", expr):
            assert name in known or name in types, expr
    empty = {expr for expr, result in answered.items() if not result and "total" not in expr}
    come_later = re.compile("trouble|promises_today|trunk|agents_free")  # nobody was lost yet, or has trouble
    assert {expr for expr in empty if not come_later.search(expr)} == set()
