"""HTTP requests to gateways: the answer, or whether a request may have left. Connections may be kept for the next one.

An import of aiohttp takes a quarter of a second, so this module is imported where something is sent.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import aiohttp
from aiohttp.client_reqrep import ClientRequest, ClientResponse
from yarl import URL

from sms.errors import SmsError
from sms.gateway import UNREACHABLE, Unsent

ANSWER_LIMIT: Final = 64 << 10
_SPOILT_AT_MOST: Final = 8  # connections for one request; a new one is spoilt where nobody speaks HTTP
_ADDED: Final = ("Accept", "Content-Type", "User-Agent")  # by aiohttp, unless told otherwise


class HttpClient:
    """Asks, many at a time, and reads no more of an answer than its beginning. One event loop's until it is closed.

    A connection must stand within `timeout_s`, each part of the answer come within as much, and all within twice that.
    A connection is kept for `keep_alive_s` after its last request; 0: each request has its own. A server that closes at
    the very moment at which it is asked again leaves that request unknown: keep for less long than servers do.

    No redirect is followed, no proxy or password is taken from the environment, no cookie is kept, and no log line
    holds the URL, in which a number stands. The authorities that this machine trusts are trusted, as OpenSSL finds
    them.
    """

    def __init__(self, timeout_s: float, keep_alive_s: float = 0.0, answer_limit: int = ANSWER_LIMIT) -> None:
        self._timeout = aiohttp.ClientTimeout(2 * timeout_s, connect=timeout_s, sock_read=timeout_s)
        self._keep_alive_s, self._answer_limit = keep_alive_s, answer_limit
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        """POST the body, or GET where it is empty; give status and answer.

        `Unsent` proves that no byte of the request has left. With any other error nobody knows whether it was taken.
        """
        asked = self._opened().request(
            "POST" if body else "GET",
            URL(url, encoded=True),
            headers={"Accept-Encoding": "identity"} | {name: value.strip() for name, value in headers.items()},
            data=body or None,
            allow_redirects=False,
        )
        try:
            async with asked as response:
                return response.status, await self._text(response)
        except TimeoutError as error:
            raise TimeoutError("timed out") from error

    async def close(self) -> None:
        """Close the connections that are kept."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            trusted = ssl.create_default_context()
            keep = {"keepalive_timeout": self._keep_alive_s} if self._keep_alive_s else {"force_close": True}
            self._session = aiohttp.ClientSession(
                connector=_Connector(ssl=trusted, limit=0, **keep),  # whoever asks bounds how many there are
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=self._timeout,
                skip_auto_headers=_ADDED,
                auto_decompress=False,
                middlewares=(_once,),
            )
        return self._session

    async def _text(self, response: ClientResponse) -> str:
        """The beginning of the answer. Where the gateway closes too early it is what has come: the status stands."""
        answer = bytearray()
        with suppress(aiohttp.ClientPayloadError, aiohttp.ClientOSError):
            async for part in response.content.iter_any():
                answer += part
                if len(answer) >= self._answer_limit:
                    break
        return answer[: self._answer_limit].decode("utf-8", "replace")


class _Connector(aiohttp.TCPConnector):
    """Gives no connection on which something was said before it is asked: that would be taken for the next answer.

    Some servers say "408" on a connection that idled, and who answers twice would answer for another text.
    """

    async def connect(
        self,
        req: ClientRequest,
        traces: list[aiohttp.tracing.Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's word
    ) -> aiohttp.connector.Connection:
        for _ in range(_SPOILT_AT_MOST):
            connection = await super().connect(req, traces, timeout)
            if connection.protocol is None or not connection.protocol.should_close:
                return connection
            connection.close()
        raise Unsent("the gateway speaks before it is asked", UNREACHABLE)


async def _once(request: ClientRequest, handler: aiohttp.ClientHandlerType) -> ClientResponse:
    """Say what a failure proves. aiohttp asks a second time by itself where a GET's connection broke, but not then."""
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise Unsent(f"the gateway cannot be reached ({_why(error)})", UNREACHABLE) from error
    except TimeoutError:
        raise
    except (aiohttp.ClientResponseError, aiohttp.ServerDisconnectedError) as error:
        said = error.message if isinstance(error, aiohttp.ClientResponseError) else error  # else the URL stands in it
        raise SmsError(f"the gateway's answer is no HTTP ({said})") from error
    except (aiohttp.ClientError, OSError) as error:
        raise SmsError(f"the connection broke before the gateway had answered ({_why(error)})") from error


def _why(error: Exception) -> str:
    """The operating system's or OpenSSL's word for it, without their number."""
    if isinstance(error, TimeoutError):
        return "timed out"
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, OSError) and not isinstance(cause, ssl.SSLError) and (cause.errno or 0) > 0:
        return os.strerror(cause.errno or 0)
    return re.sub(r"^\[[^]]*\] ", "", str(cause))
