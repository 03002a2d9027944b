"""Snapshots of the PBX that nothing unheard of contradicts: whatever is decided, is decided on one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from callback.attempts import snapshot
from callback.attempts.agent_states import Agent
from callback.attempts.load import Traffic
from callback.service.committer import Committer
from callback.site.context import Sites
from callback.store.engine import Store
from telephony.pbx import Pbx


class Snapshots:
    """Takes snapshots of one PBX, when all that was heard of it so far is committed."""

    def __init__(
        self, pbx: Pbx, committer: Committer, store: Store, sites: Sites, traffic: Traffic, now: Callable[[], int]
    ) -> None:
        self._pbx, self._committer, self._store = pbx, committer, store
        self._sites, self._traffic, self._now = sites, traffic, now
        self._agents: tuple[Agent, ...] | None = None

    async def take(self) -> snapshot.Live:
        """Take one: what was heard is committed, and what ends now is in it."""
        off_s = await asyncio.to_thread(lambda: (self._store.now() - self._now()) / 1e6)
        await self.caught_up()
        live = snapshot.look(self._pbx, self._sites.last, self._traffic, off_s, self._now(), self._agents)
        self._agents = live.agents
        return live

    async def caught_up(self) -> None:
        """Wait until all that was heard so far is digested and committed: only then may anything be decided on it."""
        await self._pbx.level()
        await self._committer.caught_up()
