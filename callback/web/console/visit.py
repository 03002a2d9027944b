"""One request of a person who is signed in: what a page is made from and answered with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import HTMLResponse

from callback.accounts.roles import Viewer
from callback.site.work import Work
from callback.web.console.parts import Console
from callback.web.console.words import Language

T = TypeVar("T")


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
    def wants_fragment(self) -> bool:
        """Whether the page's own script asks: it takes a part of the page, and a form without it the whole."""
        return "x-fragment" in self.request.headers

    def page(self, template: str, status: int = 200, **values: object) -> HTMLResponse:
        """Answer with a page, or with the part of one, from a template; every one knows the `visit`."""
        html = self.console.pages.render(template, self.language, visit=self, **values)
        return HTMLResponse(html, status)
