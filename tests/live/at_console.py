"""Somebody at the console of a service without a browser: signs in, and fills the forms of its pages in."""

from __future__ import annotations

import time
from html.parser import HTMLParser
from types import TracebackType
from typing import Final, Self

import httpx2

from callback.accounts import passwords, users
from callback.accounts.change import Change
from callback.accounts.roles import Role
from callback.accounts.users import Profile
from callback.store.audit import By
from tests.live.service import Service

_PASSWORD: Final = "violet-harbour-9-kettle"  # noqa: S105
_TIMEOUT_S: Final = 30


def hire(service: Service, name: str, role: Role) -> None:
    """Let somebody sign in there, by a password of the person's own."""
    hashed = passwords.hashed(_PASSWORD)
    with service.store.write() as connection:
        change = Change(connection, "lab", By("root", "said so"), time.time_ns() // 1000)
        users.add(change, name, Profile(frozenset({role})))
        users.own_password(change, name, hashed)


class AtConsole:
    """A person who is signed in while the block lasts."""

    def __init__(self, console: str, name: str) -> None:
        here = {"Sec-Fetch-Site": "same-origin", "Origin": f"http://{console}"}
        self._http = httpx2.Client(base_url=f"http://{console}", headers=here, timeout=_TIMEOUT_S)
        self._name = name

    def __enter__(self) -> Self:
        self.fill("/sign-in", "/sign-in", name=self._name, password=_PASSWORD)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _raised: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._http.close()

    def fill(self, page: str, action: str, **filled: str) -> str:
        """Fill the form of a page in that is sent there, and send all of it; give where that led to."""
        form = _Form(action)
        form.feed(self._http.get(page).raise_for_status().text)
        assert filled.keys() <= form.fields.keys(), f"{page} has the fields {sorted(form.fields)}"
        sent = self._http.post(action, data=form.fields | filled)
        assert sent.status_code == 303, sent.text
        return sent.headers["Location"]


class _Form(HTMLParser):
    """What a browser would send of the form with that action, if nobody touched it."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._action, self._inside, self._list = action, False, ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {key: value or "" for key, value in attrs}
        if tag == "form":
            self._inside = told.get("action") == self._action
        elif not self._inside:
            return
        elif tag == "select":
            self._list = told["name"]
        elif tag == "option":
            if self._list not in self.fields or "selected" in told:
                self.fields[self._list] = told["value"]
        elif tag in {"input", "textarea"} and (told.get("type") != "radio" or "checked" in told):
            self.fields[told["name"]] = told.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "form"
