"""Now as its page, its live view and a wall display show it: parts as HTML by name, and the figures of the head."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from callback.accounts.roles import allowed
from callback.errors import CallbackError
from callback.events import Event
from callback.reports.now import look as now_look
from callback.reports.now.figure import Figure
from callback.reports.now.look import Now
from callback.site.context import Site
from callback.web.console.live.views import Address, Audience, Factory, Look, Rendered, hashed
from callback.web.console.now import heads, links
from callback.web.console.now.keeper import Keeper
from callback.web.console.parts import Console
from callback.web.console.render import Pages
from callback.web.console.words import Language

PARTS: Final = ("dangers", "promises", "open", "floor", "needs", "health", "day")
"""From top to bottom; each is a template, and an element `now-…` of the page."""
ON_A_WALL: Final = ("dangers", "promises", "open", "floor", "health")
"""Without what names people."""


class NowView:
    """The live view of Now for one audience: the page prints its parts, a frame those that changed."""

    def __init__(self, pages: Pages, keeper: Keeper, audience: Audience) -> None:
        self._pages, self._keeper, self._audience = pages, keeper, audience

    def concerns(self, _event: Event) -> bool:
        """Every event may change a figure."""
        return True

    def render(self, look: Look) -> Rendered:
        """Read and render."""
        groups = self._audience.groups
        now = look.once(("now", groups), lambda work: self._keeper.now(work, groups))
        return self.of(now, look.work.site)

    def of(self, now: Now, site: Site) -> Rendered:
        """Render what was read."""
        audience = self._audience
        scene = Scene(self._pages, audience.language, site, audience.groups, href=links.address)
        head = heads.texts(now_look.head_of(now), site.hours.zone, audience.language)
        return Rendered(parts=scene.parts(now, PARTS), figures=heads.names(head))


@dataclass(frozen=True, slots=True)
class Scene:
    """For whom parts are rendered; `href` says where the rows behind a figure are shown, None: nowhere."""

    pages: Pages
    language: Language
    site: Site
    groups: frozenset[str] | None
    href: Callable[[Figure], str | None] | None

    def parts(self, now: Now, names: Collection[str]) -> dict[str, str]:
        """Render these parts, each as an element that has its name."""
        courses = () if now.day is None else now.day.of(self.site, self.groups)
        values = {"now": now, "href": self.href, "courses": courses}
        return {
            f"now-{name}": hashed(self.pages.render(f"now/{name}.html", self.language, **values).strip())
            for name in names
        }


def factory(console: Console) -> Factory:
    """Make the view of Now: `/stream/now`, for whoever may look."""

    def make(audience: Audience, address: Address) -> NowView:
        if address.of or address.query or not allowed(audience.roles, "look"):
            raise CallbackError("there is no such live page")
        return NowView(console.pages, console.keeper, audience)

    return make
