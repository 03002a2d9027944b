"""An HTTP server for the gateway's callbacks and the pages of customers and departments, in a process of its own.

Whatever comes in is a stranger's until its signature says otherwise: 403 unsigned, 404 about nothing of ours, 413 too
large, 400 malformed; none of these changes anything. What comes twice is answered as it was the first time.
"""

from __future__ import annotations

import asyncio
import collections
import logging
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, closing, contextmanager
from http import HTTPStatus
from typing import Final, TextIO, TypeVar
from urllib.parse import parse_qsl

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError
from starlette.applications import Starlette
from starlette.datastructures import ImmutableMultiDict
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from twilio.request_validator import RequestValidator
from twilio.twiml.messaging_response import MessagingResponse

from callback.clock import now_us
from callback.cluster.wiring import ALONE, Cluster, joined
from callback.decisions import replies
from callback.errors import CallbackError, Contended, IllegalTransition, StoreError
from callback.logs.repeated import Repeated
from callback.settings.sections import Settings
from callback.settings.texts import TwilioAccount
from callback.site.context import Sites, current
from callback.site.work import Work
from callback.store import tally
from callback.store.engine import Store
from callback.store.keys import check, store_of
from callback.store.tally import Counter
from callback.texts import send
from callback.web import customer_page, department_page
from callback.web.connections import Limits
from callback.web.languages import Language, asked_for
from callback.web.rate_limit import Pace
from callback.web.server import Serving, opened, until_told
from sms import twilio
from sms.inbound import Inbound, Word

log = logging.getLogger(__name__)
T = TypeVar("T")
Fields = ImmutableMultiDict[str, str]
Transaction = Callable[[], AbstractContextManager[Connection]]

LIMIT: Final = 64 << 10  # bytes of a form
POSTS: Final = (10, 10.0)  # of one link: so many at once, then one in so many seconds
LOOKS: Final = (40, 2.0)
COUNT_S: Final = 5.0
REST: Final = 2.0  # times as long as a transaction took: SQLite lets one write, and losses are written first
WRITERS: Final = 3  # at once, where the database lets several write
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


