"""Gateways for tests."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from sms.gateway import Gateway, Pace, Receipt, Refused, Report, TooFast, Trouble, Unsent

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine

    from sms.delivery import AddressBook

T = TypeVar("T")


class Closes(Protocol):
    async def close(self) -> None: ...


def finished(work: Coroutine[Any, Any, T], *gateways: Closes) -> T:
    """What comes of it in an event loop of its own, in which the gateways' connections are closed too."""

    async def ends() -> T:
        try:
            return await work
        finally:
            for gateway in gateways:
                await gateway.close()

    return asyncio.run(ends())


def sent(by: Gateway, to: str, body: str, ref: str, line: str = "") -> Receipt:
    """What it says to one text."""
    return finished(by.send(to, body, ref, line), by)


def book(address: Callable[[str], str | None]) -> AddressBook:
    """An address book that asks for one number after the other."""

    def look_up(recipients: Collection[str]) -> dict[str, str | Exception | None]:
        return {recipient: _answer(address, recipient) for recipient in recipients}

    return look_up


def _answer(address: Callable[[str], str | None], recipient: str) -> str | Exception | None:
    try:
        return address(recipient)
    except Exception as fault:  # noqa: BLE001 - as a book gives it
        return fault


class FakeGateway:
    """Sends nothing. Remembers, by the cause that the body names, what a carrier would have accepted; fails as told.

    `behaviour(cause)` gives one word for each text: accept, refuse, unsent, too-fast, lost-before and lost-after (a
    time-out before or after the carrier took it). `at` is called by name before and after the text is
    accepted, so that a test can do something, or die, right there.
    """

    name = "fake"

    def __init__(
        self,
        behaviour: Callable[[str], str] = lambda _ref: "accept",
        at: Callable[[str], None] = lambda _point: None,
        paces: tuple[Pace, ...] = (),
    ) -> None:
        self._behaviour, self.paces = behaviour, paces
        self._at = at
        self.accepted: Counter[str] = Counter()
        self.refs: defaultdict[str, set[str]] = defaultdict(set)  # the names by which a cause was known: one
        self.asked: list[tuple[str, str, str]] = []

    async def send(self, to: str, body: str, ref: str, line: str = "") -> Receipt:
        cause = body.partition("(")[2].partition(")")[0]
        self.asked.append((to, body, line))
        self.refs[cause].add(ref)
        behaviour = self._behaviour(cause)
        self._at("before the text is accepted")
        if behaviour == "refuse":
            raise Refused(f"{to} is not a mobile")
        if behaviour == "unsent":
            raise Unsent(f"no connection for {to}")
        if behaviour == "too-fast":
            raise TooFast("not so fast")
        if behaviour == "lost-before":
            raise TimeoutError(f"no answer for {to}")
        self.accepted[cause] += 1
        self._at("after the text is accepted")
        if behaviour == "lost-after":
            raise TimeoutError(f"no answer for {to}")
        return Receipt(gateway_ref=f"fake:{cause}:{self.accepted[cause]}")

    def two_way(self, to: str) -> bool:
        return to.startswith("+44")

    async def look_up(self, gateway_ref: str, line: str = "") -> Report | None:  # noqa: ARG002 - the port's words
        return None

    def trouble(self, code: str) -> Trouble | None:
        return Trouble(f"trouble {code}", ours=code == "ours") if code else None

    async def close(self) -> None:
        """It keeps no connection."""
