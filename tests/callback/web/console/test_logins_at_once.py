"""Many who sign in at the same time: two passwords are proved at once, and pages are made meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from callback.accounts import passwords
from callback.web.console.signing_in import PROVED_AT_ONCE
from tests.callback.web.console.clients import Desk

PATIENCE_S = 20.0


class Proofs:
    """Stands before the proof of passwords: counts those that are under way, and holds them until told."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.at_once = self.most = 0
        self._lock = threading.Lock()

    def __call__(self, kept: str | None, password: str) -> bool:
        with self._lock:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        self.go_on.wait(PATIENCE_S)
        with self._lock:
            self.at_once -= 1
        return kept is not None and password != ""


@pytest.fixture
def proofs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proofs]:
    held = Proofs()
    monkeypatch.setattr(passwords, "proved", held)
    yield held
    held.go_on.set()


def test_ten_logins_at_once_take_two_threads_and_pages_go_on(sqlite_desk: Desk, proofs: Proofs) -> None:
    for number in range(10):
        sqlite_desk.person(f"anna{number}")
    proofs.go_on.set()
    looking = sqlite_desk.member("bo", "supervisor")
    proofs.go_on.clear()
    browsers = [sqlite_desk.browser(f"198.51.100.{number}") for number in range(10)]
    with ThreadPoolExecutor(10) as pool:
        logins = [pool.submit(one.sign_in, f"anna{number}") for number, one in enumerate(browsers)]
        deadline = time.monotonic() + PATIENCE_S
        while proofs.at_once < PROVED_AT_ONCE:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        for _ in range(20):
            assert looking.get("/account").status_code == 200
        assert not any(login.done() for login in logins)
        proofs.go_on.set()
        assert [login.result().status_code for login in logins] == [303] * 10
    assert proofs.most == PROVED_AT_ONCE
    assert all(browser.get("/account").status_code == 200 for browser in browsers)
