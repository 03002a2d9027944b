"""Texts on their way: the gateway that the settings name, how many may leave, and what its reports change."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Final, TextIO

from sqlalchemy import Connection, select

from callback.customers import blocks
from callback.errors import StoreError
from callback.events import TextFailed
from callback.logs.failing import Failing
from callback.logs.masking import masked
from callback.settings.rules import SiteRules
from callback.settings.sections import Settings
from callback.settings.texts import Texts
from callback.site.context import Site, Sites
from callback.site.templates import TwoWay
from callback.site.work import Work
from callback.store import tables as t
from callback.store import tally
from callback.store.audit import By
from callback.store.engine import Store
from callback.store.tally import TEXTS_TRIED, Counter
from callback.texts import compose
from scheduler.clock import SECOND
from sms import reports
from sms.caps import Caps
from sms.console import ConsoleGateway
from sms.delivery import DeliveryHooks, DeliveryRules, deliver
from sms.gateway import Gateway, Refused, Report, Unsent
from sms.http import HttpGateway, Request
from sms.reports import Taken

TEXTS_A_TURN: Final = 10_000
TURN_S: Final = 1.0  # then it is looked anew who is on the line
AGAIN_S: Final = 900  # a phone that was off is texted once more


def gateway_of(settings: Settings, stream: TextIO) -> Gateway:
    """Make the gateway that the settings name; `stream` is the console's."""
    texts = settings.texts
    if texts.gateway == "twilio":
        from sms.twilio import Account, TwilioGateway  # noqa: PLC0415 - takes a second to import

        accounts = {
            name: Account(own.account_sid, own.auth_token, own.sender, own.texts_per_s, own.api_url)
            for name, own in texts.twilio.items()
        }
        return TwilioGateway(accounts, settings.web.public_url, texts.two_way)
    if texts.gateway == "http" and texts.http is not None:
        return HttpGateway(Request(**texts.http.model_dump()))
    return ConsoleGateway(stream, str if settings.logs.numbers == "full" else masked)


def two_way_of(settings: Settings) -> TwoWay:
    """Whether an answer from a number would reach us, as the gateway that the settings name would say."""
    return gateway_of(settings, io.StringIO()).two_way


def caps_of(rules: SiteRules) -> Caps:
    """How many texts may leave."""
    return Caps(rules.texts_a_day, rules.texts_a_block, rules.texts_an_hour)


async def send_due(
    store: Store, sites: Sites, gateway: Gateway, texts: Texts, stopped: Callable[[], bool], failing: Failing
) -> int:
    """Send what is due for about a second; return how many texts were taken up.

    The database's clock is asked once and goes on by ours: should this machine sleep, leases end early, never late.
    """
    began_at, began = await asyncio.to_thread(store.now), time.monotonic()
    site = sites.last

    def now() -> int:
        return began_at + round((time.monotonic() - began) * SECOND)

    return await deliver(
        store.write,
        gateway,
        partial(address_book, store, lambda connection: sites.at(connection, now())),
        now,
        TEXTS_A_TURN,
        DeliveryRules(pbx=site.pbx, senders=texts.senders, caps=caps_of(site.rules), pause_s=texts.pause_s),
        DeliveryHooks(
            looked_up=partial(failing.tried, "look up whom to text"),
            until=lambda: stopped() or time.monotonic() >= began + TURN_S,
            opted_out=lambda connection, recipient, now: _opted_out(Work(connection, site, now), recipient),
            refused=lambda connection, text, code, now: _failed(Work(connection, site, now), text.recipient, code),
            came_back=partial(_counted, site.pbx),
        ),
    )


def _counted(pbx: str, connection: Connection, came_back: Mapping[tuple[str, str], int]) -> None:
    """Count how texts came back, by the gateway's code."""
    tally.add(connection, {Counter(pbx, TEXTS_TRIED, how): many for how, many in came_back.items()})


def address_book(
    store: Store, site: Callable[[Connection], Site], recipients: Collection[str]
) -> Mapping[str, str | Exception]:
    """Look up numbers in one transaction. A database that is away is expected: Unsent, and no traceback."""
    try:
        with store.read() as connection:
            return compose.numbers_of(connection, site(connection), recipients)
    except StoreError as error:
        raise Unsent(f"the number could not be looked up: {error}") from error


def reported(work: Work, gateway: str, ref: str, report: Report) -> Taken | None:
    """Take a gateway's report on the text `ref`, and do what follows from it; None if it is about no text of ours."""
    taken = reports.take(work.connection, ref, gateway, report, work.now)
    if taken is None or not taken.news:
        return taken
    again = False
    match taken.consequence:
        case "opted-out":
            _opted_out(work, taken.recipient)
        case "again" if _wanted(work.connection, taken.recipient):
            again = reports.send_again(work.connection, taken.id, work.now + AGAIN_S * SECOND, work.now)
    if report.progress == "undelivered" and not again:
        _failed(work, taken.recipient, report.code)
    return taken


def _failed(work: Work, recipient: str, code: str) -> None:
    """Tell that a text about a reservation did not arrive."""
    kind, _, name = recipient.partition("/")
    if kind == "reservation":
        work.tell(TextFailed(int(name), code))


def _opted_out(work: Work, recipient: str) -> None:
    """Remember for ever what the carrier says: he wants no texts."""
    try:
        number = compose.number_of(work.connection, work.site, recipient)
    except Refused:
        return  # nobody texts him any more as it is
    by = By("carrier", "he opted out with the carrier")
    blocks.block(work.connection, work.pbx, number, by, work.now, texts=True)


def _wanted(connection: Connection, recipient: str) -> bool:
    """Whether what a text was about is still to come: only a reservation may be, while it is open."""
    kind, _, name = recipient.partition("/")
    if kind != "reservation":
        return False
    still_open = select(t.reservation.c.id).where(t.OPEN, t.reservation.c.id == int(name))
    return connection.execute(still_open).first() is not None
