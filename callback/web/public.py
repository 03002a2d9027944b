"""An HTTP server for the gateway's callbacks and the customers' page, in a process of its own.

Whatever comes in is a stranger's until its signature says otherwise: 403 unsigned, 404 about nothing of ours, 413 too
large, 400 malformed; none of these changes anything. What comes twice is answered as it was the first time.
"""

from __future__ import annotations

import asyncio
import logging
import re
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, closing, contextmanager
from functools import partial
from http import HTTPStatus
from typing import Any, Final, TextIO, TypeVar, cast
from urllib.parse import parse_qsl

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError
from multidict import MultiDict
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError
from twilio.request_validator import RequestValidator
from twilio.twiml.messaging_response import MessagingResponse

from callback.clock import now_us
from callback.decisions import replies
from callback.errors import CallbackError, Contended, IllegalTransition, StoreError
from callback.logs.repeated import Repeated
from callback.settings.sections import Settings
from callback.settings.texts import TwilioAccount
from callback.site.context import current
from callback.site.work import Work
from callback.store.engine import Store
from callback.store.keys import check, store_of
from callback.texts import send
from callback.web import customer_page
from callback.web.connections import ConnectionLimiter, Limits
from callback.web.rate_limit import Pace
from sms import twilio
from sms.inbound import Inbound, Word

log = logging.getLogger(__name__)
T = TypeVar("T")
Fields = MultiDict[str]
Transaction = Callable[[], AbstractContextManager[Connection]]

LIMIT: Final = 64 << 10  # bytes of a request
READ_S: Final = 10.0
POSTS: Final = (10, 10.0)  # of one link: so many at once, then one in so many seconds
LOOKS: Final = (40, 2.0)
REST: Final = 2.0  # times as long as a transaction took: SQLite lets one write, and losses are written first
WRITERS: Final = 3  # at once, where the database lets several write
LINGER_S: Final = 2.0  # for what is still sent to a request that was answered
SHUTDOWN_S: Final = 2.0
NAME: Final = "callback"  # of the server; no versions
MOST_FIELDS: Final = 200
FORM: Final = "application/x-www-form-urlencoded"
_SID: Final = re.compile(r"[SM]M[0-9a-fA-F]{32}")
_PARTY: Final = re.compile(r"[+0-9A-Za-z:._ -]{1,64}")  # a number, a short code, a name
_OPT_OUT_TYPES: Final[Mapping[str, Word]] = {"STOP": "stop", "START": "start", "HELP": "help"}
_PRIVATE: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",  # the address is the key
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


_BROKEN: Final = (HttpProcessingError, web.RequestPayloadError, ConnectionError)
BROKEN_OFF: Final = "a request was broken off, or is none"


class _Handler(web.RequestHandler):
    """Answers one request for each connection, says no version, and counts what is no request."""

    __slots__ = ("_tally",)

    def __init__(self, manager: web.Server, tally: Repeated, **words: Any) -> None:  # noqa: ANN401 - aiohttp's own words
        super().__init__(manager, **words)
        self._tally = tally

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        resp.headers[hdrs.SERVER] = NAME
        resp.force_close()
        return await super().finish_response(request, resp, start_time)

    def log_exception(self, *args: Any, **words: Any) -> None:  # noqa: ANN401 - as a logger takes them
        if isinstance(words.get("exc_info"), _BROKEN):
            self._tally.note(BROKEN_OFF)
        else:
            super().log_exception(*args, **words)


