"""Now in a browser: what breaks next at the first look, figures that lead to their rows, what if, and a wall."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from callback.accounts import wall_tokens
from callback.accounts.change import Change
from callback.attempts.agent_states import Agent
from callback.attempts.snapshot import CallerWaiting, Live
from callback.decisions import actions
from callback.store import tables as t
from callback.store.audit import By
from scheduler.policy import QueueLoad
from tests.browser import DESK, PHONE, Visitors, accessibility_faults, scrolls_sideways
from tests.callback.world import MINUTE, US, World
from tests.console import seeded
from tests.console.centre import NOW, Centre, picture
from tests.console.served import Served, serve

WITHIN_S: Final = 1.0
TIMES: Final = 5
"""The quickest of so many looks counts: this machine is others', too."""
_NOTES_VIEWS: Final = """window.shown = new Set();
document.addEventListener("lcr:shown", (event) => window.shown.add(event.detail.view));"""
_ALL_SHOWN: Final = "() => document.body.dataset.view.trim().split(/\\s+/).every((view) => window.shown.has(view))"
AGENTS: Final = (
    Agent("PJSIP/1001", "Mei", ("support", "billing"), "talking", NOW - 72 * US),
    Agent("PJSIP/1002", "Wei", ("support",), "paused", NOW - 31 * MINUTE),
    Agent("PJSIP/1003", "Fang", ("sales",), "free", None),
)


def busy() -> Live:
    """One agent at work for support, and live callers take all of that one's time."""
    load = QueueLoad(1, 0, 1 / 240, 240.0, 90.0, frozenset({"support", "billing"}))
    loads = {"support": load, "billing": load}
    there = {"support": frozenset({"PJSIP/1001"}), "billing": frozenset({"PJSIP/1001"}), "sales": frozenset({"a", "b"})}
    callers = {"support": (CallerWaiting(NOW - 72 * US), CallerWaiting(NOW - 5 * US))}
    return replace(picture(), at_work=there, loads=loads, agents=AGENTS, callers=callers, heard_at=NOW)


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    made = seeded.fresh(tmp_path)
    made.show(NOW, busy())
    yield made
    made.world.close()


@pytest.fixture
def served(centre: Centre) -> Iterator[Served]:
    with serve(centre.world, NOW) as one:
        yield one


@pytest.fixture
def at_now(served: Served, visitors: Visitors) -> Page:
    """Anna looks at Now."""
    page = visitors.page()
    served.sign_in(page, "supervisor")
    page.goto(served.at("/now"))
    return page


def card(page: Page, name: str) -> str:
    return page.locator(f"#now-{name}").inner_text()


def _shown_s(page: Page, served: Served, what: Locator) -> float:
    began_s = time.monotonic()
    page.goto(served.at("/now"), wait_until="commit")
    what.wait_for()
    return time.monotonic() - began_s


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
def test_in_the_first_viewport_stand_the_group_at_risk_its_missing_agents_and_the_first_three_promises(
    served: Served, visitors: Visitors, size: ViewportSize, script: bool
) -> None:
    page = visitors.page(size, java_script_enabled=script)
    served.sign_in(page, "supervisor")
    page.goto(served.at("/now"))  # the process renders a page for the first time
    first = page.locator("#now-dangers .danger").first
    took_s = min(_shown_s(page, served, first) for _ in range(TIMES))
    seen = first.inner_text()
    assert seen.startswith("support")
    assert re.search(r"\b\d+\sof 10 will miss by \d\d:\d\d", seen)
    assert re.search(r"needs \+\d+ agents until \d\d:\d\d", seen)
    promises = first.locator(".promise")
    assert promises.count() == 3
    for part in (first.locator(".group"), first.locator(".chip"), first.locator(".needs"), *promises.all()):
        box = part.bounding_box()
        assert box is not None
        assert 0 <= box["y"] <= box["y"] + box["height"] <= size["height"], "it is seen without scrolling"
        assert 0 <= box["x"] <= box["x"] + box["width"] <= size["width"]
    assert took_s <= WITHIN_S


def test_the_figures_are_those_of_the_seeded_day(at_now: Page) -> None:
    assert re.sub(r"\s+", " ", card(at_now, "open")).startswith("OPEN 33 being called 2 may be called now 13")
    needs = re.sub(r"\s+", " ", card(at_now, "needs"))
    for told in ("answers to read 5", "incidents open they hold 8 1", "withdrawn by people today Anna 1 1"):
        assert told in needs
    assert "4 / 23" in re.sub(r"\s+", " ", card(at_now, "promises"))
    assert "17 %" in card(at_now, "promises")
    floor = re.sub(r"\s+", " ", card(at_now, "floor"))
    assert "AGENTS AT WORK 3" in floor
    assert "on a break 1 Wei 31:" in floor
    assert "CALLERS WAITING 2 support 2 1:1" in floor


