"""Whose turn it is to send texts: a lease apart from the one to listen, so that another host may have it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TextIO

from sqlalchemy import Connection

from callback.clock import now_us
from callback.errors import NotOurs, StoreError
from callback.events import TextingBegun, TextingLost
from callback.service.event_log import EventLog
from callback.service.node.presence import Presence
from callback.service.node.shared import Shared
from callback.service.node.turns import Turns
from callback.service.texting.worker import TextWorker
from callback.service.watching.pulse import Pulse
from callback.settings.sections import Settings
from callback.site import rule_versions
from callback.store import lease
from callback.store.engine import Store
from callback.texts.send import gateway_of

AGAIN_S: Final = 1.0


class Texting:
    """Sends the texts of a PBX, and does what else needs no PBX, whenever no other process of the site does."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        events: EventLog,
        presence: Presence,
        turns: Turns,
        people: TextIO,
        pulse: Pulse,
    ) -> None:
        self._settings, self._store, self._events, self._presence = settings, store, events, presence
        self._turns, self._people, self._pulse, self._pbx = turns, people, pulse, settings.pbx.name
        self._duty = f"sends the texts of {self._pbx}"

    async def run(self, stopped: asyncio.Event, dead: Callable[[str], bool], shared: Shared) -> None:
        """Wait for our turn and do it, again and again, until stopped; `dead` says which holders have ended."""
        while (held := await self._turns.take(f"text:{self._pbx}", self._duty, dead, self._unfit)) is not None:
            try:
                await self._work(held, stopped, shared)
            except NotOurs as error:
                self._events.tell(TextingLost(self._pbx, str(error)))
            except StoreError as error:
                await self._turns.stand_by(self._duty, str(error))
            finally:
                await self._turns.give_back(held)

    async def _work(self, held: lease.Lease, stopped: asyncio.Event, shared: Shared) -> None:
        gateway = gateway_of(self._settings, self._people)
        worker = await asyncio.to_thread(
            TextWorker, self._settings, self._store, held, self._events, gateway, now_us, stopped
        )
        worker.share(await asyncio.to_thread(shared.join))
        self._presence.does(self._duty, self._duty)
        self._events.tell(TextingBegun(self._pbx))
        with self._pulse.suffering(worker.failing):
            await worker.run()

    def _unfit(self, connection: Connection) -> str:
        """Say where there is nothing to begin with: the rules are kept by the process that listens, at its start."""
        if rule_versions.newest(connection, self._pbx, now_us()) is not None:
            return ""
        return f"no service has listened to {self._pbx} yet; texts are sent once one with --role pbx or all has begun"
