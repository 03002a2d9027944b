"""Who is signed in: the cookie of a browser, the session that it opens, and what that session may do just now."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from callback.accounts import sessions
from callback.accounts.roles import Viewer
from callback.accounts.sessions import LONGEST, Session
from callback.cluster.wiring import ALONE, Cluster
from callback.errors import StoreError
from callback.settings.sections import Settings
from callback.site.templates import TwoWay, never
from callback.site.work import Work
from callback.store.engine import Store
from callback.web.console.forgery import SAFE
from callback.web.console.live.viewers import Visitor
from callback.web.console.parts import SEARCH_EVERY_S, SEARCHES, Console
from callback.web.console.render import Pages
from callback.web.rate_limit import Pace
from scheduler.clock import SECOND

log = logging.getLogger(__name__)

COOKIE: Final = "__Host-lcr"
"""Browsers take such a cookie only over https, for this host alone, and let no other host set it."""
COOKIE_OF_LOOPBACK: Final = "lcr"
_STREAMS: Final = "/stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member(Viewer):
    """A person in a session; `token` is what the cookie holds."""

    session: Session
    token: str = field(repr=False)

    @property
    def must_change(self) -> bool:
        """Whether the password is a one-time password still, which opens nothing but the choice of another."""
        return self.session.user.one_time_until_at is not None


class Members:
    """Tells who asks, by the cookie; writes down, once a minute, that the person does something."""

    def __init__(self, store: Store, now: Callable[[], int], *, https: bool) -> None:
        self._store, self._now, self._https = store, now, https

    @property
    def cookie(self) -> str:
        """The name of the cookie."""
        return COOKIE if self._https else COOKIE_OF_LOOPBACK

    def __call__(self, request: Request) -> Member | None:
        """Give the person; None where nobody is signed in."""
        token = request.cookies.get(self.cookie)
        if not token:
            return None
        now = self._now()
        with self._store.read() as connection:
            session = sessions.find(connection, token, now)
        if session is None:
            return None
        if sessions.is_due(session, now) and _is_by_hand(request):
            with suppress(StoreError):  # the page matters more
                self._store.transact(lambda connection: sessions.seen(connection, session, now))
        viewer = session.user.viewer
        return Member(viewer.user, viewer.roles, viewer.groups, session=session, token=token)

    def key_of(self, request: Request) -> str:
        """By what the database knows the session of a request, if it is one; what stays open ends with it."""
        return sessions.hashed(request.cookies.get(self.cookie, ""))

    def begin(self, answer: Response, token: str) -> None:
        """Give the browser the cookie of a new session."""
        age = LONGEST // SECOND
        answer.set_cookie(self.cookie, token, age, path="/", secure=self._https, httponly=True, samesite="lax")

    def forget(self, answer: Response) -> None:
        """Take the cookie back."""
        answer.delete_cookie(self.cookie, path="/", secure=self._https, httponly=True, samesite="lax")


def fallen(work: Work, visitors: Collection[Visitor]) -> Iterable[Visitor]:
    """Give those whose session is over or locked; another role or group ends it, too."""
    alive = sessions.alive(work.connection, {visitor.session for visitor in visitors}, work.now)
    return [visitor for visitor in visitors if visitor.session not in alive]


def console_of(
    settings: Settings,
    store: Store,
    now: Callable[[], int],
    two_way: TwoWay = never,
    file: Path = Path("callback.toml"),
    cluster: Cluster = ALONE,
) -> Console:
    """Give the parts of a console into which people sign in; `now` gives microseconds UTC."""
    members = Members(store, now, https=settings.console.is_https)
    pages = Pages(settings.rules.hours().zone)
    made = Console(settings, store, pages, members, now, two_way, file, members.key_of, fallen)
    searches = Pace(SEARCHES, SEARCH_EVERY_S, "searches", cluster.limits)
    return replace(made, searches=searches, doorbell=cluster.doorbell)


def _is_by_hand(request: Request) -> bool:
    """Whether a person asks: streams, and pages that a script fetches by itself, keep no session open."""
    if request.url.path.startswith(_STREAMS):
        return False
    return request.method not in SAFE or request.headers.get("sec-fetch-mode", "navigate") == "navigate"