def test_every_figure_of_a_list_leads_to_so_many_rows(at_now: Page, served: Served) -> None:
    links = at_now.locator("a.count").all()
    addresses = {(str(link.get_attribute("href")), link.inner_text()) for link in links}
    listed = sorted(one for one in addresses if one[0].startswith("/now/rows/"))
    assert len(listed) >= 12
    for address, count in listed:
        at_now.goto(served.at(address))
        assert at_now.locator("tbody tr").count() == int(count), address
    queued = sorted(one for one in addresses if one[0].startswith("/queue?"))
    assert len(queued) >= 9
    for address, count in queued:
        at_now.goto(served.at(address))
        assert at_now.locator("[data-lane] > tr[data-id]").count() == int(count), address


def test_the_figures_above_a_list_leave_the_list_alone(served: Served, visitors: Visitors) -> None:
    page = visitors.page()
    page.add_init_script(_NOTES_VIEWS)
    served.sign_in(page, "supervisor")
    page.goto(served.at("/queue"))
    rows = page.locator("[data-lane] > tr[data-id]")
    assert (many := rows.count()) > 10
    page.wait_for_function(_ALL_SHOWN)
    assert rows.count() == many


def test_in_the_queue_what_if_says_who_would_slip_for_the_chosen(
    served: Served, visitors: Visitors, centre: Centre
) -> None:
    page = visitors.page()
    served.sign_in(page, "supervisor")
    page.goto(served.at("/queue?lane=window"))
    row = centre.reservation["window"]
    page.locator(f"#r-{row} .pick input").check()
    page.keyboard.press("w")
    expect(page.locator("#dialog")).to_contain_text(f"Call #{row} now")


def test_a_change_comes_in_by_itself(at_now: Page, centre: Centre) -> None:
    held = at_now.locator('.figures [data-figure="held"]')
    expect(held).to_have_text("14")
    centre.decide(NOW, actions.hold, "aim", By("Bo", "asks for a moment"))
    expect(held).to_have_text("15")
    expect(at_now.locator('#now-open [data-figure="held"]')).to_have_text("15")
    centre.decide(NOW, actions.cancel, "aim-new", By("Bo", "found another way"))
    expect(at_now.locator("#now-needs")).to_contain_text("Bo 1")


def test_a_part_that_changes_keeps_the_focus_and_what_was_opened(at_now: Page, centre: Centre) -> None:
    link = at_now.locator("#now-open a.count").nth(1)
    link.focus()
    centre.decide(NOW, actions.hold, "aim", By("Bo", "asks for a moment"))
    expect(at_now.locator('#now-open [data-figure="held"]')).to_have_text("15")
    expect(link).to_be_focused()


def test_what_two_more_would_keep_is_three_keys_away(at_now: Page) -> None:
    at_now.keyboard.press("w")
    at_now.keyboard.press("2")
    dialog = at_now.locator("#dialog")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text(re.compile(r"\+2 agents until \d\d:\d\d: promises missed \d+ → \d+"))
    before, after = re.findall(r"missed (\d+) → (\d+)", dialog.inner_text())[0]
    assert int(after) < int(before)
    at_now.keyboard.press("Enter")
    expect(dialog).to_be_hidden()


def test_without_script_what_if_is_a_page(served: Served, visitors: Visitors, centre: Centre) -> None:
    page = visitors.page(java_script_enabled=False)
    served.sign_in(page, "supervisor")
    page.goto(served.at("/now"))
    page.locator("#now-dangers .danger").first.get_by_role("button", name="+1").click()
    expect(page.locator("main")).to_contain_text("+1 agent until")
    page.goto(served.at(f"/what-if?items={centre.reservation['window']}:3"))
    expect(page.locator("main")).to_contain_text(f"Call #{centre.reservation['window']} now")


@pytest.mark.parametrize(
    "query", ["items=x", "items=1,,2", "group=support&more=99", "group=support&until=25:00", "items=" + "9" * 30]
)
def test_a_question_that_makes_no_sense_is_refused(served: Served, visitors: Visitors, query: str) -> None:
    page = visitors.page()
    served.sign_in(page, "supervisor")
    visitors.expect("422")
    answer = page.goto(served.at(f"/what-if?{query}"))
    assert answer is not None
    assert answer.status == 422


def test_a_group_sees_its_part_and_asks_for_no_other(served: Served, visitors: Visitors) -> None:
    served.groups["supervisor"] = frozenset({"china"})
    page = visitors.page()
    served.sign_in(page, "supervisor")
    page.goto(served.at("/now"))
    assert page.locator(".danger .group").all_inner_texts() == ["china"]
    assert page.locator('#now-open [data-figure="open"]').inner_text() == "3"
    assert "Mei" not in card(page, "floor")
    visitors.expect("404")
    asked = page.goto(served.at("/what-if?group=support&more=1"))
    unknown = page.goto(served.at("/what-if?group=nothing&more=1"))
    assert asked is not None
    assert unknown is not None
    assert asked.status == unknown.status == 404


