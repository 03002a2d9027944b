"""Gateways for tests."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sms.gateway import Receipt, Refused, Unsent

if TYPE_CHECKING:
    from collections.abc import Callable


class FakeGateway:
    """Sends nothing. Remembers what a carrier would have accepted, and fails as it is told to.

    `behaviour(ref)` gives one word for each text: accept, refuse, unsent, lost-before and lost-after (a
    time-out before or after the carrier took it). `at` is called by name before and after the text is
    accepted, so that a test can do something, or die, right there.
    """

    name = "fake"

    def __init__(
        self,
        behaviour: Callable[[str], str] = lambda _ref: "accept",
        at: Callable[[str], None] = lambda _point: None,
    ) -> None:
        self._behaviour = behaviour
        self._at = at
        self.accepted: Counter[str] = Counter()
        self.asked: list[tuple[str, str, str]] = []

    def send(self, to: str, body: str, ref: str) -> Receipt:
        self.asked.append((to, body, ref))
        behaviour = self._behaviour(ref)
        self._at("before the text is accepted")
        if behaviour == "refuse":
            raise Refused(f"{to} is not a mobile")
        if behaviour == "unsent":
            raise Unsent(f"no connection for {to}")
        if behaviour == "lost-before":
            raise TimeoutError(f"no answer for {to}")
        self.accepted[ref] += 1
        self._at("after the text is accepted")
        if behaviour == "lost-after":
            raise TimeoutError(f"no answer for {to}")
        return Receipt(gateway_ref=f"fake:{ref}:{self.accepted[ref]}")
