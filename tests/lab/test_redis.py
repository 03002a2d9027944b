"""The Redis of the tests: its own port, what it may do to those who use it, and nothing left behind."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
import redis

from lab import redis as lab_redis
from tests.children import child

pytestmark = pytest.mark.redis

KILLED_WHILE_SERVING = """
import signal
from pathlib import Path
from lab import redis
with redis.serve(redis.Binary(Path({program!r}), {libraries!r})) as server:
    print(server.pid, flush=True)
    signal.pause()
"""


def test_what_was_killed_comes_back_empty_on_its_port(redis_server: lab_redis.Server) -> None:
    with redis_server.client() as client:
        client.set("asked", "1")
        before = redis_server.port
        redis_server.kill()
        redis_server.kill()  # twice is no error
        with pytest.raises(redis.ConnectionError):
            client.ping()
        redis_server.start()
        assert redis_server.port == before
        assert client.get("asked") is None


def test_what_is_frozen_answers_nobody_and_goes_on_later(redis_server: lab_redis.Server) -> None:
    with redis.Redis.from_url(redis_server.url, socket_timeout=0.1, retry=None) as client:
        assert client.ping()
        with redis_server.frozen(), pytest.raises(redis.TimeoutError):
            client.ping()
        assert client.ping()


def test_it_has_a_password_and_settings_of_its_own(redis_binary: lab_redis.Binary) -> None:
    settings = {"maxmemory": "1mb", "maxmemory-policy": "noeviction"}
    with lab_redis.serve(redis_binary, password="made-up", settings=settings) as server:  # noqa: S106 - of this test
        with server.client() as client:
            assert client.config_get("maxmemory") == {"maxmemory": "1048576"}
        stranger = redis.Redis(host=lab_redis.HOST, port=server.port)
        with stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()


def test_a_server_that_does_not_start_says_why(redis_binary: lab_redis.Binary) -> None:
    with (
        pytest.raises(lab_redis.RedisError, match="nonsense"),
        lab_redis.serve(redis_binary, settings={"maxmemory": "nonsense"}),
    ):
        pass


def test_a_killed_owner_leaves_no_server(redis_binary: lab_redis.Binary) -> None:
    code = KILLED_WHILE_SERVING.format(program=str(redis_binary.program), libraries=redis_binary.libraries)
    with child([sys.executable, "-c", code]) as owner:
        assert owner.stdout
        server = int(owner.stdout.readline())
        owner.kill()
    deadline = time.monotonic() + 10
    while _alive(server):
        assert time.monotonic() < deadline, "the server outlived its owner"
        time.sleep(0.02)


def _alive(pid: int) -> bool:
    """Tell whether a process runs: one that ended and waits for init to take note of it does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
