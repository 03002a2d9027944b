"""The figures above every page, as text by name: the page prints them, and frames of the stream replace them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from zoneinfo import ZoneInfo

from callback.accounts.roles import allowed
from callback.errors import CallbackError
from callback.events import Event
from callback.reports.now.look import Head
from callback.web.console.live.views import Address, Audience, Factory, Look, Rendered
from callback.web.console.now.keeper import Keeper
from callback.web.console.parts import Console
from callback.web.console.words import Language, catalogue
from scheduler.clock import local

UNKNOWN: Final = "\N{EN DASH}"


def texts(head: Head, zone: ZoneInfo, language: Language) -> Mapping[str, str]:
    """The figures of the head, by the names that the frame of the pages has."""
    by_state, worst = head.floor.by_state, head.worst
    risk_by = _clock(worst.by_at, zone) if worst is not None and worst.by_at is not None else ""
    return {
        "binds": str(head.binds.count),
        "late": str(head.late.count),
        "held": str(head.held.count),
        "calling": str(head.calling.count),
        "risk": str(head.missed.count),
        "risk_by": risk_by,
        "risk_title": _risk(head, risk_by, language),
        "agents": UNKNOWN if by_state is None else str(sum(by_state.values())),
        "free": UNKNOWN if by_state is None else str(by_state["free"]),
        "paused": UNKNOWN if by_state is None else str(by_state["paused"]),
        "waiting": UNKNOWN if head.floor.callers is None else str(head.floor.callers),
    }


def names(texts: Mapping[str, str]) -> dict[str, str]:
    """The same by the names that elements have."""
    return {name.replace("_", "-"): text for name, text in texts.items()}


def _risk(head: Head, risk_by: str, language: Language) -> str:
    """Which group it is, and what would keep its promises."""
    gettext = catalogue(language).gettext
    worst = head.worst
    if worst is None:
        return gettext("No promise of the next two hours will be missed.")
    said: str = gettext("{group}: {missed} of {due} will be missed by {clock}; {more} more agents would keep them.")
    return said.format(group=worst.group, missed=worst.missed.count, due=worst.due, clock=risk_by, more=worst.more)


def _clock(at: int, zone: ZoneInfo) -> str:
    return f"{local(at, zone):%H:%M}"


class HeadView:
    """The head alone: every page of whoever may look is live in it."""

    def __init__(self, keeper: Keeper, audience: Audience) -> None:
        self._keeper, self._audience = keeper, audience

    def concerns(self, _event: Event) -> bool:
        """Every event may change a figure."""
        return True

    def render(self, look: Look) -> Rendered:
        """Read the figures; nothing else is rendered."""
        groups = self._audience.groups
        head = look.once(("head", groups), lambda work: self._keeper.head(work, groups))
        return Rendered(figures=names(texts(head, look.work.site.hours.zone, self._audience.language)))


def factory(console: Console) -> Factory:
    """Make the view of the head: `/stream/head`, for whoever may look."""

    def make(audience: Audience, address: Address) -> HeadView:
        if address.of or address.query or not allowed(audience.roles, "look"):
            raise CallbackError("there is no such live page")
        return HeadView(console.keeper, audience)

    return make
