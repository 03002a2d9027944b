"""What nodes share by Redis: whether it answers, how fast, what it may be asked, and who else may use it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import redis

from callback.cluster.link import client_of
from callback.operations.doctor.finding import Finding, fault, sound, warning
from callback.settings.sections import Settings

PATIENCE_S: Final = 3.0
SLOW_MS: Final = 20.0
TRIES: Final = 5
_ASKED: Final = ("bind", "protected-mode")


def look(settings: Settings) -> Iterator[Finding]:
    """Look at the Redis of the settings.

    Without it the service goes on, so that it is a warning when it is away; what can never work is a fault.
    """
    url = settings.cluster.redis
    named = f"[cluster] redis, {settings.cluster.place}"
    try:
        with closing(client_of(url, PATIENCE_S)) as client:
            yield _of_server(client, named)
            yield from _of_others(client, url, named)
    except redis.AuthenticationError as error:
        yield fault(f"{named}: {error}", "write the password that it has: requirepass, or that of a user in its ACL")
    except redis.ResponseError as error:
        yield fault(
            f"{named} refuses what nodes need: {error}",
            "docs/redis.md says what it needs: what its user may do, and memory",
        )
    except (redis.RedisError, OSError) as error:
        remedy = "start it, and see bind and port in redis.conf; until then nodes ask the database, as without it"
        yield warning(f"{named} cannot be reached: {error}", remedy)


def _of_server(client: Any, named: str) -> Finding:  # noqa: ANN401 - redis-py's types leave open whether it answers or awaits
    """Ask it all that nodes ask; ResponseError where it refuses."""
    place = f"lcr:doctor:{secrets.token_hex(8)}"
    took_ms = min(_timed(client) for _ in range(TRIES)) * 1000
    client.publish(place, "")
    client.eval("redis.call('GET', KEYS[1]) redis.call('SET', KEYS[1], redis.call('TIME')[1], 'PX', 1)", 1, place)
    with closing(client.pubsub()) as subscribed:
        subscribed.subscribe(place)
        subscribed.get_message(timeout=PATIENCE_S)
    said = f"{named}: it answers in {took_ms:.1f} ms{_version(client)}"
    if took_ms > SLOW_MS:
        return warning(said, "nobody waits longer than 100 ms for it: one in the same network answers within 1 ms")
    return sound(said)


def _timed(client: Any) -> float:  # noqa: ANN401 - as above
    began_s = time.monotonic()
    client.ping()
    return time.monotonic() - began_s


def _version(client: Any) -> str:  # noqa: ANN401 - as above
    """Give its version; nothing where its user may not ask for that."""
    try:
        return f", Redis {client.info('server')['redis_version']}"
    except redis.ResponseError:
        return ""


def _of_others(client: Any, url: str, named: str) -> Iterator[Finding]:  # noqa: ANN401 - as above
    """Look who else may use it: without a password, and by reading what goes over the network."""
    parts = urlsplit(url)
    is_far = parts.scheme != "unix" and not _is_here(parts.hostname or "")
    if _needs_no_password(url) and (is_far or is_open_to_all(_bound(client))):
        what = f"{named} asks for no password: whoever reaches it can ring at nodes, and use up the limits of others"
        yield warning(what, "set requirepass or users (ACL) in redis.conf, and write the password in [cluster] redis")
    if is_far and parts.scheme == "redis":
        what = f"{named} is spoken to over the network without TLS: its password can be read on the way"
        yield warning(what, "rediss:// here and tls-port in redis.conf, or a network of the nodes' own")


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bound(client: Any) -> dict[str, str]:  # noqa: ANN401 - as above
    """Give where it listens, and whether it protects itself; nothing where its user may not ask for that."""
    try:
        return {name: client.config_get(name).get(name, "") for name in _ASKED}
    except redis.ResponseError:
        return {}


def is_open_to_all(bound: Mapping[str, str]) -> bool:
    """Whether others than this machine's own programs are served, by what Redis says of itself."""
    places = [place.lstrip("-") for place in bound.get("bind", "127.0.0.1").split()] or ["*"]
    return bound.get("protected-mode") == "no" and not all(_is_here(place) for place in places)


def _needs_no_password(url: str) -> bool:
    parts = urlsplit(url)
    nobody = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    try:
        with closing(client_of(nobody, PATIENCE_S)) as client:
            return bool(client.ping())
    except (redis.RedisError, OSError):
        return False
