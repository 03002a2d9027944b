"""A department answers its case by the link of its letter: nobody else's, not for ever, and nothing else."""

from __future__ import annotations

import http.client
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callback.care import links
from callback.decisions.care import cases as acts
from callback.decisions.care.acting import AskedCase
from callback.decisions.care.department import MOST
from callback.site import links as customers_links
from callback.site import tokens
from callback.site.templates import Texting
from callback.store import tables as t
from callback.web import department_page
from callback.web.customer_page import Page
from scheduler.clock import DAY, HOUR
from tests.callback.decisions.care.centre import ANNA, at_work, do, registered, takes_cases
from tests.callback.web.test_public import FORM, PUBLIC, Running, settings_with
from tests.callback.world import MINUTE, NOON, World

NOW = NOON + 5 * MINUTE
PAGES = Path(department_page.__file__).with_name("pages") / "department"
WORDS = "They took <b>20</b> twice & I am +81 90 1234 5678"


@pytest.fixture
def care(sqlite_world: World) -> World:
    world = World(sqlite_world.store.url, takes_cases())
    world.site = replace(world.site, texting=Texting(public_url=PUBLIC))
    return world


def link(world: World, asked: AskedCase, department: str = "billing", until_at: int = NOON + 30 * DAY) -> str:
    with at_work(world) as work:
        return links.token(work.connection, asked.case, department, until_at)


def complained(world: World, **changes: Any) -> tuple[AskedCase, str]:
    about = {"words": WORDS, "wish": "my money back", "department": "billing", "severity": 3, **changes}
    asked = registered(world, **about)
    return asked, link(world, asked)


def page(world: World, token: str, said: str | None = None, now: int = NOW) -> Page:
    form = {} if said is None else {"answer": said}
    with at_work(world, now) as work:
        if said is None:
            return department_page.show(work, token, "en")
        return department_page.act(work, token, form, "en")


def case_of(world: World) -> Any:
    (found,) = world.rows(t.care_case)
    return found


def test_it_shows_what_is_needed_and_no_number(care: World) -> None:
    _, token = complained(care)
    shown = page(care, token)
    assert shown.status == 200
    for told in ("A wrong amount", "my money back", "grave", "11-25 12:00", "&lt;b&gt;20&lt;/b&gt;"):
        assert told in shown.html
    for hidden in ("1234", "5678", "<b>", "<script", "anna"):
        assert hidden not in shown.html


def test_an_answer_is_the_first_repair_and_a_second_one_adds(care: World) -> None:
    _, token = complained(care)
    assert "Thank you" in page(care, token, "We pay it back.\r\nTomorrow.").html
    case = case_of(care)
    assert (case.state, case.repaired_at, case.next_ask_at) == ("answered", NOW, NOW)
    assert "taken already" in page(care, token, "We pay it back.\nTomorrow.").html, "a form that was sent twice"
    again = page(care, token, "And a letter.")
    assert "We pay it back.<br>Tomorrow." in again.html
    said = [(row.who, row.note) for row in care.rows(t.care_step) if row.event == "answered"]
    assert said == [("department/billing", "We pay it back.\nTomorrow."), ("department/billing", "And a letter.")]
    assert [row.who for row in care.rows(t.audit) if row.action == "case-answered"] == ["department/billing"] * 2


@pytest.mark.parametrize(("said", "status"), [("", 400), (" \n\0", 400), ("x" * 2001, 400), ("x" * 2000, 200)])
def test_an_answer_has_its_room(care: World, said: str, status: int) -> None:
    _, token = complained(care)
    assert page(care, token, said).status == status
    assert case_of(care).state == ("answered" if status == 200 else "assigned")


def test_it_opens_nothing_once_the_case_is_another_departments(care: World) -> None:
    asked, token = complained(care)
    do(care, acts.assign, asked, ANNA, department="network")
    assert page(care, token).status == page(care, token, "ours").status == 404
    assert case_of(care).state == "assigned"
    do(care, acts.assign, asked, ANNA, department="")
    assert page(care, token).status == page(care, link(care, asked, ""), "ours").status == 404


def test_it_expires_to_the_hour(care: World) -> None:
    asked, _ = complained(care)
    token = link(care, asked, until_at=NOON + HOUR)
    assert page(care, token, now=NOON + HOUR - 1).status == 200
    assert page(care, token, now=NOON + HOUR).status == page(care, token, "late", now=NOON + HOUR).status == 410


