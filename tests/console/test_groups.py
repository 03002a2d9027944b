"""Groups of queues: whoever sees some of them cannot tell what is in another from what is not there at all."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, Final

import pytest
from fastapi.routing import APIRoute

from callback.accounts.roles import ROLES
from callback.store import tables as t
from tests.callback.web.console.clients import Browser, Desk, desk_of
from tests.console import seeded
from tests.console.centre import NOW, Centre

UNKNOWN: Final = 999_999
OF_SALES: Final = frozenset({"sales"})
FORM: Final = {
    "why": "customer asked",
    "at": "18:30",
    "to": "bo",
    "what": "both",
    "note": "n",
    "call": "1.1",
    "kind": "abandoned/",
    "revision": "1",
    "save": "1",
}
ACTS: Final = (
    "hold",
    "resume",
    "call-now",
    "postpone",
    "slot",
    "assign",
    "cancel",
    "done-elsewhere",
    "not-lost",
    "block",
)
_TOKEN: Final = re.compile(r'(name="csrf" (?:value|content)=")[^"]*')
_NAMES: Final = {"reservation", "number"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[tuple[Desk, Centre]]:
    """The centre's console, on a database of the test's own."""
    centre = seeded.fresh(tmp_path)
    with desk_of(centre.world) as made:
        made.now = NOW
        yield made, centre
    centre.world.close()


def of_others(centre: Centre) -> int:
    """A reservation that is open, in another group than sales."""
    row = next(row for row in centre.world.reservations() if row.open and row.queue_group == "support")
    return int(row.id)


NO_RESERVATIONS: Final = (
    "/campaigns/",
    "/answers/",
    "/incidents/",
    "/machines/",
    "/handover/",
    "/rules/",
    "/switches/",
    "/cases/",
    "/flags/",
)
"""Routes whose numbers are of something else: each has a test of its own."""


OF_SOME: Final = ("/asked/{}",)
"""Pages that only some reservations have: a call of a campaign's sample."""


def paths_of(desk: Desk) -> list[tuple[str, str]]:
    """Each route that names a reservation in its path, with its methods; `{}` stands for the reservation."""
    found = []
    for route in desk.app.routes:
        if not isinstance(route, APIRoute) or route.path.startswith(NO_RESERVATIONS):
            continue
        if names := _NAMES & set(re.findall(r"\{(\w+)\}", route.path)):
            path = route.path.replace("{" + min(names) + "}", "{}").replace("{name}", "slot")
            found += [(method, path) for method in sorted(route.methods or ())]
    return found


def shown(browser: Browser, method: str, path: str, csrf: str, **fields: str) -> tuple[int, str]:
    """The status and the page, but for its token, which is another one each time."""
    data = None if method == "GET" else {**FORM, **fields}
    answer: Any = browser.request(method, path, data=data, headers={"X-CSRF-Token": csrf})
    return answer.status_code, _TOKEN.sub(r"\1", answer.text)


def named(id_: int, status: int, text: str) -> tuple[int, str]:
    """The same, without the number that was asked for."""
    return status, re.sub(rf"(#|value=\"){id_}\b", r"\1N", text)


def test_every_address_of_another_groups_reservation_is_as_unknown_as_one_that_is_none(
    desk: tuple[Desk, Centre],
) -> None:
    console, centre = desk
    theirs = of_others(centre)
    browser, chief = console.member("anna", *ROLES, groups=OF_SALES), console.member("bo", *ROLES)
    csrf, paths = browser.csrf(), paths_of(console)
    assert paths
    before = centre.world.reservations()
    for method, path in paths:
        known, unknown = (shown(browser, method, path.format(id_), csrf) for id_ in (theirs, UNKNOWN))
        assert known == unknown, (method, path)
        assert known[0] == 404, (method, path)
        if method == "GET" and path not in OF_SOME:
            assert chief.get(path.format(theirs)).status_code == 200, path
    assert centre.world.reservations() == before


@pytest.mark.parametrize("act", ACTS)
def test_no_act_reaches_another_groups_reservation_nor_tells_that_it_is_there(
    desk: tuple[Desk, Centre], act: str
) -> None:
    console, centre = desk
    theirs = of_others(centre)
    browser = console.member("anna", *ROLES, groups=OF_SALES)
    csrf = browser.csrf()
    before, audit = centre.world.reservations(), len(centre.world.rows(t.audit))
    known, unknown = (
        named(id_, *shown(browser, "POST", f"/act/{act}", csrf, items=f"{id_}:1")) for id_ in (theirs, UNKNOWN)
    )
    assert known == unknown
    assert known[0] in {404, 409, 422}
    assert centre.world.reservations() == before
    told = [row for row in centre.world.rows(t.audit)[audit:] if row.reservation_id is not None]
    assert told == []


def test_it_takes_as_long_to_find_nothing_as_to_refuse(desk: tuple[Desk, Centre]) -> None:
    console, centre = desk
    theirs = of_others(centre)
    browser = console.member("anna", *ROLES, groups=OF_SALES)
    path = next(path for method, path in paths_of(console) if method == "GET")

    def took(id_: int) -> float:
        before = time.perf_counter()
        assert browser.get(path.format(id_)).status_code == 404
        return time.perf_counter() - before

    times: dict[int, list[float]] = {theirs: [], UNKNOWN: []}
    for _ in range(60):
        for id_, taken in times.items():
            taken.append(took(id_))
    known, unknown = (median(taken) for taken in times.values())
    spread = max(median(abs(one - median(taken)) for one in taken) for taken in times.values())
    assert abs(known - unknown) <= max(3 * spread, 0.2 * known)
