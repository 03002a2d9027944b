"""Twilio, by its own client library: what it is sent, and what its answers and its status callbacks mean.

Creating a message is not idempotent there. Only an answer that proves the text was not accepted lets it be tried again.
After a time-out or a 5xx the message list is asked, by recipient and time; what it does not show stays unknown, until a
status callback proves that it was accepted after all.
"""

from __future__ import annotations

import base64
import logging
import re
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

import phonenumbers
from twilio.base.exceptions import TwilioRestException, TwilioServiceException
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from sms import twilio_codes
from sms.errors import SmsError
from sms.gateway import (
    UNREACHABLE,
    Consequence,
    OptedOut,
    Pace,
    Progress,
    Receipt,
    Refused,
    Report,
    TooFast,
    Trouble,
    Unsent,
)
from sms.http_client import HttpClient
from sms.twilio_codes import Fate

NAME: Final = "twilio"
API: Final = "https://api.twilio.com"
TIMEOUT_S: Final = 10.0
CLOCKS_DIFFER_S: Final = 2.0
LISTED: Final = 50  # of one recipient's messages, the newest first
KEEP_ALIVE_S: Final = 2.0  # servers close what idles for 5 s and more: none is asked on what it is just closing
_ANSWER_LIMIT: Final = 1 << 20  # fifty messages of 1,600 characters

_TOO_MANY, _TIMED_OUT, _THEIRS = 429, 408, 500
_ASKED_TOO_OFTEN: Final = {20429, 21611}  # requests at once; a sender's queue
_OURS: Final = {401, 403, 404}  # statuses that concern the account, whatever the error
_TOLD: Final = "https://www.twilio.com/docs/api/errors"
_PROGRESS: Final[Mapping[str, Progress]] = {
    "accepted": "accepted",
    "scheduled": "accepted",
    "queued": "accepted",
    "sending": "accepted",
    "sent": "sent",
    "partially_delivered": "sent",
    "undelivered": "undelivered",
    "failed": "undelivered",
    "canceled": "undelivered",
    "delivered": "delivered",
    "read": "delivered",
}
_CONSEQUENCES: Final[Mapping[Fate, Consequence]] = {
    "opted-out": "opted-out",
    **dict.fromkeys(("off", "full", "ours"), "again"),  # what is ours may be mended by then
}
_SID: Final = re.compile(r"[SM]M[0-9a-fA-F]{32}")
_SERVICE: Final = re.compile(r"MG[0-9a-fA-F]{32}")
_CODE: Final = re.compile(r"[0-9]{0,6}")


def report(fields: Mapping[str, str]) -> Report | None:
    """Read a status callback; None if it is none."""
    sid, status, code = (fields.get(key, "") for key in ("MessageSid", "MessageStatus", "ErrorCode"))
    if not _SID.fullmatch(sid) or status not in _PROGRESS or not _CODE.fullmatch(code):
        return None
    return _report(sid, status, code)


def _report(sid: str, status: str, code: str) -> Report:
    progress = _PROGRESS[status]
    if progress != "undelivered" or status == "canceled":  # which somebody did at Twilio
        return Report(sid, progress, code)
    return Report(sid, progress, code, _CONSEQUENCES.get(twilio_codes.of(int(code or 0)).fate, "none"))


@dataclass(frozen=True, slots=True)
class Account:
    """An account and the sender it texts by: a number of its own, or a messaging service (MG…)."""

    account_sid: str
    auth_token: str = field(repr=False)
    sender: str
    texts_per_s: float = 10.0
    api_url: str = API


