"""One HTTP request on a connection of its own: its answer, or whether it may have left.

An import of httpx takes half a second, so this module is imported where something is sent.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from contextlib import closing, suppress
from typing import Final

import httpx

from sms.errors import SmsError
from sms.gateway import UNREACHABLE, Unsent

ANSWER_LIMIT: Final = 64 << 10


class HttpClient:
    """Asks, and reads no more of an answer than its beginning. Several threads may ask at once.

    Only httpx's transport is used, with no client above it: no redirect is followed, no proxy or password is taken from
    the environment, no cookie is kept, and no log line holds the URL, in which a number stands. The authorities that
    this machine trusts are trusted, as OpenSSL finds them.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout = httpx.Timeout(timeout_s).as_dict()  # of each step: connect, write, each read
        one_each = httpx.Limits(max_keepalive_connections=0)
        self._transport = httpx.HTTPTransport(verify=ssl.create_default_context(), trust_env=False, limits=one_each)

    def ask(self, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        """POST the body, or GET where it is empty; give status and answer.

        `Unsent` proves that no byte of the request has left. With any other error nobody knows whether it was taken.
        """
        request = httpx.Request(
            "POST" if body else "GET",
            url,
            headers={"Accept-Encoding": "identity"} | {name: value.strip() for name, value in headers.items()},
            content=body or None,
            extensions={"timeout": self._timeout},
        )
        try:
            with closing(self._transport.handle_request(request)) as response:
                return response.status_code, _text(response)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Unsent(f"the gateway cannot be reached ({_why(error)})", UNREACHABLE) from error
        except httpx.TimeoutException as error:
            raise TimeoutError("timed out") from error
        except httpx.ProtocolError as error:
            raise SmsError(f"the gateway's answer is no HTTP ({error})") from error
        except httpx.NetworkError as error:
            raise SmsError(f"the connection broke before the gateway had answered ({_why(error)})") from error


def _text(response: httpx.Response) -> str:
    """The beginning of the answer. Where the gateway closes too early it is what has come: the status stands."""
    answer = bytearray()
    with suppress(httpx.RemoteProtocolError):
        for part in response.iter_raw():
            answer += part
            if len(answer) >= ANSWER_LIMIT:
                break
    return answer[:ANSWER_LIMIT].decode("utf-8", "replace")


def _why(error: httpx.TransportError) -> str:
    """The operating system's or OpenSSL's word for it, without their number."""
    return re.sub(r"^\[[^]]*\] ", "", str(error))
