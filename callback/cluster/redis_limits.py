"""Limits over Redis: one number for each key, which expires when it bounds nothing any more.

A key is a keyed hash: neither a telephone number nor a link nor a name stands in Redis.
"""

from __future__ import annotations

import hmac
from typing import Any, Final

from callback.cluster.link import Link

_TAKE: Final = """
local at = redis.call('TIME')
local now, every, most = at[1] * 1000 + math.floor(at[2] / 1000), tonumber(ARGV[1]), tonumber(ARGV[2])
local free = tonumber(redis.call('GET', KEYS[1]) or now) or now
if free > now + most then free = now end
free = math.max(now, free) + every
if free - now > most then return 0 end
redis.call('SET', KEYS[1], string.format('%.0f', free), 'PX', free - now)
return 1
"""
"""`free` is when all that a key has used is free again, by the clock of Redis. What lies beyond all that may be used is
no word of ours, or its clock was set back: it counts for nothing."""


class RedisLimits:
    """Counts in Redis, for all nodes of one site."""

    def __init__(self, link: Link, prefix: str, secret: bytes) -> None:
        self._link, self._prefix, self._secret = link, prefix, secret

    def allows(self, name: str, key: str, at_once: int, every_s: float) -> bool | None:
        """Whether `key` may do what `name` bounds once more; if so, that is counted. None where Redis is away."""
        hidden = hmac.digest(self._secret, f"{name}\0{key}".encode(), "sha256").hex()[:32]
        place, every_ms = f"{self._prefix}:pace:{name}:{hidden}", max(1, round(every_s * 1000))

        def take(client: Any) -> Any:  # noqa: ANN401 - redis-py's types leave open whether it answers or awaits
            return client.eval(_TAKE, 1, place, every_ms, at_once * every_ms)

        taken = self._link.ask(take)
        return None if taken is None else taken == 1
