"""A FAKE Twilio on loopback: it keeps messages and reports on them as the real one does, and texts nobody.

It answers the Messages API, calls status callbacks with a right signature, and lets tests have every mishap: errors by
number, answers that come late, never, or are a 500 though the text was accepted, reports that come twice, early, or in
any order. What it accepted is kept: the judge of whether a text was sent twice. `python -m lab.twilio` runs it alone.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hmac
import json
import secrets
import sys
import threading
import time
from base64 import b64decode
from collections import defaultdict, deque
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeVar
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

import aiohttp
from aiohttp import web
from twilio.request_validator import RequestValidator

from lab.errors import LabError

if TYPE_CHECKING:
    from lab.openapi import Description  # it takes a second to import

T = TypeVar("T")
Answer = Literal["created", "error", "cut", "never"]
_PAGE: Final = 50
_API: Final = "/2010-04-01/Accounts/{account}/Messages"


@dataclass(frozen=True, slots=True)
class Conduct:
    """What becomes of one text: whether it is accepted, how that is answered, and what is reported afterwards."""

    accepts: bool = True
    answer: Answer = "created"  # error: with `status` and `code`; cut: the connection; never: until the asker gives up
    status: int = 400
    code: int = 0  # of an error, or of a text that failed
    delay_s: float = 0.0
    reports: tuple[str, ...] = ("sending", "sent", "delivered")
    repeat: int = 1
    early: bool = False  # the reports come before the answer


def error(code: int, status: int = 400) -> Conduct:
    """Refuse with an error."""
    return Conduct(accepts=False, answer="error", status=status, code=code)


def undelivered(code: int) -> Conduct:
    """Accept, and fail afterwards."""
    return Conduct(reports=("sending", "sent", "undelivered"), code=code)


@dataclass(slots=True)
class Message:
    """A message that was accepted, or came in."""

    sid: str
    account: str
    to: str
    sender: str
    service: str | None
    body: str
    status_callback: str
    created_at: datetime
    direction: str = "outbound-api"
    status: str = "queued"
    code: int = 0

    def as_json(self) -> dict[str, Any]:
        """The resource as the API shows it."""
        at = format_datetime(self.created_at)
        uri = f"{_API.format(account=self.account)}/{self.sid}"
        return {
            "account_sid": self.account, "api_version": "2010-04-01", "body": self.body, "date_created": at,
            "date_sent": at, "date_updated": at, "direction": self.direction, "error_code": self.code or None,
            "error_message": None, "from": self.sender or None, "messaging_service_sid": self.service,
            "num_media": "0", "num_segments": "1", "price": None, "price_unit": "USD", "sid": self.sid,
            "status": self.status, "subresource_uris": {"media": f"{uri}/Media.json"}, "to": self.to,
            "uri": f"{uri}.json",
        }  # fmt: skip


@dataclass(slots=True)
class Told:
    """A webhook that was called, and what came back."""

    url: str
    fields: dict[str, str]
    status: int
    answer: str = ""


class FakeTwilio:
    """The fake, as a context manager with a thread of its own.

    `accounts` are SIDs and their auth tokens; with a `description`, what is said on both sides is held against it. It
    keeps the messages that it `accepted`, the webhooks that it `told` of them, and the `faults` that it found.
    """

    def __init__(
        self,
        accounts: Mapping[str, str],
        description: Description | None = None,
        *,
        answer_s: float = 0.0,
        report_after_s: float = 0.0,
        port: int = 0,
    ) -> None:
        self.accounts, self.port = accounts, port
        self.accepted: list[Message] = []
        self.told: list[Told] = []
        self.faults: list[str] = []
        self.requests = 0
        self._peers: set[object] = set()
        self._description = description
        self._answer_s, self._report_after_s = answer_s, report_after_s
        self._conducts: defaultdict[str, deque[Conduct]] = defaultdict(deque)
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fake-twilio", daemon=True)
        self._session: aiohttp.ClientSession
        self._runner: web.AppRunner

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._open())
        return self

    def __exit__(self, *_exc: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        self._loop.close()

    @property
    def connections(self) -> int:
        """By how many connections texts were asked for."""
        return len(self._peers)

    @property
    def url(self) -> str:
        """Where it is, instead of https://api.twilio.com."""
        return f"http://127.0.0.1:{self.port}"

    def behave(self, number: str, *conducts: Conduct) -> None:
        """Treat the next texts to a number so, one after the other; then again as every other."""
        self._conducts[number].extend(conducts)

    def forget_conducts(self) -> None:
        """Treat every text as any other from now on."""
        self._conducts.clear()

    def accepted_for(self, ref: str) -> list[Message]:
        """The messages whose status callback ends with our name of the text."""
        return [message for message in self.accepted if message.status_callback.endswith(f"/{ref}")]

    def text_in(self, url: str, account: str, sender: str, to: str, body: str, sid: str = "") -> Told:
        """Let somebody's text come in at a webhook; give what that answered."""
        fields = {"MessageSid": sid or _sid(), "AccountSid": account, "From": sender, "To": to, "Body": body}
        return self.call(url, account, fields | {"SmsStatus": "received", "NumMedia": "0", "ApiVersion": "2010-04-01"})

    def call(self, url: str, account: str, fields: dict[str, str], signature: str | None = None) -> Told:
        """Call a webhook, signed by the account unless another signature is given."""
        return self._run(self._call(url, account, fields, signature))

    def wait(self, holds: Callable[[], bool], what: str, timeout_s: float = 20.0) -> None:
        """Wait until it holds; raises `LabError` if it does not."""
        deadline = time.monotonic() + timeout_s
        while not holds():
            if time.monotonic() > deadline:
                raise LabError(f"the fake Twilio waited {timeout_s} s for {what}; told so far: {self.told}")
            time.sleep(0.01)

    def _run(self, work: Coroutine[None, None, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=60)

    async def _open(self) -> None:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20))
        app = web.Application()
        app.add_routes([
            web.post(f"{_API}.json", self._create),
            web.get(f"{_API}.json", self._list),
            web.get(f"{_API}/{{sid}}.json", self._fetch),
        ])  # fmt: skip
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.close()
        await self._runner.cleanup()

    # What it is asked

    async def _create(self, request: web.Request) -> web.Response:
        self.requests += 1
        self._peers.add(request.transport.get_extra_info("peername") if request.transport else None)
        body = await request.read()
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
        conduct = self._conduct(fields.get("To", ""))
        response, message = self._judge(request, fields, conduct)
        self._check(request, body, response)
        await asyncio.sleep(conduct.delay_s or self._answer_s)
        if message is not None:
            self.accepted.append(message)
            if conduct.early:
                await self._report(message, conduct)
            else:
                self._later(self._report(message, conduct))
        if conduct.answer == "never":
            await asyncio.sleep(60)
        if conduct.answer == "cut" and request.transport is not None:
            request.transport.abort()
        return response

    def _conduct(self, number: str) -> Conduct:
        mine = self._conducts.get(number)
        return mine.popleft() if mine else Conduct()

    def _judge(
        self, request: web.Request, fields: dict[str, str], conduct: Conduct
    ) -> tuple[web.Response, Message | None]:
        if (refusal := self._stranger(request)) is not None:
            return refusal, None
        if not fields.get("Body") or not (fields.get("From") or fields.get("MessagingServiceSid")):
            return _error(400, 21602 if not fields.get("Body") else 21603), None
        message = Message(
            sid=_sid(),
            account=request.match_info["account"],
            to=fields.get("To", ""),
            sender=fields.get("From", ""),
            service=fields.get("MessagingServiceSid"),
            body=fields["Body"],
            status_callback=fields.get("StatusCallback", ""),
            created_at=datetime.now(UTC),
        )
        said = _error(conduct.status, conduct.code) if conduct.answer == "error" else _json(201, message.as_json())
        return said, message if conduct.accepts else None

    async def _list(self, request: web.Request) -> web.Response:
        asked, size = request.query, int(request.query.get("PageSize", _PAGE))
        page = int(asked.get("Page", 0))
        account = request.match_info["account"]
        found = [m for m in reversed(self.accepted) if m.account == account and asked.get("To") in (None, m.to)]
        shown = found[page * size : (page + 1) * size]
        uri = f"{request.path}?PageSize={size}&To={asked.get('To', '')}&Page="
        answer = {
            "end": page * size + len(shown), "first_page_uri": f"{uri}0", "page": page, "page_size": size,
            "next_page_uri": f"{uri}{page + 1}" if found[(page + 1) * size :] else None,
            "previous_page_uri": f"{uri}{page - 1}" if page else None, "start": page * size, "uri": f"{uri}{page}",
            "messages": [message.as_json() for message in shown],
        }  # fmt: skip
        return self._checked(request, self._stranger(request) or _json(200, answer))

    async def _fetch(self, request: web.Request) -> web.Response:
        found = [message for message in self.accepted if message.sid == request.match_info["sid"]]
        answer = _json(200, found[0].as_json()) if found else _error(404, 20404)
        return self._checked(request, self._stranger(request) or answer)

    def _stranger(self, request: web.Request) -> web.Response | None:
        account = request.match_info["account"]
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        wanted = f"{account}:{self.accounts.get(account, '')}".encode()
        known = account in self.accounts and scheme == "Basic" and hmac.compare_digest(b64decode(given), wanted)
        return None if known else _error(401, 20003)

    def _checked(self, request: web.Request, response: web.Response) -> web.Response:
        self._check(request, b"", response)
        return response

    def _check(self, request: web.Request, body: bytes, response: web.Response) -> None:
        if self._description is not None:
            self.faults += self._description.faults(request, body, response)

    # What it tells

    def _later(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _report(self, message: Message, conduct: Conduct) -> None:
        for status in conduct.reports:
            await asyncio.sleep(self._report_after_s)
            message.status = status
            failed = status in {"undelivered", "failed"}
            message.code = conduct.code if failed else 0
            if not message.status_callback:
                continue
            fields = {"MessageSid": message.sid, "MessageStatus": status, "AccountSid": message.account}
            fields |= {"To": message.to, "From": message.sender, "ApiVersion": "2010-04-01"}
            if failed:
                fields["ErrorCode"] = str(conduct.code)
            for _ in range(conduct.repeat):
                with contextlib.suppress(aiohttp.ClientError):  # it does not come back because nobody opens
                    await self._call(message.status_callback, message.account, fields, None)

    async def _call(self, url: str, account: str, fields: dict[str, str], signature: str | None) -> Told:
        signed = RequestValidator(self.accounts[account]).compute_signature(url, fields)
        headers = {"X-Twilio-Signature": signed if signature is None else signature}
        async with self._session.post(url, data=fields, headers=headers) as response:
            told = Told(url, fields, response.status, await response.text())
        self.told.append(told)
        return told


def reply(told: Told) -> str | None:
    """The text that a webhook answered with, as TwiML; None where it answered nothing."""
    return ET.fromstring(told.answer).findtext("Message")  # noqa: S314 - our own answer


def _sid() -> str:
    return f"SM{secrets.token_hex(16)}"


def _json(status: int, content: object) -> web.Response:
    return web.Response(status=status, text=json.dumps(content), content_type="application/json")


def _error(status: int, code: int) -> web.Response:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return _json(status, {"code": code, "message": f"the fake says {code}", "more_info": more, "status": status})


def main(arguments: list[str] | None = None) -> int:
    """Run until standard input ends; the first line says where."""
    parser = argparse.ArgumentParser(prog="python -m lab.twilio", description=__doc__.partition("\n")[0])
    parser.add_argument("--account", default=f"AC{'0' * 32}", help="its SID")
    parser.add_argument("--token", default="fake-token")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--answer-ms", type=float, default=0, help="how long each text takes")
    options = parser.parse_args(arguments)
    accounts, answer_s = {options.account: options.token}, options.answer_ms / 1000
    with FakeTwilio(accounts, answer_s=answer_s, port=options.port) as fake:
        print(f"FAKE Twilio, nobody is texted: {fake.url}", flush=True)
        sys.stdin.read()
        print(json.dumps({"requests": fake.requests, "accepted": len(fake.accepted)}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
