"""No page, frame, list, error or log of the console holds a telephone number, in whatever spelling it was written."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from fastapi.routing import APIRoute
from playwright.sync_api import BrowserContext

from callback.accounts.roles import Role
from callback.decisions import notes
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import By
from callback.web.console.app import PAGES, VIEWS
from tests.browser import Visitors
from tests.callback.world import MINUTE, US
from tests.console import seeded
from tests.console.addresses import address, templates
from tests.console.centre import NOW, Centre
from tests.console.crowd import lose
from tests.console.served import Served, serve
from tests.console.streams import Browsers

MANY: Final = 1000
_TOGETHER: Final = re.compile(r"[\s()\[\]./+\-\u2010-\u2015\u30fb\uff0d\u200b-\u200f]+")
_DIGITS: Final = re.compile(r"\d{9,}")
SPELLINGS: Final = (
    "call {0}", "{0}\u306b\u96fb\u8a71", "+81 {1} {2} {3}", "0{1}-{2}-{3}", "(0{1}) {2} {3}", "0081{1}{2}{3}",
    "\uff10{1}\uff0d{2}\uff0d{3}", "{0}\u6253\u7ed9\u6211",
)  # fmt: skip


def known(centre: Centre) -> set[str]:
    """The last nine digits of every number: the same however it is written."""
    return {number[-9:] for number in centre.number.values()}


def found(said: str, numbers: set[str]) -> set[str]:
    """Whose numbers stand in it, also in groups."""
    digits = _TOGETHER.sub("", said)
    runs = [run[0] for run in _DIGITS.finditer(digits)]
    return {run[at : at + 9] for run in runs for at in range(len(run) - 8)} & numbers


def _note(reservation: int, words: str, work: Work) -> None:
    notes.note(work, reservation, By("Anna", words))


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    """The seeded centre with a thousand customers more; what some of them and of us wrote holds numbers."""
    folder: Path = tmp_path_factory.mktemp("numbers")
    centre = seeded.fresh(folder)
    for n in range(MANY):
        lose(centre, f"many-{n}", n, NOW - 30 * MINUTE + n * US)
    for n, spelling in enumerate(SPELLINGS):
        number = "0" + centre.number[f"many-{n}"].removeprefix("+81")
        words = spelling.format(number, number[1:3], number[3:7], number[7:])
        centre.write_us(f"many-{n}", NOW - MINUTE, words)
        centre.do(NOW, partial(_note, centre.reservation[f"many-{n}"], words))
    yield centre
    centre.world.close()


@pytest.fixture
def served(crowded: Centre) -> Iterator[Served]:
    with serve(crowded.world, NOW) as console:
        yield console


def signed_in(served: Served, visitors: Visitors, role: Role) -> BrowserContext:
    visitors.expect(".")
    who = visitors.come()
    served.sign_in(who, role)
    return who


def pages(centre: Centre) -> list[str]:
    """Every page there is, those of whom the numbers are, lists as files, and what leads to errors."""
    whose = [f"/r/{centre.reservation[f'many-{n}']}" for n in range(len(SPELLINGS))]
    files = [
        f"{route.path_format}{query}"
        for router in PAGES
        for route in router.routes
        if isinstance(route, APIRoute) and route.path_format.endswith((".csv", ".json"))
        for query in ("", "?all=1", "?lane=aim")
    ]
    numbers = [centre.number[f"many-{n}"] for n in range(3)]
    errors = [f"/queue?queue={number}" for number in numbers] + [f"/r/{number}" for number in numbers]
    return [
        *(address(one, centre) for one in templates()), *whose, *files, *errors,
        "/queue?all=1", "/queue?lane=aim", "/queue?lane=aim&sort=newest",
    ]  # fmt: skip


@pytest.mark.parametrize("role", ["auditor", "supervisor", "manager"])
def test_no_page_list_or_error_holds_a_number(
    served: Served, crowded: Centre, visitors: Visitors, caplog: pytest.LogCaptureFixture, role: Role
) -> None:
    caplog.set_level(logging.DEBUG)
    who, numbers = signed_in(served, visitors, role), known(crowded)
    assert len(numbers) > MANY
    rows = 0
    for path in pages(crowded):
        answer = who.request.get(served.at(path), max_redirects=0)
        said = answer.text()
        asked = {path.rpartition("=")[2], path.rpartition("/")[2]}  # what was asked for is not told: it is repeated
        assert found(said, numbers) - {one[-9:] for one in asked} == set(), path
        assert found(str(answer.headers), numbers) - {one[-9:] for one in asked} == set(), path
        rows += said.count("••••")
    assert rows > MANY / 2
    for number in list(crowded.number.values())[:3]:
        lost = who.request.post(served.at("/queue/find"), form={"number": number}, headers={"Origin": served.url})
        assert found(lost.text(), numbers) - {number[-9:]} == set()
    for line in caplog.messages:
        assert found(line, numbers) == set(), line


def test_no_frame_holds_a_number(served: Served, crowded: Centre) -> None:
    views = ["/stream/queue?lane=aim", "/stream/queue", "/stream/now", "/stream/head"]
    views += [f"/stream/reservation/{crowded.reservation[f'many-{n}']}" for n in range(len(SPELLINGS))]
    assert {view.split("/")[2].partition("?")[0] for view in views} == set(VIEWS) - {
        "agent",  # whose own it is: test_agent_page
        "campaign",  # it holds counts alone, and none is here: test_campaign_pages
    }

    async def read() -> list[str]:
        async with Browsers(served) as browsers:
            stream = await browsers.open(*views)
            return [(await stream.next()).raw.decode() for _ in views]

    frames = asyncio.run(read())
    assert any("••••" in frame or "\\u2022" in frame for frame in frames)
    for frame in frames:
        assert found(frame, known(crowded)) == set()


def test_a_manager_finds_one_when_asked_and_that_is_kept(served: Served, crowded: Centre, visitors: Visitors) -> None:
    who, numbers = signed_in(served, visitors, "manager"), known(crowded)
    before = len([row for row in crowded.world.rows(t.audit) if row.action == "reveal"])
    for n in range(3):
        reservation = crowded.reservation[f"many-{n}"]
        told = who.request.post(served.at(f"/r/{reservation}/reveal"), headers={"Origin": served.url}).text()
        assert found(told, numbers) == {crowded.number[f"many-{n}"][-9:]}
    kept = [row for row in crowded.world.rows(t.audit) if row.action == "reveal"][before:]
    assert [(row.who, row.reservation_id) for row in kept] == [
        ("Bo", crowded.reservation[f"many-{n}"]) for n in range(3)
    ]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_would_be_found(crowded: Centre, spelling: str) -> None:
    number = "0" + crowded.number["many-0"].removeprefix("+81")
    words = spelling.format(number, number[1:3], number[3:7], number[7:])
    assert found(words, known(crowded)) == {number[-9:]}
