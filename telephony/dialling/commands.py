"""Commands to a PBX: place or cancel a callback, read its ticket, offer callbacks, put a caller first."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from telephony.ami.client import ActionFailed, ActionRefused, Client
from telephony.dialling import dialler as dial
from telephony.dialling import priority_lists
from telephony.dialling.dialler import Order
from telephony.dialling.enquiries import WaitingCaller
from telephony.errors import TelephonyError
from telephony.ids import SECOND

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ticket:
    """An attempt's ticket (None: there is none) and the start-up stamp of the Asterisk that keeps it."""

    value: str | None
    boot: str


class PlacingRefused(TelephonyError):
    """The PBX, or we ourselves, refused to place a callback: nobody was rung."""


class Commands:
    """Sends commands over a connection; `clock` is the PBX's, µs UTC.

    After a TelephonyError it is not known whether the command was carried out.
    """

    def __init__(self, client: Client, clock: Callable[[], int]) -> None:
        self._client, self._clock = client, clock

    async def boot_stamp(self) -> str:
        """Give the start-up time of that Asterisk, as it writes it."""
        status = await self._client.action("CoreStatus")
        return f"{status.get('CoreStartupDate')} {status.get('CoreStartupTime')}"

    async def place(self, order: Order) -> None:
        """Start a callback. Raises PlacingRefused where nobody was rung."""
        try:
            await self._client.action("Originate", dial.originate(order, self._clock() / SECOND))
        except (ValueError, ActionFailed, ActionRefused) as error:
            raise PlacingRefused(str(error)) from error

    async def ticket(self, attempt: str) -> Ticket:
        """Read an attempt's ticket on the PBX."""
        boot = await self.boot_stamp()
        try:
            items = await self._client.listing("DBGet", [("Family", "lcr"), ("Key", attempt)])
        except ActionFailed as error:
            if "not found" not in error.message.get("Message").lower():
                raise
            return Ticket(None, boot)
        return Ticket(items[0].get("Val") if items else None, boot)

    async def call_off(self, attempt: str) -> None:
        """Hang up an attempt's own leg, if it is alive: the phones that ring for it stop."""
        try:
            await self._client.action("Hangup", [("Channel", dial.channel_id(attempt)), ("Cause", "16")])
        except ActionFailed as error:
            log.info("attempt %s was over already: %s", attempt, error)

    async def offer(self, queue: str, lasts_s: float) -> None:
        """Let the dialplan offer callbacks in a queue for `lasts_s`: sets the global variable LCR_OFFER_<queue>."""
        until_s = int(self._clock() / SECOND + lasts_s)
        await self._client.action("Setvar", [("Variable", f"LCR_OFFER_{queue}"), ("Value", str(until_s))])

    async def tell_callers(self, queue: str, leads_to: str, lasts_s: float) -> None:
        """Let the dialplan tell who calls a queue, and lead there, for `lasts_s`: sets LCR_INCIDENT_<queue>."""
        told = f"{int(self._clock() / SECOND + lasts_s)} {leads_to}"
        await self._client.action("Setvar", [("Variable", f"LCR_INCIDENT_{queue}"), ("Value", told)])

    async def set_priority_list(self, variable: str, numbers: str, priority: int) -> None:
        """Set one variable of the numbers that are owed a callback (`priority_lists`)."""
        value = priority_lists.written(numbers, priority, self._clock() / SECOND)
        await self._client.action("Setvar", [("Variable", variable), ("Value", value)])

    async def put_first(self, caller: WaitingCaller, priority: int) -> None:
        """Put a waiting caller before those of lower priority, at once. Asterisk 16 accepts it but does not re-sort."""
        headers = [
            ("Queue", caller.queue),
            ("Caller", caller.channel),
            ("Priority", str(priority)),
            ("Immediate", "yes"),
        ]
        try:
            await self._client.action("QueueChangePriorityCaller", headers)
        except ActionFailed as error:
            log.info("%s was not put first: %s", caller.channel, error)