def test_who_may_not_look_sees_neither_the_page_nor_the_figures(served: Served, visitors: Visitors) -> None:
    page = visitors.page()
    served.sign_in(page, "agent")
    visitors.expect("403")
    answer = page.goto(served.at("/now"))
    assert answer is not None
    assert answer.status == 403
    assert page.locator("[data-figure]").count() == 0


def test_a_pbx_that_is_gone_hatches_its_own_part(served: Served, visitors: Visitors, centre: Centre) -> None:
    centre.show(NOW, replace(busy(), closed="pbx-not-connected", heard_at=NOW - 2 * MINUTE))
    page = visitors.page()
    served.sign_in(page, "supervisor")
    page.goto(served.at("/now"))
    assert page.locator("#now-health li.dead b").all_inner_texts() == ["PBX"]
    assert "since 13:40" in card(page, "health")
    assert "Nobody knows who is there" in card(page, "floor")
    assert "nobody is called, so all of it breaks" in card(page, "dangers")


def test_where_nothing_is_owed_the_page_says_so_and_what_was_last(tmp_path: Path, visitors: Visitors) -> None:
    world = World(f"sqlite:///{tmp_path / 'empty.db'}")
    with serve(world, NOW) as served:
        page = visitors.page()
        served.sign_in(page, "supervisor")
        page.goto(served.at("/now"))
        assert "Nothing is owed in the next two hours." in card(page, "dangers")
        assert "\N{EN DASH}" in card(page, "promises")
        assert "%" not in card(page, "promises")
        page.close()  # it would miss the console
    world.close()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_it_is_accessible_and_as_wide_as_its_window(
    served: Served, visitors: Visitors, size: ViewportSize, theme: str, language: str
) -> None:
    page = visitors.page(size, theme="dark" if theme == "dark" else "light", language=language)
    served.sign_in(page, "supervisor")
    for path in ("/now", "/now/rows/cancelled", "/what-if?group=support&more=1"):
        page.goto(served.at(path))
        assert accessibility_faults(page) == []
        assert not scrolls_sideways(page)


def test_no_number_stands_in_the_page_its_frames_or_the_wall(
    served: Served, visitors: Visitors, centre: Centre
) -> None:
    ends = {number[-8:] for number in centre.number.values()}
    page = visitors.page()
    served.sign_in(page, "supervisor")
    bodies = []
    for path in ("/now", "/now/rows/answers", "/now/rows/left", "/what-if?group=support", wall_of(centre)):
        page.goto(served.at(path))
        bodies.append(page.content())
    assert [end for end in ends if any(end in body for body in bodies)] == []


def wall_of(centre: Centre, groups: frozenset[str] | None = None) -> str:
    """Make a display; give its address."""
    with centre.world.store.write() as connection:
        token = wall_tokens.add(Change(connection, "main", By("Dai", "for the hall"), NOW), "hall", groups)
    return f"/wall/{token}"


def test_a_wall_shows_figures_and_nothing_to_press_until_it_is_revoked(
    served: Served, visitors: Visitors, centre: Centre
) -> None:
    address = wall_of(centre)
    page = visitors.page()
    answer = page.goto(served.at(address))
    assert answer is not None
    assert answer.status == 200
    assert page.locator("a, button, form, input").count() == 0
    assert "support" in card(page, "dangers")
    assert page.locator("#now-needs").count() == 0
    assert "Mei" not in page.content()
    with centre.world.store.write() as connection:
        (wall,) = wall_tokens.listed(connection)
        wall_tokens.revoke(Change(connection, "main", By("Dai", "moved"), NOW), wall.id)
    visitors.expect("404")
    for path in (address, "/wall/nothing"):
        answer = page.goto(served.at(path))
        assert answer is not None
        assert answer.status == 404


def test_a_wall_of_a_group_shows_that_group(served: Served, visitors: Visitors, centre: Centre) -> None:
    page = visitors.page()
    page.goto(served.at(wall_of(centre, frozenset({"sales"}))))
    assert page.locator(".danger .group").all_inner_texts() == ["sales"]


def test_a_wall_whose_service_is_silent_looks_so(served: Served, visitors: Visitors, centre: Centre) -> None:
    served.now = NOW + MINUTE
    page = visitors.page()
    page.goto(served.at(wall_of(centre)))
    assert page.locator("body.stale").count() == 1
    assert "the service is not running since 13:42" in page.locator(".banner").inner_text()


def test_a_reservation_that_is_open_stays_open_whatever_is_asked(
    served: Served, visitors: Visitors, centre: Centre
) -> None:
    with centre.world.store.read() as connection:
        before = connection.execute(t.reservation.select()).all()
    page = visitors.page()
    served.sign_in(page, "supervisor")
    ids = ",".join(str(number) for number in centre.reservation.values())
    page.goto(served.at(f"/what-if?items={ids}&group=support&more=3"))
    assert "Call #" in page.locator("main").inner_text()
    with centre.world.store.read() as connection:
        assert connection.execute(t.reservation.select()).all() == before
