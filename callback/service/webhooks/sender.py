"""Sends one message over HTTP. The address is looked at when it is connected to, so that no name leads inside.

Names are resolved in threads of our own: a slow name server takes none from the rest of the service.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from callback.accounts.webhooks import addresses
from callback.accounts.webhooks.deliveries import Fault
from callback.errors import CallbackError
from scheduler.clock import HOUR, SECOND

TIMEOUT_S: Final = 15.0
LONGEST_PAUSE: Final = HOUR
"""So long a pause may be that a receiver asks for: no word of its own makes it silent for longer."""
_RESOLVING: Final = 8
_AGENT: Final = "lost-call-recovery webhooks"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a try. `after`: the receiver asks for so long a pause, in microseconds."""

    fault: Fault
    status: int | None = None
    after: int = 0


class NotAllowed(OSError):
    """An address inside, at which nothing of ours asks."""


class Resolver(AbstractResolver):
    """Asks the system for a name's addresses."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_RESOLVING, "webhook-names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Give the addresses of a name. OSError where there is none."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, lambda: _addresses(host, port, family))
        return [
            ResolveResult(hostname=host, host=address, port=port, family=of, proto=0, flags=socket.AI_NUMERICHOST)
            for of, address in found
        ]

    async def close(self) -> None:
        """Nothing: it outlives the sessions that use it."""


class Sender:
    """Posts messages, each over a connection of its own; `allowed` are the hosts of the settings file."""

    def __init__(
        self, allowed: Collection[str], resolver: AbstractResolver | None = None, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._allowed, self._resolver, self._timeout_s = allowed, resolver or Resolver(), timeout_s

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """Send a body; taken is what is answered with 2xx in time. Nothing is followed, and no answer is read."""
        try:
            addresses.checked(url, self._allowed)
        except CallbackError:
            return Outcome("not-allowed")
        try:
            async with asyncio.timeout(self._timeout_s), self._session(url) as session:
                said = {"Content-Type": "application/json", "User-Agent": _AGENT, **headers}
                async with session.post(url, data=body, headers=said, allow_redirects=False) as answer:
                    return _outcome(answer.status, answer.headers.get("Retry-After", ""))
        except TimeoutError:
            return Outcome("timeout")
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientSSLError):
            return Outcome("certificate")
        except (aiohttp.InvalidURL, ValueError):
            return Outcome("bad-url")
        except (OSError, aiohttp.ClientError) as error:
            return Outcome("not-allowed" if _is_inside(error) else "unreachable")

    def _session(self, url: str) -> aiohttp.ClientSession:
        inside = addresses.host_of(url) in self._allowed

        def opened(found: aiohttp.AddrInfoType) -> socket.socket:
            """Make the socket for one address, which is that of the connection, whatever a name said before."""
            family, kind, protocol, _, where = found
            if not (inside or addresses.is_public(str(where[0]))):
                raise NotAllowed
            made = socket.socket(family, kind, protocol)
            made.setblocking(False)
            return made

        connector = aiohttp.TCPConnector(
            resolver=self._resolver, use_dns_cache=False, socket_factory=opened, force_close=True
        )
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


def _addresses(host: str, port: int, family: int) -> list[tuple[socket.AddressFamily, str]]:
    found = socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
    return [(of, str(where[0])) for of, _, _, _, where in found]


def _is_inside(error: BaseException | None) -> bool:
    """Whether an error is ours, among those that it was made of."""
    while error is not None:
        if isinstance(error, NotAllowed):
            return True
        of_many = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
        if any(map(_is_inside, of_many)) or _is_inside(getattr(error, "os_error", None)):
            return True
        error = error.__cause__
    return False


def _outcome(status: int, retry_after: str) -> Outcome:
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Outcome("", status)
    redirects = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
    return Outcome("redirect" if redirects else "status", status, min(_pause(retry_after), LONGEST_PAUSE))


def _pause(retry_after: str) -> int:
    """Read Retry-After: seconds, or a date; what is neither asks for nothing."""
    if retry_after.isascii() and retry_after.isdigit():
        return int(retry_after[:9]) * SECOND
    try:
        until = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return 0
    if until.tzinfo is None:
        return 0
    return max(0, round((until - datetime.now(UTC)).total_seconds() * SECOND))
