"""[cluster] redis: whether it answers and may be asked what nodes ask; and who else may."""

from __future__ import annotations

from pathlib import Path

import pytest

from callback.operations.doctor import cluster
from callback.operations.doctor.finding import Finding
from callback.settings.cluster import Cluster
from callback.settings.sections import PbxWiring, Settings, Trunk
from lab import redis as lab_redis
from tests.callback.world import rules

pytestmark = pytest.mark.redis

NODES = ("+ping", "+auth", "+publish", "+subscribe", "+unsubscribe", "+eval", "+get", "+set", "+time", "+select")
"""What the user of nodes must be allowed, as docs/redis.md says."""


def look(url: str) -> list[Finding]:
    pbx = PbxWiring(username="u", secret="s")  # noqa: S106
    settings = Settings(pbx=pbx, trunks={"main": Trunk(region="JP")}, cluster=Cluster(redis=url), rules=rules())
    return list(cluster.look(settings))


def test_one_that_answers_is_sound_and_named_without_its_password(redis_binary: lab_redis.Binary) -> None:
    with lab_redis.serve(redis_binary, password="made-up") as server:  # noqa: S106 - of this test
        (found,) = look(server.url)
    assert found.level == "ok"
    assert f"127.0.0.1:{server.port}: it answers in" in found.what
    assert ", Redis " in found.what
    assert "made-up" not in found.what


def test_one_that_is_away_is_a_warning_with_the_remedy(redis_server: lab_redis.Server) -> None:
    redis_server.kill()
    (found,) = look(redis_server.url)
    assert found.level == "warning"
    assert "cannot be reached" in found.what
    assert "start it" in found.remedy


def test_one_that_hangs_is_a_warning(redis_server: lab_redis.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "PATIENCE_S", 0.3)
    with redis_server.frozen():
        (found,) = look(redis_server.url)
    assert (found.level, "cannot be reached" in found.what) == ("warning", True)


def test_another_password_is_a_fault(redis_binary: lab_redis.Binary) -> None:
    with lab_redis.serve(redis_binary, password="made-up") as server:  # noqa: S106 - of this test
        for url in (f"redis://127.0.0.1:{server.port}", f"redis://:wrong@127.0.0.1:{server.port}"):
            (found,) = look(url)
            assert (found.level, "password" in found.remedy, "wrong" in found.line()) == ("fault", True, False)


def test_a_user_needs_what_the_page_lists_and_no_more(redis_server: lab_redis.Server) -> None:
    own = f"redis://node:made-up@127.0.0.1:{redis_server.port}/0"
    with redis_server.client() as client:
        client.execute_command("ACL", "SETUSER", "node", "on", ">made-up", "~lcr:*", "&lcr:*", *NODES)
        assert [found.level for found in look(own)] == ["ok"]
        for needed in NODES[2:-1]:
            client.execute_command("ACL", "SETUSER", "node", f"-{needed[1:]}")
            levels = [found.level for found in look(own)]
            client.execute_command("ACL", "SETUSER", "node", needed)
            assert levels == (["ok"] if needed == "+unsubscribe" else ["fault"]), needed


def test_one_that_is_full_is_a_fault(redis_server: lab_redis.Server) -> None:
    with redis_server.client() as client:
        client.config_set("maxmemory", 1)
    (found,) = look(redis_server.url)
    assert found.level == "fault"
    assert "maxmemory" in found.what


def test_one_far_away_without_a_password_or_tls_is_told(
    redis_server: lab_redis.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_is_here", lambda _: False)
    of_server, of_password, of_network = look(redis_server.url)
    assert [one.level for one in (of_server, of_password, of_network)] == ["ok", "warning", "warning"]
    assert "requirepass" in of_password.remedy
    assert "rediss://" in of_network.remedy


@pytest.mark.parametrize(
    ("bound", "is_open"),
    [
        ({"bind": "127.0.0.1 -::1", "protected-mode": "no"}, False),
        ({"bind": "* -::*", "protected-mode": "no"}, True),
        ({"bind": "", "protected-mode": "no"}, True),
        ({"bind": "127.0.0.1 10.0.0.5", "protected-mode": "no"}, True),
        ({"bind": "* -::*", "protected-mode": "yes"}, False),
        ({}, False),
    ],
)
def test_who_is_served_by_what_it_says_of_itself(bound: dict[str, str], *, is_open: bool) -> None:
    assert cluster.is_open_to_all(bound) is is_open


def test_the_page_lists_what_a_user_needs() -> None:
    page = (Path(__file__).parents[4] / "docs" / "redis.md").read_text()
    assert set(NODES) == {word for word in page.split() if word.startswith("+")}
