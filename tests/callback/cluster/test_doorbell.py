"""A ring is heard by the others of its PBX and by nobody else; what Redis suffers costs a look by the clock."""

from __future__ import annotations

import time

import pytest

from callback.cluster import redis_doorbell
from callback.cluster.doorbell import SILENT
from lab import redis as lab_redis
from tests.callback.cluster.nodes import hearing, node, until

pytestmark = pytest.mark.redis


def test_a_ring_is_heard_by_every_other_process_of_its_pbx(redis_server: lab_redis.Server) -> None:
    url = redis_server.url
    with hearing(url) as rings, hearing(url) as hears, hearing(url) as too:
        rings.bell.ring("feed")
        until(lambda: bool(hears.heard) and bool(too.heard))
        hears.bell.ring("feed")
        until(lambda: bool(rings.heard))  # had it heard itself, it would have done so long before
        assert len(rings.heard) == 1


def test_other_topics_pbxs_and_sites_are_not_disturbed(redis_server: lab_redis.Server) -> None:
    url = redis_server.url
    with hearing(url) as rings, hearing(url) as hears, hearing(url, pbx="b") as pbx, hearing(url, "lcr:two") as site:
        rings.bell.ring("decided")
        rings.bell.ring("feed")
        until(lambda: bool(hears.heard))
        assert (len(hears.heard), pbx.heard, site.heard) == (1, [], [])


def test_nothing_is_kept_in_redis(redis_server: lab_redis.Server) -> None:
    with hearing(redis_server.url) as rings, hearing(redis_server.url) as hears, redis_server.client() as client:
        rings.bell.ring("feed", "decided")
        until(lambda: bool(hears.heard))
        assert client.dbsize() == 0


def test_many_rings_are_few_looks(redis_server: lab_redis.Server) -> None:
    with hearing(redis_server.url) as hears, redis_server.client() as stranger:
        began_s = time.monotonic()
        for _ in range(5000):
            stranger.publish("lcr:one:main:bell", "forged feed")
        until(lambda: bool(hears.heard))
        stranger.publish("lcr:one:main:bell", "nobody feed")
        last_s = time.monotonic()
        until(lambda: hears.heard[-1] >= last_s)
        assert len(hears.heard) <= (hears.heard[-1] - began_s) / redis_doorbell.GAP_S + 2


@pytest.mark.parametrize("words", ["", "feed", "nobody Feed", "x" * 1_000_000 + " feed", "\0 \0", "nobody  other"])
def test_what_is_no_ring_is_none(redis_server: lab_redis.Server, words: str) -> None:
    with hearing(redis_server.url) as hears, redis_server.client() as stranger:
        stranger.publish("lcr:one:main:bell", words)
        stranger.publish("lcr:one:main:bell", b"\xff\xfe")
        hears.bell.on("decided", lambda: hears.heard.append(-1.0))
        stranger.publish("lcr:one:main:bell", "nobody decided")
        until(lambda: bool(hears.heard))
        assert hears.heard == [-1.0]


def test_a_redis_that_was_killed_is_heard_again_and_what_was_missed_is_looked_for(
    redis_server: lab_redis.Server,
) -> None:
    with hearing(redis_server.url) as rings, hearing(redis_server.url) as hears:
        redis_server.kill()
        rings.bell.ring("feed")  # nobody hears it
        until(lambda: bool(hears.changes) and bool(rings.changes))
        redis_server.start()
        until(lambda: bool(hears.heard))  # nobody rang: it looks for what it missed
        until(lambda: rings.changes[-1] == hears.changes[-1] == "")
        hears.heard.clear()
        rings.bell.ring("feed")
        until(lambda: bool(hears.heard))


def test_a_redis_that_hangs_is_left_and_heard_again(
    redis_server: lab_redis.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_doorbell, "QUIET_S", 0.2)
    monkeypatch.setattr(redis_doorbell, "ANSWERS_S", 0.5)
    monkeypatch.setattr(redis_doorbell, "LISTENS_S", 0.1)
    with hearing(redis_server.url) as rings, hearing(redis_server.url) as hears:
        with redis_server.frozen():
            until(lambda: bool(hears.changes))  # though nobody rings
            for _ in range(10_000):
                rings.bell.ring("feed")  # returns, whatever Redis does
        until(lambda: hears.changes[-1] == "")
        hears.heard.clear()
        rings.bell.ring("feed")
        until(lambda: bool(hears.heard))


def test_without_a_redis_a_node_begins_rings_and_ends(redis_server: lab_redis.Server) -> None:
    redis_server.kill()
    with node(redis_server.url) as alone:
        alone.bell.ring("feed", "decided")
        until(lambda: bool(alone.changes))
        assert alone.heard == []


def test_it_is_said_once_that_redis_is_away_and_once_that_it_is_back(
    redis_server: lab_redis.Server, caplog: pytest.LogCaptureFixture
) -> None:
    with hearing(redis_server.url) as one:
        redis_server.kill()
        until(lambda: bool(one.changes))
        for _ in range(50):
            one.bell.ring("feed")
            assert one.link.ask(lambda client: client.ping()) is None
        redis_server.start()
        until(lambda: one.changes[-1] == "")
    said = [record.message for record in caplog.records if record.name.startswith("callback.cluster")]
    assert len(said) == 2
    assert "is away" in said[0]
    assert "is back" in said[1]


def test_without_a_setting_there_is_no_doorbell() -> None:
    SILENT.ring("feed")
    SILENT.on("feed", lambda: pytest.fail("nobody rang"))
