"""A database that is away, a stream that is cut: figures look so, acts that close are refused, and it heals itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import create_engine, text

from callback.errors import CallbackError
from lab import postgres
from tests.browser import Theme, Visitors
from tests.callback.world import picture
from tests.console import seeded
from tests.console.centre import NOW, Centre
from tests.console.pictures import Shot, shot
from tests.console.served import Served, serve
from tests.live.cut import Cable

CHANGED = 0.2
DATABASE_S, STREAM_S = 5, 12


@contextmanager
def listening(centre: Centre, served: Served) -> Iterator[None]:
    """Let the clock run, and a service look at its PBX each second."""
    over = threading.Event()
    served.runs_since_s = time.monotonic()

    def listen() -> None:
        while not over.is_set():
            at = served.clock()
            with suppress(CallbackError):  # the database may be away
                centre.show(at, replace(picture(), heard_at=at))
            over.wait(1)

    thread = threading.Thread(target=listen, name="service")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def port_of(served: Served) -> int:
    return int(served.url.rpartition(":")[2])


def opened(served: Served, visitors: Visitors, url: str, theme: Theme = "light") -> tuple[Page, Shot]:
    """The queue in a browser, live and fresh, and the picture that it makes then."""
    page = visitors.page(theme=theme)
    served.sign_in(page, "supervisor")
    page.context.add_cookies([{"name": "signed-in-as", "value": "supervisor", "url": url}])
    page.goto(f"{url}/queue")
    expect(page.locator("[data-age=pbx]")).to_contain_text(" s")
    expect(page.locator("#banner")).to_be_hidden()
    return page, shot(page)


def refuses_to_close(page: Page) -> None:
    """Try to cancel a callback: nothing is sent."""
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    for key in ("j", "e", "1"):
        page.keyboard.press(key)
    expect(page.locator(".toast.fault")).to_contain_text("not up to date")
    assert [url for url in sent if "/act/" in url] == []
    for _ in range(3):
        page.keyboard.press("Escape")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_stream_that_is_cut(centre: Centre, visitors: Visitors, theme: Theme) -> None:
    with serve(centre.world, NOW) as served, listening(centre, served), Cable(port_of(served)) as cable:
        page, fresh = opened(served, visitors, f"http://127.0.0.1:{cable.port}", theme)
        loads = page.evaluate("performance.timeOrigin")
        visitors.expect("ERR_|Failed to load")
        cable.cut()
        cut_s = time.monotonic()
        expect(page.locator("#banner")).to_contain_text("No news from the console since", timeout=20_000)
        assert time.monotonic() - cut_s <= STREAM_S + 1
        assert fresh.changed(shot(page)) > CHANGED
        refuses_to_close(page)
        cable.mend()
        expect(page.locator("#banner")).to_be_hidden(timeout=20_000)
        assert page.evaluate("performance.timeOrigin") == loads  # the page was not loaded anew
        assert page.locator("body.stale").count() == 0


@pytest.fixture
def served_by(postgres_server: postgres.Server) -> Iterator[Centre]:
    """The same centre on a server."""
    centre = seeded.seed(postgres_server.create("away"))
    yield centre
    centre.world.close()
    postgres_server.drop("away")


@pytest.mark.postgresql
def test_a_database_that_is_away(served_by: Centre, postgres_server: postgres.Server, visitors: Visitors) -> None:
    centre = served_by
    with serve(centre.world, NOW) as served, listening(centre, served):
        page, fresh = opened(served, visitors, served.url)
        loads = page.evaluate("performance.timeOrigin")
        visitors.expect("503|ERR_")
        away(postgres_server, "away", gone=True)
        away_s = time.monotonic()
        expect(page.locator("#banner")).to_contain_text("The console has not read the database since", timeout=20_000)
        assert time.monotonic() - away_s <= DATABASE_S + 2
        assert fresh.changed(shot(page)) > CHANGED
        refuses_to_close(page)
        away(postgres_server, "away", gone=False)
        expect(page.locator("#banner")).to_be_hidden(timeout=20_000)
        assert page.evaluate("performance.timeOrigin") == loads


def away(server: postgres.Server, name: str, *, gone: bool) -> None:
    """Cut everybody off from a database and let nobody connect, or let them connect again."""
    engine = create_engine(server.url("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {not gone}"))
        if gone:
            cut = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
            connection.execute(cut, {"name": name})
    engine.dispose()
