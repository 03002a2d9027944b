"""Any gateway that takes a text as one HTTP request: URL and body are templates, success is a status and words.

The placeholders {to}, {digits} (the number without its plus), {text}, {ref} and {line} are filled in: escaped for a URL
in `url`, and as `body_form` says in `body`. How it is asked, and when it is certain that nothing left: http_client.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote, quote_plus, urlsplit

from sms.errors import SmsError
from sms.gateway import ACCOUNT_LENGTH, UNREACHABLE, Pace, Receipt, Refused, TooFast, Trouble, Unsent

if TYPE_CHECKING:
    from sms.http_client import HttpClient

PLACEHOLDERS: Final = frozenset({"to", "digits", "text", "ref", "line"})
TIMEOUT_S: Final = 10.0
TEXTS_PER_S: Final = 100.0
SHOWN: Final = 120  # of an answer that says no
_OF_THE_TEXT: Final = frozenset({400, 409, 413, 414, 422})  # what such an answer says no to; other 4xx: to our request
_TOO_MANY: Final = 429
_LATER: Final = frozenset({425, _TOO_MANY})
_NOT_IN_TIME: Final = 408
_HOLE: Final = re.compile(r"\{([a-z]+)\}")
BodyForm = Literal["form", "json", "xml", "plain"]


def _json(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)[1:-1]


def _xml(value: str) -> str:
    return "".join(f"&#{ord(letter)};" if letter in "&<>\"'" else letter for letter in value)


_ESCAPES: Final[Mapping[BodyForm, Callable[[str], str]]] = {
    "form": quote_plus,
    "json": _json,
    "xml": _xml,
    "plain": str,
}
_TYPES: Final[Mapping[BodyForm, str]] = {
    "form": "application/x-www-form-urlencoded",
    "json": "application/json",
    "xml": "application/xml; charset=utf-8",
    "plain": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Request:
    """How a text is asked for, and how the answer is read.

    `accepted` are the statuses that take the text; besides, the regular expression `accepted_if` must be found in the
    answer, where `refused_if` finds a definite no. `ref_in` finds the gateway's own name of the text, its first group.
    """

    url: str
    body: str = ""  # empty: GET
    body_form: BodyForm = "form"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # tokens stand in them
    accepted: Collection[int] = (200, 201, 202)
    accepted_if: str = ""
    refused_if: str = ""
    ref_in: str = ""
    timeout_s: float = TIMEOUT_S
    keep_alive_s: float = 0.0  # 0: a connection for each text
    texts_per_s: float = TEXTS_PER_S  # of all who text by this host


def check(template: str) -> None:
    """Refuse placeholders that nobody fills in."""
    unknown = [name for name in _HOLE.findall(template) if name not in PLACEHOLDERS]
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in sorted(PLACEHOLDERS))
        raise SmsError(f"no such placeholder as {{{unknown[0]}}}; there are {known}")


class HttpGateway:
    """Hands over each text by a request of its own; nothing is learnt of it later, and nobody answers."""

    name = "http"

    def __init__(self, request: Request) -> None:
        for template in (request.url, request.body):
            check(template)
        self._request = request
        host = urlsplit(request.url).netloc.rpartition("@")[2].lower()  # without a password
        self.paces = (Pace(f"{self.name}/{host}"[:ACCOUNT_LENGTH], request.texts_per_s),)

    async def send(self, to: str, body: str, ref: str, line: str = "") -> Receipt:
        """Ask for the text; a 4xx says no to the text (`Refused`) or to how we ask (`Unsent`), the rest nothing."""
        values = {"to": to, "digits": to.removeprefix("+"), "text": body, "ref": ref, "line": line}
        asked = self._request
        status, answer = await self._ask(values)
        said = " ".join(answer.split())[:SHOWN]
        if asked.refused_if and re.search(asked.refused_if, answer):
            raise Refused(f"the gateway says no ({status} {said})")
        if status in asked.accepted and re.search(asked.accepted_if, answer):
            found = re.search(asked.ref_in, answer) if asked.ref_in else None
            return Receipt((found and found.group(1)) or f"http:{ref}")
        _judge(status, said)
        raise SmsError(f"the gateway answered {status}, which does not tell whether it took the text")

    def two_way(self, to: str) -> bool:  # noqa: ARG002 - the port's word
        """No answer finds its way back to us."""
        return False

    async def look_up(self, gateway_ref: str, line: str = "") -> None:  # noqa: ARG002 - the port's words
        """It tells nothing more."""
        return

    def trouble(self, code: str) -> Trouble | None:
        """What `_judge` took for the fault of our request, and whatever passes."""
        if code == UNREACHABLE:
            return Trouble("the gateway cannot be reached: see [texts.http] url", ours=False)
        status = int(code) if code.isdecimal() else 0
        if not status or status in _OF_THE_TEXT:
            return None
        if status in _LATER:
            return Trouble(f"the gateway's rate limit ({status})", ours=False)
        return Trouble(f"the gateway does not take our requests ({status}): mend [texts.http]", ours=True)

    async def close(self) -> None:
        """Close the connections that are kept."""
        await self._client.close()

    @cached_property
    def _client(self) -> HttpClient:
        from sms.http_client import HttpClient  # noqa: PLC0415 - takes a quarter of a second, and most commands send nothing

        return HttpClient(self._request.timeout_s, self._request.keep_alive_s)

    async def _ask(self, values: Mapping[str, str]) -> tuple[int, str]:
        """Fill in the templates and ask; give status and answer."""
        asked = self._request
        url = _fill(asked.url, values, lambda value: quote(value, safe=""))
        body = _fill(asked.body, values, _ESCAPES[asked.body_form]).encode()
        typed = {"Content-Type": _TYPES[asked.body_form]} if body else {}
        status, answer = await self._client.ask(url, body, typed | dict(asked.headers))
        return status, answer.replace("\0", "")  # which PostgreSQL keeps in no text


def _judge(status: int, answer: str) -> None:
    """Raise what a status proves; return where it proves nothing."""
    if not 400 <= status < 500 or status == _NOT_IN_TIME:  # noqa: PLR2004 - the asker's faults, all of them definite
        return
    if status in _OF_THE_TEXT:
        raise Refused(f"the gateway says no ({status} {answer})", str(status))
    if status in _LATER:
        raise (TooFast if status == _TOO_MANY else Unsent)("the gateway's rate limit", str(status))
    raise Unsent(f"the gateway does not take our request ({status} {answer}): mend [texts.http]", str(status))


def _fill(template: str, values: Mapping[str, str], escape: Callable[[str], str]) -> str:
    return _HOLE.sub(lambda hole: escape(values[hole.group(1)]), template)