class PublicServer:
    """The routes, on one database. `now` is the clock of what is decided."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        now: Callable[[], int],
        limits: Limits | None = None,
        cluster: Cluster = ALONE,
    ) -> None:
        self._settings, self._store, self._now = settings, store, now
        self._sites = Sites(settings, send.two_way_of(settings))
        self._tally = Repeated(log.warning)
        self._serving = Serving(limits or Limits(), LIMIT)
        shared = cluster.limits
        self._paces = {True: Pace(*POSTS, "posts", shared), False: Pace(*LOOKS, "looks", shared)}
        self._turns = asyncio.Semaphore(1 if store.dialect == "sqlite" else WRITERS)
        self._rest_until = 0.0
        self._refused = collections.Counter[Counter]()

    @asynccontextmanager
    async def open(self, host: str, port: int) -> AsyncIterator[int]:
        """Listen; give the port. OSError where that is impossible.

        Packed requests stay packed: a small one may hold a large one.
        """
        app = Starlette(
            routes=[
                Route("/twilio/{account}/status/{ref}", self._status, methods=["POST"]),
                Route("/twilio/{account}/inbound", self._inbound, methods=["POST"]),
                Route("/r/{token}", self._show, methods=["GET"]),
                Route("/r/{token}", self._act, methods=["POST"]),
                Route("/c/{token}", self._show_department, methods=["GET"]),
                Route("/c/{token}", self._take_department, methods=["POST"]),
            ]
        )
        app.router.redirect_slashes = False  # another address is another page
        async with opened(app, (host, port), self._serving, self._tally) as heard_at:
            counting = asyncio.create_task(self._count_refused())
            try:
                yield heard_at
            finally:
                counting.cancel()

    async def _count_refused(self) -> None:
        """Write now and then how much was refused: in one go, so that strangers cannot make us write each time."""
        while True:
            await asyncio.sleep(COUNT_S)
            refused, self._refused = self._refused, collections.Counter()
            try:
                if refused:
                    await asyncio.to_thread(self._keep_count, refused)
            except StoreError:
                self._refused.update(refused)

    def _keep_count(self, refused: Mapping[Counter, int]) -> None:
        with self._store.write() as connection:
            tally.add(connection, refused)

    def _forged(self, why: str) -> None:
        self._refused[Counter(self._settings.pbx.name, tally.WEBHOOKS_REFUSED, (why,))] += 1

    async def _status(self, request: Request) -> Response:
        """A gateway tells what became of a text."""
        fields = await self._signed(request)
        report, ref = twilio.report(fields), request.path_params["ref"]
        if report is None:
            raise HTTPException(400, "this is no status callback")

        def take(work: Work) -> bool:
            return send.reported(work, twilio.NAME, ref, report) is not None

        if not await self._write(take):
            raise HTTPException(404, "no such text")
        return Response(status_code=204)

    async def _inbound(self, request: Request) -> Response:
        """A customer's text came in; it may be answered with another."""
        fields = await self._signed(request)
        sid, sender, to = (fields.get(key, "") for key in ("MessageSid", "From", "To"))
        if not (_SID.fullmatch(sid) and _PARTY.fullmatch(sender) and _PARTY.fullmatch(to)):
            raise HTTPException(400, "this is no text")
        taken_for = _OPT_OUT_TYPES.get(fields.get("OptOutType", ""))  # then Twilio answers, in the account's own words
        inbound = Inbound(request.path_params["account"], sid, sender, to, fields.get("Body", ""), taken_for)
        said = MessagingResponse()
        if (reply := await self._write(lambda work: replies.take(work, inbound))) is not None:
            said.message(reply)
        return Response(str(said), media_type="text/xml")

    async def _show(self, request: Request) -> Response:
        await self._pace(request, request.path_params["token"])
        return _answer(await self._look(request.path_params["token"]))

    async def _act(self, request: Request) -> Response:
        form, token = await self._form(request), request.path_params["token"]
        await self._pace(request, token)
        shown = await self._look(token)
        if shown.status == HTTPStatus.OK:  # who has no link of ours keeps no writer waiting
            shown = await self._write(lambda work: customer_page.act(work, token, form))
        return _answer(shown)

    async def _show_department(self, request: Request) -> Response:
        token, language = request.path_params["token"], _language(request)
        await self._pace(request, token)
        return _answer(await self._do(lambda work: department_page.show(work, token, language), self._store.read))

    async def _take_department(self, request: Request) -> Response:
        """A department answers. Whoever posts it knows the link; what a browser calls foreign is refused."""
        form, token, language = await self._form(request), request.path_params["token"], _language(request)
        await self._pace(request, token)
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return _answer(department_page.foreign(language))
        looked = await self._do(lambda work: department_page.show(work, token, language), self._store.read)
        if looked.status != HTTPStatus.OK:  # who has no link of ours keeps no writer waiting
            return _answer(looked)
        return _answer(await self._write(lambda work: department_page.act(work, token, form, language)))

    async def _pace(self, request: Request, token: str) -> None:
        """Let a link be opened and worked as fast as people do; whoever is faster costs us nothing."""
        pace = self._paces[request.method == "POST"]
        if not await asyncio.to_thread(pace.allows, token, time.monotonic()):
            self._tally.note("a link was asked for more often than people do")
            raise HTTPException(429, "too often: try again in a minute", {"Retry-After": "60"})

    async def _look(self, token: str) -> customer_page.Page:
        return await self._do(lambda work: customer_page.show(work, token), self._store.read)

    async def _signed(self, request: Request) -> Fields:
        """Read a form that Twilio signed for the account in the address; nobody else's gets further.

        What is signed is the address under which the world finds us, not the one that a proxy made of it.
        """
        account = self._account(request)
        signature = request.headers.get("X-Twilio-Signature", "")
        if not signature:
            self._forged("unsigned")
            raise HTTPException(403, "unsigned")
        fields = await self._form(request)
        url = f"{self._settings.web.public_url}{_as_asked(request)}"
        if not RequestValidator(account.auth_token).validate(url, fields, signature):
            self._forged("wrong-signature")
            raise HTTPException(403, "the signature is wrong")
        if fields.get("AccountSid") != account.account_sid:
            raise HTTPException(404, "no such account")
        return fields

    async def _form(self, request: Request) -> Fields:
        """Read a form in UTF-8."""
        told = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if told != FORM or "Content-Encoding" in request.headers:
            raise HTTPException(415, f"send {FORM}, not packed")
        body = await request.body()
        try:
            pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
        except ValueError as error:  # a UnicodeDecodeError is one
            raise HTTPException(400, "this is no form in UTF-8") from error
        return Fields(pairs)

    def _account(self, request: Request) -> TwilioAccount:
        account = self._settings.texts.twilio.get(request.path_params["account"])
        if account is None:
            raise HTTPException(404, "no such account")
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
            raise HTTPException(409, "try again") from error
        except StoreError as error:
            self._tally.note(str(error))
            raise HTTPException(503, "try again later") from error

    def _work(self, act: Callable[[Work], T], transaction: Transaction) -> T:
        with transaction() as connection:
            now = self._now()
            return act(Work(connection, self._sites.at(connection, now), now))


def _answer(shown: customer_page.Page) -> Response:
    return HTMLResponse(shown.html, shown.status, _PRIVATE)


def _language(request: Request) -> Language:
    return asked_for(request.headers.get("accept-language", ""))


def _as_asked(request: Request) -> str:
    """The path and the query of a request, letter by letter."""
    query = request.scope["query_string"]
    asked: bytes = request.scope["raw_path"] + (b"?" + query if query else b"")
    return asked.decode("latin-1")


async def serve(settings: Settings, now: Callable[[], int], stopped: asyncio.Event) -> None:
    """Serve until stopped. CallbackError where that is impossible."""
    if not settings.web.listen:
        raise CallbackError('nothing is to be served: [web] listen = "127.0.0.1:8080" and public_url say where')
    with closing(store_of(settings.database)) as store:
        check(store)
        with store.read() as connection:
            current(connection, settings, now())  # a database that was never run on has nothing to answer with
        host, port = settings.web.address
        try:
            with joined(settings, store) as cluster:
                store.on_told = cluster.decided
                async with PublicServer(settings, store, now, cluster=cluster).open(host, port):
                    await stopped.wait()
        except OSError as error:
            raise CallbackError(f"[web] listen {settings.web.listen}: {error.strerror or error}") from error


async def serve_until_told(settings: Settings, until_eof: TextIO | None) -> None:
    """Serve until SIGTERM or SIGINT, or until that stream ends."""
    await until_told(lambda stopped: serve(settings, now_us, stopped), until_eof)
