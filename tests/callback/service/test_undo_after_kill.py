"""Service and console are killed while something can still be undone: what was promised then holds afterwards."""

from __future__ import annotations

import http.client
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlencode, urlsplit

import pytest

from callback.accounts import passwords, users
from callback.attempts import snapshot
from callback.decisions import records
from callback.store import tables as t
from tests.callback.accounts.people import change, made
from tests.callback.decisions.deciding import acts, decide, seen, stands, states, undo
from tests.callback.service.jobs.parts import now_us, rules
from tests.callback.web.console.test_serve import running
from tests.callback.world import US, World, call, picture
from tests.children import child
from tests.live.service import noon_zone

SETTINGS: Final = """
[database]
url = "{url}"
[pbx]
port = {port}
username = "u"
secret = "s"
journal = "{folder}/journal"
[trunks.main]
channel = "PJSIP/trunk"
region = "JP"
[rules]
zone = "{zone}"
[rules.queues.support]
"""
MANY: Final = 40
HALF: Final = MANY // 2
PASSWORD: Final = "violet-harbour-9-kettle"  # noqa: S105
PATIENCE_S: Final = 60


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Forty who wait, and a lease that a service may take."""
    made_ = World(f"sqlite:///{tmp_path / 'killed.db'}", rules(), now=now_us())
    now = now_us()
    for n in range(MANY):
        made_.hear(call(f"090123456{n:02}", now - (60 + n) * US))
    with made_.store.write() as connection:
        connection.execute(t.lease.delete())
    yield made_
    made_.close()


@contextmanager
def service(world: World, folder: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """The service, beside a PBX that takes no connection; at work when it has told that."""
    file = folder / "service.toml"
    file.write_text(SETTINGS.format(url=world.store.url, port=port, folder=folder, zone=noon_zone()))
    with child([sys.executable, "-m", "callback", "run", "-s", str(file)], stderr=subprocess.STDOUT) as process:
        assert process.stdout
        for line in process.stdout:
            if " started " in line or "pbx-down" in line:
                break
        else:
            raise AssertionError("the service ended")
        yield process


def wait_for(what: Callable[[], bool]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < end_s, "it did not come about"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_the_next_service_closes_what_was_decided_and_not_what_was_undone(world: World, tmp_path: Path) -> None:
    port = free_port()
    before = stands(world)["rows"]
    with service(world, tmp_path, port) as first:
        at = now_us() - 10 * US  # so that less is to be waited for
        undone = decide(world, "cancel", seen(world)[:HALF], now=at)
        stays = decide(world, "cancel", seen(world)[HALF:], now=at)
        first.send_signal(signal.SIGKILL)
        first.wait(PATIENCE_S)
    assert states(world) == ["held"] * MANY
    undo(world, undone, now=at + 14 * US)
    with service(world, tmp_path, port):
        wait_for(lambda: states(world)[HALF:] == ["cancelled"] * HALF)
        closed = world.reservations()[HALF:]
        assert min(row.state_since_at for row in closed) >= stays.undo_until_at
    assert stands(world)["rows"][:HALF] == before[:HALF]
    assert acts(world).count(("anna", "cancelled")) == HALF


class Desk:
    """Somebody at a console that is a process of its own; the session outlives it."""

    def __init__(self) -> None:
        self.cookie, self.url = "", ""

    def ask(self, method: str, path: str, **fields: str) -> tuple[int, str]:
        at = urlsplit(self.url)
        headers = {"Sec-Fetch-Site": "same-origin", "X-Fragment": "1", "Cookie": self.cookie}
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, urlencode(fields) if fields else None, headers)
            answer = connection.getresponse()
            for cookie in answer.headers.get_all("set-cookie", ()):
                if cookie.startswith("lcr="):
                    self.cookie = cookie.partition(";")[0]
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def act(self, path: str, **fields: str) -> tuple[int, str]:
        _, page = self.ask("GET", "/account")
        found = re.search(r'name="csrf" value="([^"]+)"', page)
        assert found is not None
        return self.ask("POST", path, csrf=found[1], **fields)


def test_undo_outlives_a_console_that_is_killed(world: World, tmp_path: Path) -> None:
    made(world, "anna", "supervisor")
    with world.store.write() as connection:
        users.own_password(change(connection), "anna", passwords.hashed(PASSWORD))
        snapshot.store(connection, "main", picture(), now_us() + PATIENCE_S * US)
    before, anna = stands(world)["rows"], Desk()
    with running(world, tmp_path) as (process, anna.url):
        assert anna.ask("POST", "/sign-in", name="anna", password=PASSWORD)[0] == 303
        items = ",".join(f"{one.reservation}:{one.revision}" for one in seen(world))
        status, told = anna.act("/act/cancel", items=items, why="mistake")
        assert (status, f"{MANY} of {MANY} will be cancelled." in told) == (200, True)
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE_S)
    assert states(world) == ["held"] * MANY
    (batch,) = world.rows(t.batch)
    assert batch.undo_until_at - batch.at >= records.UNDO_US
    with world.store.write() as connection:  # a busy machine may take longer to begin another console
        connection.execute(t.batch.update().values(undo_until_at=now_us() + PATIENCE_S * US))
    with running(world, tmp_path) as (_, anna.url):
        status, told = anna.act("/undo", batch=str(batch.id))
        assert (status, f"Undone: {MANY} of {MANY}." in told) == (200, True)
    assert stands(world)["rows"] == before
