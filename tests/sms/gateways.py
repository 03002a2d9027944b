"""Gateways for tests."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from sms.gateway import Receipt, Refused, Report, Trouble, Unsent

if TYPE_CHECKING:
    from collections.abc import Callable


class FakeGateway:
    """Sends nothing. Remembers, by the cause that the body names, what a carrier would have accepted; fails as told.

    `behaviour(cause)` gives one word for each text: accept, refuse, unsent, lost-before and lost-after (a
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
        self.refs: defaultdict[str, set[str]] = defaultdict(set)  # the names by which a cause was known: one
        self.asked: list[tuple[str, str, str]] = []

    def send(self, to: str, body: str, ref: str, line: str = "") -> Receipt:
        cause = body.partition("(")[2].partition(")")[0]
        self.asked.append((to, body, line))
        self.refs[cause].add(ref)
        behaviour = self._behaviour(cause)
        self._at("before the text is accepted")
        if behaviour == "refuse":
            raise Refused(f"{to} is not a mobile")
        if behaviour == "unsent":
            raise Unsent(f"no connection for {to}")
        if behaviour == "lost-before":
            raise TimeoutError(f"no answer for {to}")
        self.accepted[cause] += 1
        self._at("after the text is accepted")
        if behaviour == "lost-after":
            raise TimeoutError(f"no answer for {to}")
        return Receipt(gateway_ref=f"fake:{cause}:{self.accepted[cause]}")

    def two_way(self, to: str) -> bool:
        return to.startswith("+44")

    def look_up(self, gateway_ref: str, line: str = "") -> Report | None:  # noqa: ARG002 - the port's words
        return None

    def trouble(self, code: str) -> Trouble | None:
        return Trouble(f"trouble {code}", ours=code == "ours") if code else None