class PublicServer:
    """The routes, on one database. `now` is the clock of what is decided."""

    def __init__(self, settings: Settings, store: Store, now: Callable[[], int], limits: Limits | None = None) -> None:
        self._settings, self._store, self._now = settings, store, now
        self._two_way = send.two_way_of(settings)
        self._tally = Repeated(log.warning)
        self._limiter = ConnectionLimiter(limits or Limits(), self._tally)
        self._paces = {True: Pace(*POSTS), False: Pace(*LOOKS)}
        self._turns = asyncio.Semaphore(1 if store.dialect == "sqlite" else WRITERS)
        self._rest_until = 0.0

    @asynccontextmanager
    async def open(self, host: str, port: int) -> AsyncIterator[int]:
        """Listen; give the port. OSError where that is impossible.

        Packed requests stay packed: a small one may hold a large one.
        """
        app = web.Application(client_max_size=LIMIT)
        app.add_routes(
            [
                web.post("/twilio/{account}/status/{ref}", self._status),
                web.post("/twilio/{account}/inbound", self._inbound),
                web.get("/r/{token}", self._show),
                web.post("/r/{token}", self._act),
            ]
        )
        runner, loop = web.AppRunner(app, shutdown_timeout=SHUTDOWN_S), asyncio.get_running_loop()
        loop.set_exception_handler(self._on_fault)
        await runner.setup()
        try:
            handler = partial(self._handler, cast("web.Server", runner.server), loop)  # it has one since it is set up
            listening = await loop.create_server(self._limiter.limited(handler), host, port)
            async with listening:
                yield listening.sockets[0].getsockname()[1]
        finally:
            await runner.cleanup()

    def _handler(self, server: web.Server, loop: asyncio.AbstractEventLoop) -> web.RequestHandler:
        packed_stays = {"auto_decompress": False}
        return _Handler(server, self._tally, loop=loop, access_log=None, lingering_time=LINGER_S, **packed_stays)

    def _on_fault(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Count what happens when the machine has nothing left for another connection; log what is unheard of."""
        fault = context.get("exception")
        if isinstance(fault, OSError) and "accept" in context["message"]:
            self._tally.note(f"nobody else can connect for a moment: {fault.strerror}; see the limits of the service")
        else:
            loop.default_exception_handler(context)

    async def _status(self, request: web.Request) -> web.Response:
        """A gateway tells what became of a text."""
        fields = await self._signed(request)
        report, ref = twilio.report(fields), request.match_info["ref"]
        if report is None:
            raise web.HTTPBadRequest(text="this is no status callback")

        def take(work: Work) -> bool:
            return send.reported(work, twilio.NAME, ref, report) is not None

        if not await self._write(take):
            raise web.HTTPNotFound(text="no such text")
        return web.Response(status=204)

    async def _inbound(self, request: web.Request) -> web.Response:
        """A customer's text came in; it may be answered with another."""
        fields = await self._signed(request)
        sid, sender, to = (fields.get(key, "") for key in ("MessageSid", "From", "To"))
        if not (_SID.fullmatch(sid) and _PARTY.fullmatch(sender) and _PARTY.fullmatch(to)):
            raise web.HTTPBadRequest(text="this is no text")
        taken_for = _OPT_OUT_TYPES.get(fields.get("OptOutType", ""))  # then Twilio answers, in the account's own words
        inbound = Inbound(request.match_info["account"], sid, sender, to, fields.get("Body", ""), taken_for)
        said = MessagingResponse()
        if (reply := await self._write(lambda work: replies.take(work, inbound))) is not None:
            said.message(reply)
        return web.Response(text=str(said), content_type="text/xml")

    async def _show(self, request: web.Request) -> web.Response:
        self._limiter.request_has_come(request.transport)
        self._pace(request, request.match_info["token"])
        return _answer(await self._look(request.match_info["token"]))

    async def _act(self, request: web.Request) -> web.Response:
        form, token = await self._form(request), request.match_info["token"]
        self._pace(request, token)
        shown = await self._look(token)
        if shown.status == HTTPStatus.OK:  # who has no link of ours keeps no writer waiting
            shown = await self._write(lambda work: customer_page.act(work, token, form))
        return _answer(shown)

    def _pace(self, request: web.Request, token: str) -> None:
        """Let a link be opened and worked as fast as people do; whoever is faster costs us nothing."""
        if not self._paces[request.method == "POST"].allows(token, time.monotonic()):
            self._tally.note("a link was asked for more often than people do")
            raise web.HTTPTooManyRequests(text="too often: try again in a minute", headers={"Retry-After": "60"})

    async def _look(self, token: str) -> customer_page.Page:
        return await self._do(lambda work: customer_page.show(work, token), self._store.read)

    async def _signed(self, request: web.Request) -> Fields:
        """Read a form that Twilio signed for the account in the address; nobody else's gets further.

        What is signed is the address under which the world finds us, not the one that a proxy made of it.
        """
        account = self._account(request)
        signature = request.headers.get("X-Twilio-Signature", "")
        if not signature:
            raise web.HTTPForbidden(text="unsigned")
        fields = await self._form(request)
        url = f"{self._settings.web.public_url}{request.raw_path}"
        if not RequestValidator(account.auth_token).validate(url, fields, signature):
            raise web.HTTPForbidden(text="the signature is wrong")
        if fields.get("AccountSid") != account.account_sid:
            raise web.HTTPNotFound(text="no such account")
        return fields

    async def _form(self, request: web.Request) -> Fields:
        """Read a form: no larger than LIMIT, soon, and in UTF-8."""
        if request.content_type != FORM or "Content-Encoding" in request.headers:
            raise web.HTTPUnsupportedMediaType(text=f"send {FORM}, not packed")
        try:
            async with asyncio.timeout(READ_S):
                body = await request.read()
        except TimeoutError as error:
            raise web.HTTPRequestTimeout(text="too slow") from error
        except _BROKEN as error:
            self._tally.note(BROKEN_OFF)
            raise web.HTTPBadRequest(text="broken off") from error
        self._limiter.request_has_come(request.transport)
        try:
            pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
        except ValueError as error:  # a UnicodeDecodeError is one
            raise web.HTTPBadRequest(text="this is no form in UTF-8") from error
        return MultiDict(pairs)

    def _account(self, request: web.Request) -> TwilioAccount:
        account = self._settings.texts.twilio.get(request.match_info["account"])
        if account is None:
            raise web.HTTPNotFound(text="no such account")
        return account

    async def _write(self, act: Callable[[Work], T]) -> T:
        """Let `act` write; on SQLite one at a time, with a rest after each: the lost are to be written down first."""
        async with self._turns:
            await asyncio.sleep(max(0.0, self._rest_until - time.monotonic()))
            return await self._do(act, self._write_and_rest)

    @contextmanager
    def _write_and_rest(self) -> Iterator[Connection]:
        began: float | None = None
        try:
            with self._store.write() as connection:
                began = time.monotonic()
                yield connection
        finally:
            if began is not None and self._store.dialect == "sqlite":
                self._rest_until = time.monotonic() + REST * (time.monotonic() - began)

    async def _do(self, act: Callable[[Work], T], transaction: Transaction) -> T:
        """Let `act` work in one transaction, beside the loop, under the rules that are in force by now.

        Once more where somebody was quicker, the dispatcher above all: then it sees what that one did.
        """
        try:
            try:
                return await asyncio.to_thread(self._work, act, transaction)
            except (IllegalTransition, IntegrityError, Contended):
                return await asyncio.to_thread(self._work, act, transaction)
        except (IllegalTransition, IntegrityError) as error:
            self._tally.note(f"somebody was quicker, twice: {error}")
            raise web.HTTPConflict(text="try again") from error
        except StoreError as error:
            self._tally.note(str(error))
            raise web.HTTPServiceUnavailable(text="try again later") from error

    def _work(self, act: Callable[[Work], T], transaction: Transaction) -> T:
        with transaction() as connection:
            return act(Work(connection, current(connection, self._settings, self._two_way), self._now()))


def _answer(shown: customer_page.Page) -> web.Response:
    return web.Response(status=shown.status, text=shown.html, content_type="text/html", headers=_PRIVATE)


async def serve(settings: Settings, now: Callable[[], int], stopped: asyncio.Event) -> None:
    """Serve until stopped. CallbackError where that is impossible."""
    if not settings.web.listen:
        raise CallbackError('nothing is to be served: [web] listen = "127.0.0.1:8080" and public_url say where')
    with closing(store_of(settings.database)) as store:
        check(store)
        with store.read() as connection:
            current(connection, settings)  # a database that was never run on has nothing to answer with
        host, port = settings.web.address
        try:
            async with PublicServer(settings, store, now).open(host, port):
                await stopped.wait()
        except OSError as error:
            raise CallbackError(f"[web] listen {settings.web.listen}: {error.strerror or error}") from error


async def serve_until_told(settings: Settings, until_eof: TextIO | None) -> None:
    """Serve until SIGTERM or SIGINT, or until that stream ends, as it does when the process that holds it dies."""
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    if until_eof is not None:
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), until_eof)
        ending = loop.create_task(reader.read())
        ending.add_done_callback(lambda _: stopped.set())
    await serve(settings, now_us, stopped)
