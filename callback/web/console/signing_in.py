"""Signing in over HTTP: tries wait as long as earlier failures ask, and two passwords are proved at the same time."""

from __future__ import annotations

import os
import threading
from asyncio import get_running_loop
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal, ParamSpec, TypeVar

import anyio
from anyio import to_thread

from callback.accounts import passwords, sessions, sign_in, users
from callback.accounts.change import Change
from callback.accounts.passwords import Fault
from callback.accounts.sign_in import Proof, Refusal, Try
from callback.accounts.users import User
from callback.site.work import Work
from callback.store.audit import By
from callback.web.console.members import Member
from callback.web.console.parts import Console

T = TypeVar("T")
P = ParamSpec("P")
Sleep = Callable[[float], Awaitable[None]]

PROVED_AT_ONCE: Final = 2
"""Each takes a core for some 15 ms and 19 MiB."""
OF_NAME: Final = 3
"""Tries with one name from one address that may wait at the same time."""
OF_ADDRESS: Final = 50
_NICER: Final = 5


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person for whom a session began; `token` is for the cookie."""

    user: User
    token: str


class SignIns:
    """Proves passwords for one console; what waits is held in memory, what failed in the database."""

    def __init__(self, console: Console, sleep: Sleep = anyio.sleep) -> None:
        self._console, self._sleep = console, sleep
        self._proving = ThreadPoolExecutor(PROVED_AT_ONCE, "passwords", _after_others)
        self._waiting: Counter[tuple[str, str]] = Counter()

    async def sign_in(
        self, name: str, password: str, address: str, before: str = ""
    ) -> SignedIn | Refusal | Literal["many"]:
        """Begin a session for who proves to be that person. `before`: the session that the browser had, which ends."""

        def finished(work: Work, tried: Try, proof: Proof) -> SignedIn | Refusal:
            user = sign_in.finish(work.connection, work.pbx, tried, proof, work.now)
            if not isinstance(user, User):
                return user
            if before:
                sessions.end(work.connection, sessions.hashed(before))
            return SignedIn(user, sessions.begin(work.connection, user.name, work.now))

        return await self._try(name, password, address, finished)

    async def prove(self, member: Member, password: str, address: str) -> bool | Literal["many"]:
        """Ask for the password in a session once more; where it is right, the session goes on."""
        key = member.session.key

        def finished(work: Work, tried: Try, proof: Proof) -> bool:
            return sign_in.reprove(work.connection, work.pbx, tried, proof, key, work.now)

        return await self._try(member.user, password, address, finished)

    async def change(
        self, member: Member, old: str, new: str, address: str
    ) -> SignedIn | Fault | Literal["wrong", "many", "same"]:
        """Give a person another password; every session of the person ends, and a new one begins."""
        user = member.session.user
        names = (user.name, user.profile.display_name)
        if fault := await self._beside(passwords.fault, new, names):
            return fault
        if new == old:
            return "same"
        proved = await self.prove(member, old, address)
        if proved is not True:
            return "many" if proved == "many" else "wrong"
        kept = await self._beside(passwords.hashed, new)

        def changed(work: Work) -> SignedIn | Literal["wrong"]:
            if sessions.by_key(work.connection, member.session.key, work.now) is None:
                return "wrong"  # the session was ended meanwhile, and with it what was proved in it
            change = Change(work.connection, work.pbx, By(user.name, "own password"), work.now)
            users.own_password(change, user.name, kept)
            return SignedIn(user, sessions.begin(work.connection, user.name, work.now))

        return await to_thread.run_sync(self._console.act, changed)

    async def _try(
        self, name: str, password: str, address: str, finish: Callable[[Work, Try, Proof], T]
    ) -> T | Literal["many"]:
        with self._place(name, address) as free:
            if not free:
                return "many"
            tried = await to_thread.run_sync(
                self._console.look, lambda work: sign_in.begin(work.connection, name, address, work.now)
            )
            if tried.wait_s:
                await self._sleep(tried.wait_s)
            proof = await self._beside(sign_in.prove, tried, password)
            return await to_thread.run_sync(self._console.act, lambda work: finish(work, tried, proof))

    async def _beside(self, work: Callable[P, T], *about: P.args, **more: P.kwargs) -> T:
        """Do what takes the processor for long, after whatever the pages need."""
        return await get_running_loop().run_in_executor(self._proving, partial(work, *about, **more))

    @contextmanager
    def _place(self, name: str, address: str) -> Iterator[bool]:
        """Take a place among those who wait, if there is one."""
        here = (name.strip().casefold(), address)
        of_address = sum(count for (_, where), count in self._waiting.items() if where == address)
        if self._waiting[here] >= OF_NAME or of_address >= OF_ADDRESS:
            yield False
            return
        self._waiting[here] += 1
        try:
            yield True
        finally:
            self._waiting[here] -= 1
            self._waiting += Counter()  # without those who left


def _after_others() -> None:
    """Let this thread have the processor after the others of the process: Linux takes a thread for a process here."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), os.getpriority(os.PRIO_PROCESS, 0) + _NICER)