def test_nothing_is_taken_after_the_customer_has_said_what_counts(care: World) -> None:
    asked, token = complained(care)
    do(care, acts.answer, asked, "We pay it back.", ANNA)
    do(care, acts.confirm, asked, "call", ANNA)
    assert page(care, token).status == 200
    assert "<textarea" not in page(care, token).html
    assert page(care, token, "more").status == 409
    assert case_of(care).state == "confirmed"


def test_very_many_answers_are_a_programs(care: World) -> None:
    _, token = complained(care)
    for n in range(MOST):
        assert page(care, token, f"answer {n}").status == 200
    assert page(care, token, "one more").status == 429


def test_a_customers_link_opens_no_case_and_a_departments_no_reservation(care: World) -> None:
    asked, token = complained(care)
    with at_work(care) as work:
        customers = customers_links.token(work.connection, asked.case, NOON + DAY)
        assert department_page.show(work, customers, "en").status == 404
        with pytest.raises(tokens.NoSuchLink):
            customers_links.opened(work.connection, token, NOON)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(at=st.integers(0, 23), letter=st.sampled_from("ABCyz019-_"), tail=st.text(max_size=3))
def test_no_other_token_opens_anything(care: World, at: int, letter: str, tail: str) -> None:
    if not care.rows(t.care_case):
        complained(care)
    token = link(care, AskedCase(1))
    forged = token[:at] + letter + token[at + 1 :] + tail
    if forged != token:
        assert page(care, forged).status == 404


def test_every_language_says_the_same_things() -> None:
    said = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in PAGES.glob("*.toml")}
    assert set(said) == {"en", "zh-Hans", "zh-Hant"}
    assert set(said["en"]) == set(said["zh-Hans"]) == set(said["zh-Hant"])


def test_it_shows_by_when_something_was_promised(care: World) -> None:
    _, token = complained(care, promised="a letter", promised_by_at=NOON + 30 * HOUR)
    assert "To be done by</dt><dd>11-24 18:00" in page(care, token).html


# By HTTP


@pytest.fixture
def door(care: World) -> Iterator[tuple[Running, str]]:
    _, token = complained(care)
    running = Running(care, settings_with(care))
    yield running, token
    running.close()


def ask(door: Running, method: str, path: str, body: str = "", **headers: str) -> tuple[int, str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", door.port, timeout=20)
    told = {key.replace("_", "-"): value for key, value in headers.items()}
    connection.request(method, path, body or None, told)
    answer = connection.getresponse()
    found = (answer.status, answer.read().decode(), answer.headers)
    connection.close()
    return found


def test_by_http_in_the_browsers_language_and_from_no_other_site(door: tuple[Running, str], care: World) -> None:
    running, token = door
    status, html, headers = ask(running, "GET", f"/c/{token}", Accept_Language="zh-TW,en;q=0.5")
    assert (status, 'lang="zh-Hant"' in html, "提交答覆" in html) == (200, True, True)
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert (headers["Referrer-Policy"], headers["Cache-Control"], headers["Set-Cookie"]) == (
        "no-referrer", "no-store", None,
    )  # fmt: skip
    body = urlencode({"answer": "We pay it back."})
    plain = {"Content_Type": FORM}
    for site in ("cross-site", "same-site", "none"):
        assert ask(running, "POST", f"/c/{token}", body, **plain, Sec_Fetch_Site=site)[0] == 403
    assert case_of(care).state == "assigned"
    assert ask(running, "POST", f"/c/{token}", body, **plain, Sec_Fetch_Site="same-origin")[0] == 200
    assert case_of(care).state == "answered"
    assert ask(running, "POST", f"/c/{token[:-1]}A", body, **plain)[0] == 404
    assert ask(running, "GET", "/c/" + "x" * 24)[0] == 404
    assert ask(running, "POST", f"/c/{token}", body, Content_Type="text/plain")[0] == 415


def test_whoever_is_faster_than_people_is_refused(door: tuple[Running, str]) -> None:
    running, token = door
    body = urlencode({"answer": "x"})
    told = [ask(running, "POST", f"/c/{token}", body, Content_Type=FORM)[0] for _ in range(15)]
    assert told.count(429) >= 3
