"""Nodes of a site that share a Redis, each with what a process of its own has."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from callback.cluster.link import Link
from callback.cluster.redis_doorbell import RedisDoorbell
from callback.cluster.redis_limits import RedisLimits
from callback.cluster.standing import Standing

SECRET = b"s" * 32


@dataclass
class Node:
    """One process: what it was told of Redis, and how often it was rung."""

    link: Link
    bell: RedisDoorbell
    limits: RedisLimits
    changes: list[str]
    heard: list[float] = field(default_factory=list)


@contextmanager
def node(url: str, site: str = "lcr:one", pbx: str = "main") -> Iterator[Node]:
    """Begin a node, and wait until it hears where Redis is there."""
    changes: list[str] = []
    link = Link(url, Standing("there", changes.append))
    bell = RedisDoorbell(link, f"{site}:{pbx}")
    one = Node(link, bell, RedisLimits(link, site, SECRET), changes)
    bell.on("feed", lambda: one.heard.append(time.monotonic()))
    try:
        yield one
    finally:
        bell.close()
        link.close()


@contextmanager
def hearing(url: str, site: str = "lcr:one", pbx: str = "main") -> Iterator[Node]:
    """Begin a node, wait until it hears, and forget that it was told to look once."""
    with node(url, site, pbx) as one:
        until(lambda: bool(one.heard))
        one.heard.clear()
        yield one


def until(happened: Callable[[], bool], within_s: float = 20) -> None:
    """Wait until it has happened, or fail."""
    end_s = time.monotonic() + within_s
    while not happened():
        assert time.monotonic() < end_s, f"not within {within_s} s"
        time.sleep(0.005)
