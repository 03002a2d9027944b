"""`callback run` as processes of their own, watched: each reason not to be ready comes, is said, and goes."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import psycopg
import pytest

from lab import postgres
from tests.callback.service.watching.running import free_port, samples, simulated, watched

pytestmark = pytest.mark.timeout(240)  # several processes start, and each waits for the others


def let_in(server: postgres.Server, whether: str) -> None:
    """Let nobody into the database `watched`, and end who is in it; or let them in again."""
    with psycopg.connect(server.url("postgres").replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE watched ALLOW_CONNECTIONS {whether}")
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'watched'")


def test_one_that_is_deaf_is_said_by_itself_and_by_who_sees_no_fresh_picture(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/calls.db"
    with simulated() as pbx, watched(tmp_path, "one", url, pbx) as one:
        told = one.until("/readyz", lambda status, _: status == 200)
        assert (told["role"], told["node"], told["state"], told["stands_by"]) == ("all", "one", "at-work", False)
        found = samples(one.asks("/metrics")[1])
        assert (found["lcr_node_up"], found["lcr_ami_connected"], found["lcr_database_up"]) == (1, 1, 1)
        assert found["lcr_ami_messages_total"] > 0
        with watched(tmp_path, "web", url, pbx, "--role", "web") as web:
            web.until("/readyz", lambda status, _: status == 200)
            one.process.send_signal(signal.SIGSTOP)  # nothing that the PBX says is heard any more
            assert "told nothing for" in one.wrong("hangs")
            assert one.asks("/healthz")[0] == 503
            assert "old: no service listens" in web.wrong("picture-stale")
            assert web.asks("/healthz")[0] == 200
            one.process.send_signal(signal.SIGCONT)
            one.until("/readyz", lambda status, _: status == 200)
            web.until("/readyz", lambda status, _: status == 200)


def test_who_stands_by_says_so_and_is_at_work_when_its_turn_comes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/calls.db"
    with simulated() as pbx, watched(tmp_path, "one", url, pbx) as one:
        one.until("/readyz", lambda status, _: status == 200)
        with watched(tmp_path, "other", url, pbx) as other:
            waits = other.until("/readyz", lambda status, said: status == 200 and bool(said["stands_by"]))
            assert (waits["node"], waits["state"]) == ("other", "stands-by")
            one.process.terminate()
            other.until("/readyz", lambda status, said: status == 200 and not said["stands_by"])


def test_a_pbx_that_is_cut_off_is_said(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/calls.db"
    with watched(tmp_path, "one", url, (free_port(), "u", "s")) as one:
        assert one.wrong("pbx-not-connected")
        assert one.asks("/healthz")[0] == 200  # a restart would not bring the PBX back
        assert samples(one.asks("/metrics")[1])["lcr_ami_connected"] == 0
    for line in (tmp_path / "one.log").read_text().splitlines():
        written = json.loads(line)
        assert {"pbx", "node", "role", "says", "level", "time"} <= written.keys(), line


@pytest.mark.postgresql
def test_a_database_that_is_away_is_said_and_the_process_lives(
    tmp_path: Path, postgres_server: postgres.Server
) -> None:
    url = postgres_server.create("watched")
    with simulated() as pbx, watched(tmp_path, "one", url, pbx) as one:
        one.until("/readyz", lambda status, _: status == 200)
        let_in(postgres_server, "false")
        assert one.wrong("database-away")
        assert one.asks("/healthz")[0] == 200
        let_in(postgres_server, "true")
        one.until("/readyz", lambda status, _: status == 200)
