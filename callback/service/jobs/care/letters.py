"""Sends letters to departments, in a thread beside all jobs: a mail server that hangs delays nobody, and no end."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from functools import partial
from typing import Final

from callback.care import mailing
from callback.care.mailing import CLAIMED_US, Due
from callback.errors import NotOurs
from callback.logs.failing import Failing
from callback.service.mailing import post
from callback.service.mailing.post import Envelope, Mailed
from callback.service.transactions import Transactions
from callback.settings.mail import Mail
from scheduler.clock import SECOND

LONGEST_S: Final = CLAIMED_US / SECOND / 2
"""So long one conversation may take: a server that answers letter by letter holds up no other letter for ever."""
SLOW: Final = "the server took too long"
NO_SERVER: Final = "no mail server is set: write [mail] host and from"


class SendLetters:
    """Every five seconds it begins to send what is due, one after the other, unless it is at that still."""

    name, every_s = "send_letters", 5.0

    def __init__(self, transactions: Transactions, mail: Mail, failing: Failing) -> None:
        self._transactions, self._mail, self._failing = transactions, mail, failing
        self._at_work: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Begin."""
        if self._at_work is None or self._at_work.done():
            self._at_work = asyncio.create_task(self._send_due())

    async def sent(self) -> None:
        """Wait until what was begun is done."""
        if self._at_work is not None:
            await self._at_work

    async def close(self) -> None:
        """Wait for nothing: a letter that is under way is sent again, by whoever comes next."""
        if self._at_work is not None:
            self._at_work.cancel()
            with suppress(asyncio.CancelledError):
                await self._at_work

    async def _send_due(self) -> None:
        try:
            while (letter := await self._transactions.write(mailing.claim)) is not None:
                await self._keep(letter, await self._mailed(letter))
        except NotOurs:
            return  # the jobs find it out as well, and end the service
        except Exception as error:  # noqa: BLE001 - whatever it is, the next turn may do better
            self._failing.fails(self.name, error)
        else:
            self._failing.works(self.name)

    async def _keep(self, letter: Due, mailed: Mailed) -> None:
        if mailed.state == "sent":
            await self._transactions.write(partial(mailing.sent, letter=letter))
        elif mailed.state == "refused":
            await self._transactions.write(partial(mailing.failed, letter=letter, why=mailed.why))
        else:
            await self._transactions.write(partial(mailing.later, letter=letter, why=mailed.why))

    async def _mailed(self, letter: Due) -> Mailed:
        if not self._mail.host:
            return Mailed("refused", NO_SERVER)
        ref = f"letter-{letter.pbx}-{letter.id}-{letter.created_at}"
        mail = Envelope(ref, letter.address, letter.subject, letter.body)
        return await _apart(self._mail, mail)


async def _apart(mail: Mail, letter: Envelope) -> Mailed:
    """Talk with the server in a thread that the end of the process does not wait for, nor anybody for very long."""
    loop = asyncio.get_running_loop()
    told: asyncio.Future[Mailed] = loop.create_future()

    def tell(mailed: Mailed) -> None:
        if not told.done():
            told.set_result(mailed)

    def talk() -> None:
        try:
            mailed = post.send(mail, letter)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this letter's alone
            mailed = Mailed("later", type(error).__name__)
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, mailed)

    threading.Thread(target=talk, name="letters", daemon=True).start()
    try:
        return await asyncio.wait_for(told, LONGEST_S)
    except TimeoutError:
        return Mailed("later", SLOW)
