"""The live view of one agent: who is on the line, how it went, who comes next; each is a view of its own person."""

from __future__ import annotations

from typing import Final

from callback.errors import CallbackError
from callback.events import Event
from callback.reports.agent import desk
from callback.reports.agent.desk import Desk
from callback.web.console.care import manners
from callback.web.console.care.manners import Manner
from callback.web.console.live.views import Address, Audience, Factory, Look, Rendered, hashed
from callback.web.console.parts import Console

_NOTED: Final = ("customer-noted", "customer-note-removed")
PARTS: Final = ("line", "how", "next", "mine")
"""Parts of the page; each is an element with the id `agent-` and this."""


class AgentView:
    """The view of one person's own callbacks: the page prints the same."""

    def __init__(self, console: Console, audience: Audience) -> None:
        self._console, self._audience = console, audience
        self._queues: frozenset[str] | None = None
        self._names: frozenset[str] = frozenset()
        self._shown: frozenset[int] = frozenset()

    def concerns(self, event: Event) -> bool:
        """Whether it touches the agent's queues, phone, or a callback that is shown; anything before the first look."""
        facts = event.facts()
        if self._queues is None or facts.get("reservation") in self._shown or facts.get("agent") in self._names:
            return True
        if facts.get("action") in _NOTED or "case" in facts:
            return True  # seldom, and neither says whose it is
        return facts.get("queue") in self._queues

    def render(self, look: Look) -> Rendered:
        """Read and render."""
        queue = look.once("queue", self._console.keeper.queue)
        return self.of(desk.look(queue, self._audience.user, self._audience.groups))

    def of(self, seen: Desk) -> Rendered:
        """Render what was read."""
        self._queues, self._names = seen.phone.queues, seen.phone.names
        self._shown = desk.shown(seen)
        pages, language = self._console.pages, self._audience.language
        parts = {
            f"agent-{part}": hashed(
                pages.render(
                    f"customers/agent_{part}.html", language, seen=seen, manner=self._manner(seen, part)
                ).strip()
            )
            for part in PARTS
        }
        return Rendered(parts=parts)

    def _manner(self, seen: Desk, part: str) -> Manner | None:
        """How to speak with the customer of a part, where somebody wrote that down."""
        found = {"line": seen.line, "next": seen.next}.get(part)
        noted = None if found is None else found.manner
        return None if noted is None else manners.told(noted, self._audience.language)


def factory(console: Console) -> Factory:
    """Make the views of agents: `/stream/agent`, of whoever asks."""

    def make(audience: Audience, address: Address) -> AgentView:
        if address.of or not audience.user:
            raise CallbackError("there is no such live page")
        return AgentView(console, audience)

    return make