class TwilioGateway:
    """Texts by one of several accounts. `line` names the account; the first is the default.

    `public_url` is where Twilio finds our door; without it nothing is learnt after a text was accepted. Answers are
    expected from the countries of `two_way` (ISO 3166) alone.
    """

    name = NAME

    def __init__(
        self,
        accounts: Mapping[str, Account],
        public_url: str = "",
        two_way: Collection[str] = (),
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._http = HttpClient(timeout_s, KEEP_ALIVE_S, _ANSWER_LIMIT)
        self._lines = {name: _Line(name, account, self._http) for name, account in accounts.items()}
        self._default = next(iter(self._lines.values()))
        self.paces = tuple(
            Pace(f"{NAME}/{account.account_sid}/{account.sender}", account.texts_per_s, name)
            for name, account in accounts.items()
        )
        self._public_url = public_url.rstrip("/")
        self._two_way = frozenset(two_way)

    async def send(self, to: str, body: str, ref: str, line: str = "") -> Receipt:
        """Create a message; where nobody answers, look for it in the list."""
        by = self._line(line)
        words: dict[str, str] = {"to": to, "body": body, **by.sender}
        if self._public_url and ref:
            words["status_callback"] = f"{self._public_url}/twilio/{by.name}/status/{ref}"
        asked_at = time.time()
        try:
            return _receipt((await by.messages.create_async(**words)).sid)
        except Unsent:
            raise
        except (TwilioRestException, TwilioServiceException) as no:
            _judge(int(no.status), int(no.code or 0), by.name)
            return await _found(by, to, body, asked_at, no)
        except Exception as fault:  # noqa: BLE001 - whatever it is, it came after we had a connection
            return await _found(by, to, body, asked_at, fault)

    def two_way(self, to: str) -> bool:
        """Whether that number's country answers texts, and Twilio knows where to bring the answers."""
        return bool(self._public_url) and country_of(to) in self._two_way

    async def look_up(self, gateway_ref: str, line: str = "") -> Report | None:
        """Fetch the message; None while nobody can tell."""
        try:
            message = await self._line(line).messages(gateway_ref).fetch_async()
        except (SmsError, TwilioRestException, TwilioServiceException, OSError):
            return None
        told = {"MessageSid": message.sid, "MessageStatus": message.status, "ErrorCode": message.error_code or ""}
        return report({name: str(word) for name, word in told.items()})

    def trouble(self, code: str) -> Trouble | None:
        """What passes, what the account, the sender or the wording is to blame for, and what is not known here."""
        if code == UNREACHABLE:
            return Trouble("Twilio cannot be reached", ours=False)
        error = twilio_codes.of(int(code) if code.isdecimal() else 0)
        if error.fate in ("never", "opted-out", "off"):
            return None
        return Trouble(f"{error.words} ({_TOLD}/{code})", ours=error.fate in ("ours", "filtered"))

    async def close(self) -> None:
        """Close the connections that are kept."""
        await self._http.close()

    def _line(self, name: str) -> _Line:
        return self._lines.get(name, self._default)


def country_of(number: str) -> str | None:
    """The country of an E.164 number (ISO 3166); None of what is none."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    shared_by = parsed.country_code or 0
    return phonenumbers.region_code_for_number(parsed) or phonenumbers.region_code_for_country_code(shared_by)


class _Line:
    """An account with its client, and its sender in Twilio's words."""

    def __init__(self, name: str, account: Account, http: HttpClient) -> None:
        self.name = name
        self.sender = {"messaging_service_sid" if _SERVICE.fullmatch(account.sender) else "from_": account.sender}
        others = {"": ""}  # instead of the environment: what stands there is not ours
        by = _TwilioHttp(account.api_url.rstrip("/"), http)
        self.messages = Client(account.account_sid, account.auth_token, http_client=by, environment=others).messages


class _TwilioHttp(AsyncHttpClient):  # type: ignore[misc] # it ships no types
    """Lets Twilio's library ask by our client, which may speak to another host and knows when nothing has left."""

    def __init__(self, api_url: str, http: HttpClient) -> None:
        super().__init__(logging.getLogger(__name__), is_async=True)
        self._api_url, self._http = api_url, http

    async def request(
        self,
        method: str,  # noqa: ARG002 - a POST is what has data
        uri: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] = ("", ""),
        **_more: object,
    ) -> Response:
        query = f"?{urlencode(params)}" if params else ""
        proof = {"Authorization": f"Basic {base64.b64encode(':'.join(auth).encode()).decode()}"}
        url, body = uri.replace(API, self._api_url, 1) + query, urlencode(data or {}, doseq=True).encode()
        status, answer = await self._http.ask(url, body, {**(headers or {}), **proof})
        if status == _TIMED_OUT or status >= _THEIRS:  # whatever status the answer's own words give
            raise SmsError(f"the answer {status} proves nothing")
        return Response(status, answer)


def _judge(status: int, number: int, account: str) -> None:
    """Raise what an answer proves; return where it proves nothing (5xx, time-outs)."""
    if status == _TIMED_OUT or not 400 <= status < 500:  # noqa: PLR2004 - the client's faults, all of them definite
        return
    error = twilio_codes.of(number or status)
    code, said = str(number or status), f"{error.words} (error {number or status})"
    if status in _OURS or error.fate in ("ours", "filtered"):
        raise Unsent(f"{said}: mend [texts.twilio.{account}], or the account", code)
    if status == _TOO_MANY or number in _ASKED_TOO_OFTEN:
        raise TooFast(said, code)
    if error.fate in ("off", "full"):
        raise Unsent(said, code)
    raise OptedOut(said, code) if error.fate == "opted-out" else Refused(said, code)


async def _found(line: _Line, to: str, body: str, asked_at: float, fault: Exception) -> Receipt:
    """Take the one message of the list that can only be ours as accepted; else raise what went wrong."""
    since = datetime.fromtimestamp(asked_at - CLOCKS_DIFFER_S, UTC).replace(microsecond=0)
    try:
        listed = await line.messages.page_async(to=to, page_size=LISTED)  # and no further page, whatever it names
    except (SmsError, TwilioRestException, TwilioServiceException, OSError):
        raise fault from None
    # a trial account puts words of its own before ours
    ours = [m.sid for m in listed if m.body.endswith(body) and m.date_created and m.date_created >= since]
    if len(ours) != 1:
        raise fault
    return _receipt(ours[0])


def _receipt(sid: object) -> Receipt:
    """Take an answer for an acceptance only where it names the message: Twilio's own do."""
    if not isinstance(sid, str) or not _SID.fullmatch(sid):
        raise SmsError("the answer names no message")
    return Receipt(sid)
