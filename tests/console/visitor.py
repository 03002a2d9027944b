"""Somebody's requests without a browser: forms as they are sent, with the page's script or without."""

from __future__ import annotations

import http.client
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode, urlsplit

from callback.accounts.roles import Role
from tests.console.served import COOKIE, Served

TIMEOUT_S: Final = 30


@dataclass(frozen=True)
class Answer:
    """What the console answered: a redirection is not followed."""

    status: int
    html: str
    location: str


@dataclass(frozen=True)
class Visitor:
    """A person of a role; `script`: the page's own script sends the forms, and takes a part of a page."""

    served: Served
    role: Role | None = "supervisor"
    script: bool = True
    page: str = "/queue"
    language: str = "en"

    def post(self, path: str, *fields: tuple[str, str], **more: str) -> Answer:
        """Send a form that stands on `page`."""
        body = urlencode([*fields, *more.items()])
        return self._ask("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})

    def get(self, path: str) -> Answer:
        """Ask for a page, or for a part of one."""
        return self._ask("GET", path)

    def _ask(self, method: str, path: str, body: str | None = None, more: dict[str, str] | None = None) -> Answer:
        at = urlsplit(self.served.url)
        headers = {
            "Referer": self.served.at(self.page),
            "Accept-Language": self.language,
            "Sec-Fetch-Site": "same-origin",
        }
        headers |= more or {}
        if self.role is not None:
            headers["Cookie"] = f"{COOKIE}={self.role}"
        if self.script:
            headers["X-Fragment"] = "1"
        connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=TIMEOUT_S)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read().decode(), answer.getheader("location", ""))
        finally:
            connection.close()
