"""All nodes together let through what one would; a Redis that is of no use leaves each node its own limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from callback.cluster import link
from callback.web.rate_limit import Pace
from lab import redis as lab_redis
from tests.callback.cluster.nodes import Node, node, until

pytestmark = pytest.mark.redis

KEY = "+819012345678"
FOREVER = 3600.0


def test_two_nodes_let_through_together_what_one_would(redis_server: lab_redis.Server) -> None:
    with node(redis_server.url) as one, node(redis_server.url) as other:
        paces = [Pace(3, FOREVER, "looks", each.limits) for each in (one, other)]
        assert [pace.allows(KEY, 0) for pace in (*paces, *paces)] == [True, True, True, False]
        assert paces[0].allows("another", 0)
        assert Pace(3, FOREVER, "posts", other.limits).allows(KEY, 0)


def test_another_site_counts_for_itself(redis_server: lab_redis.Server) -> None:
    with node(redis_server.url) as one, node(redis_server.url, "lcr:two") as other:
        assert [Pace(1, FOREVER, "looks", each.limits).allows(KEY, 0) for each in (one, other)] == [True, True]


def test_what_is_used_is_free_again_in_time_and_leaves_nothing_in_redis(redis_server: lab_redis.Server) -> None:
    with node(redis_server.url) as one, redis_server.client() as client:
        assert one.limits.allows("looks", KEY, 2, 0.05)
        assert one.limits.allows("looks", KEY, 2, 0.05)
        until(lambda: one.limits.allows("looks", KEY, 2, 0.05) is True)
        until(lambda: client.dbsize() == 0)


def test_no_number_name_or_link_stands_in_redis(redis_server: lab_redis.Server) -> None:
    with node(redis_server.url) as one, redis_server.client() as client:
        one.limits.allows("looks", KEY, 2, FOREVER)
        (place,) = client.keys()
        assert place.startswith("lcr:one:pace:looks:")
        assert not any(KEY[start : start + 5] in f"{place} {client.get(place)}" for start in range(len(KEY) - 5))
        assert 0 < client.pttl(place) <= FOREVER * 1000


def test_a_word_that_is_not_ours_or_of_another_clock_locks_nobody_out(redis_server: lab_redis.Server) -> None:
    with node(redis_server.url) as one, redis_server.client() as client:
        one.limits.allows("looks", KEY, 2, FOREVER)
        (place,) = client.keys()
        client.set(place, "9" * 15)
        assert one.limits.allows("looks", KEY, 2, FOREVER)
        client.set(place, "no number")
        assert one.limits.allows("looks", KEY, 2, FOREVER)
        client.delete(place)
        client.lpush(place, "no string at all")
        assert one.limits.allows("looks", KEY, 2, FOREVER) is None


Trouble = Callable[[lab_redis.Server], Any]


@contextmanager
def killed(server: lab_redis.Server) -> Iterator[str]:
    server.kill()
    yield server.url


@contextmanager
def hanging(server: lab_redis.Server) -> Iterator[str]:
    with server.frozen():
        yield server.url


@contextmanager
def another_password(server: lab_redis.Server) -> Iterator[str]:
    with server.client() as client:
        client.config_set("requirepass", "made-up")
    yield f"redis://:wrong@{lab_redis.HOST}:{server.port}/0"


@contextmanager
def full(server: lab_redis.Server) -> Iterator[str]:
    with server.client() as client:
        client.config_set("maxmemory", 1)
    yield server.url


@contextmanager
def slow(server: lab_redis.Server) -> Iterator[str]:
    with server.client() as client:
        client.execute_command("CLIENT", "PAUSE", 60_000, "ALL")
    yield server.url


@contextmanager
def no_redis_at_all(server: lab_redis.Server) -> Iterator[str]:
    yield f"redis://{lab_redis.HOST}:1/0"


TROUBLES = [killed, hanging, another_password, full, slow, no_redis_at_all]


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda one: one.__name__)
def test_a_redis_of_no_use_locks_nobody_out_and_opens_no_wider_than_a_node(
    redis_server: lab_redis.Server, trouble: Trouble
) -> None:
    with trouble(redis_server) as url, node(url) as one:
        pace = Pace(3, FOREVER, "looks", one.limits)
        assert [pace.allows(KEY, 0) for _ in range(5)] == [True, True, True, False, False]
        assert one.link.standing.is_away
        until(lambda: bool(one.changes))  # told by whichever thread has found it first
        assert one.changes[0] != ""


def test_while_it_hangs_one_waits_for_it_and_the_others_do_not(
    redis_server: lab_redis.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "RESTS_S", (FOREVER,))
    asked: list[int] = []
    with node(redis_server.url) as one, redis_server.frozen():
        one.link.ask(lambda client: client.ping())
        assert [one.link.ask(lambda _: asked.append(1)) for _ in range(1000)] == [None] * 1000
        assert asked == []


def test_what_nobody_waits_for_any_more_is_not_asked(redis_server: lab_redis.Server) -> None:
    """Else those who come after a hanging question would all wait for the ones before."""
    with node(redis_server.url) as one, redis_server.client() as client:
        with redis_server.frozen():
            assert one.limits.allows("looks", KEY, 1, FOREVER) is None
        one.link.again()
        until(lambda: not one.link.standing.is_away)
        assert client.dbsize() <= 1  # the one that hung may have been counted, and no other


def test_a_node_that_comes_back_counts_with_the_others_again(redis_server: lab_redis.Server) -> None:
    with node(redis_server.url) as one, node(redis_server.url) as other:
        redis_server.kill()
        assert (one.limits.allows("looks", KEY, 1, FOREVER), other.limits.allows("looks", KEY, 1, FOREVER)) == (
            None,
            None,
        )
        redis_server.start()
        _there([one, other])
        assert one.limits.allows("looks", KEY, 1, FOREVER) is True
        assert other.limits.allows("looks", KEY, 1, FOREVER) is False


def _there(nodes: list[Node]) -> None:
    until(lambda: not any(one.link.standing.is_away for one in nodes))
