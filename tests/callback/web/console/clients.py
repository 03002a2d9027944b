"""People at their browsers: a console without a server, and clients that sign in by its forms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import FastAPI
from starlette.testclient import TestClient

from callback.accounts import passwords, users
from callback.accounts.roles import Role
from callback.settings.console import Console as Wiring
from callback.web.console.app import build
from callback.web.console.members import console_of
from callback.web.console.signing_in import SignIns
from tests.callback.accounts.people import change, made
from tests.callback.world import NOON, World

LOOPBACK: Final = "http://127.0.0.1:8090"
PUBLIC: Final = "https://console.example.org"
PASSWORD: Final = "violet-harbour-9-kettle"  # noqa: S105
SAME_ORIGIN: Final = {"Sec-Fetch-Site": "same-origin"}
_CSRF: Final = re.compile(r'name="csrf" value="([^"]+)"')


class Browser(TestClient):
    """A browser: it keeps cookies, says that its forms come from the console, and follows nothing by itself."""

    def __init__(self, app: FastAPI, url: str, address: str = "192.0.2.1") -> None:
        super().__init__(app, base_url=url, headers=SAME_ORIGIN, follow_redirects=False, client=(address, 50000))

    def sign_in(self, name: str, password: str = PASSWORD, to: str = "/") -> Any:
        """Send the form of the sign-in page; give the answer."""
        return self.post("/sign-in", data={"name": name, "password": password, "to": to})

    def csrf(self, page: str = "/account") -> str:
        """Take the token from a page's form."""
        found = _CSRF.search(self.get(page).text)
        assert found is not None, f"{page} has no form"
        return found.group(1)

    def act(self, path: str, /, **fields: str) -> Any:
        """Send a form with the session's token."""
        return self.post(path, data={"csrf": self.csrf(), **fields})


@dataclass
class Desk:
    """A console on a test's world, by a clock that the test moves, and the browsers before it."""

    world: World
    url: str = LOOPBACK
    now: int = NOON
    waited: list[float] = field(default_factory=list)
    app: FastAPI = field(init=False)
    _first: Browser | None = None

    def __post_init__(self) -> None:
        public = "" if self.url == LOOPBACK else self.url
        wiring = Wiring(listen="127.0.0.1:8090", public_url=public)
        settings = self.world.settings.model_copy(update={"console": wiring})
        console = console_of(settings, self.world.store, lambda: self.now)
        self.app = build(console)
        self.app.state.sign_ins = SignIns(console, self._wait)

    async def _wait(self, seconds: float) -> None:
        """Wait by the clock of the test alone."""
        self.waited.append(seconds)

    def browser(self, address: str = "192.0.2.1") -> Browser:
        """Give a browser in which nobody is signed in."""
        browser = Browser(self.app, self.url, address)
        if self._first is None:
            browser.__enter__()
            self._first = browser
        browser.portal = self._first.portal  # the application is begun once
        return browser

    def person(self, name: str, *roles: Role, groups: frozenset[str] | None = None) -> None:
        """Make a person who has the password of tests, unless there is one of that name."""
        with self.world.store.read() as connection:
            if users.find(connection, name) is not None:
                return
        made(self.world, name, *roles, groups=groups)
        with self.world.store.write() as connection:
            users.own_password(change(connection), name, hashed())

    def member(self, name: str, *roles: Role, groups: frozenset[str] | None = None) -> Browser:
        """Give a browser in which a person is signed in, who is made with these roles if there is none of that name."""
        self.person(name, *roles, groups=groups)
        browser = self.browser()
        answer = browser.sign_in(name)
        assert answer.status_code == 303, answer.text
        return browser

    def close(self) -> None:
        """Let the application end."""
        if self._first is not None:
            self._first.__exit__(None, None, None)


@contextmanager
def desk_of(world: World, url: str = LOOPBACK) -> Iterator[Desk]:
    """Give a console on a world while the block lasts."""
    desk = Desk(world, url)
    try:
        yield desk
    finally:
        desk.close()


_kept: list[str] = []


def hashed() -> str:
    """Give the hash of the password of tests, made once."""
    if not _kept:
        _kept.append(passwords.hashed(PASSWORD))
    return _kept[0]
