"""One request of a person who is signed in: what a page is made from and answered with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar, get_args

from starlette.requests import Request
from starlette.responses import HTMLResponse

from callback.accounts.roles import Viewer
from callback.reports import pauses
from callback.site.pauses import Pause
from callback.site.work import Work
from callback.web.console.forgery import masked
from callback.web.console.live.live import Live
from callback.web.console.live.viewers import Visitor
from callback.web.console.live.views import Audience
from callback.web.console.members import Member
from callback.web.console.now import heads
from callback.web.console.parts import Console
from callback.web.console.sections import Section, open_to
from callback.web.console.words import Language

T = TypeVar("T")
THEMES = Literal["auto", "light", "dark"]
KEYS = Literal["on", "alt", "off"]
"""Whether single keys act: alone, with Alt, or not at all."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Who asks, in which language, and for what; whoever has one has the right that its route needs."""

    console: Console
    request: Request
    viewer: Viewer
    language: Language

    def look(self, read: Callable[[Work], T]) -> T:
        """Read in one snapshot."""
        return self.console.look(read)

    def act(self, write: Callable[[Work], T]) -> T:
        """Decide in one transaction."""
        return self.console.act(write)

    @property
    def theme(self) -> str:
        """The colours that the person chose."""
        return _chosen(self.request, "theme", get_args(THEMES))

    @property
    def keys(self) -> str:
        """How single keys act for this person."""
        return _chosen(self.request, "keys", get_args(KEYS))

    @property
    def audience(self) -> Audience:
        """With whom the person shares what is live on a page."""
        return Audience(self.viewer.roles, self.viewer.groups, self.language)

    @property
    def visitor(self) -> Visitor:
        """Whose streams the person's browser opens."""
        address = self.request.client.host if self.request.client else ""
        return Visitor(self.viewer.user, self.console.session_of(self.request), address, self.audience)

    @property
    def head(self) -> Mapping[str, str]:
        """The figures above the page, by name; none for whoever may not look, or has a one-time password still."""
        if not self.viewer.may("look") or (isinstance(self.viewer, Member) and self.viewer.must_change):
            return {}
        zone, groups = self.console.pages.zone, self.viewer.groups
        return heads.texts(self.look(lambda work: self.console.keeper.head(work, groups)), zone, self.language)

    @property
    def paused(self) -> Sequence[Pause]:
        """What is paused now, of what the person may see: it stands above every page."""
        if not self.viewer.may("look"):
            return ()
        return self.look(lambda work: pauses.seen(work, self.viewer.groups))

    @property
    def sections(self) -> Sequence[Section]:
        """The pages that the person may open."""
        return open_to(self.viewer)

    @property
    def live(self) -> Live:
        """What keeps pages live."""
        live: Live = self.request.app.state.live
        return live

    @property
    def csrf(self) -> str:
        """The session's token for the forms of this answer."""
        return masked(self.viewer.token) if isinstance(self.viewer, Member) else ""

    @property
    def session(self) -> str:
        """By what the session is known: what stays open ends with it."""
        return self.viewer.session.key if isinstance(self.viewer, Member) else ""

    @property
    def wants_fragment(self) -> bool:
        """Whether the page's own script asks: it takes a part of the page, and a form without it the whole."""
        return "x-fragment" in self.request.headers

    def page(self, template: str, status: int = 200, **values: object) -> HTMLResponse:
        """Answer with a page, or with the part of one, from a template; every one knows the `visit`."""
        html = self.console.pages.render(template, self.language, visit=self, **values)
        return HTMLResponse(html, status)


def _chosen(request: Request, name: str, choices: tuple[str, ...]) -> str:
    """What the cookie says, else the first choice."""
    value = request.cookies.get(name)
    return value if value in choices else choices[0]
