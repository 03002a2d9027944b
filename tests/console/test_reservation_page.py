"""The page of a reservation: timeline, evidence, what comes next, notes, numbers on request, verdicts corrected."""

from __future__ import annotations

import re
from html import unescape

import pytest
from playwright.sync_api import APIResponse, BrowserContext, expect
from sqlalchemy import select

from callback.accounts.roles import Role
from callback.decisions import actions
from callback.store import tables as t
from callback.store.audit import By
from scheduler.clock import DAY
from tests.browser import PHONE, Visitors, accessibility_faults, scrolls_sideways
from tests.console.centre import HOSTILE, NOW, Centre
from tests.console.served import Served

ORIGIN = "Origin"


def signed_in(console: Served, visitors: Visitors, role: Role = "supervisor", **about: object) -> BrowserContext:
    context = visitors.come(**about)  # type: ignore[arg-type]
    console.sign_in(context, role)
    return context


@pytest.fixture
def anna(console: Served, visitors: Visitors) -> BrowserContext:
    return signed_in(console, visitors)


def get(console: Served, who: BrowserContext, path: str, **headers: str) -> APIResponse:
    return who.request.get(console.at(path), max_redirects=0, headers=headers)


def post(
    console: Served, who: BrowserContext, path: str, headers: dict[str, str] | None = None, /, **form: str
) -> APIResponse:
    sent = {ORIGIN: console.url, **(headers or {})}
    return who.request.post(console.at(path), form=dict(form), headers=sent, max_redirects=0)


def page(centre: Centre, name: str) -> str:
    return f"/r/{centre.reservation[name]}"


def told(html: str) -> list[str]:
    return [unescape(one) for one in re.findall(r'<span class="told">(.*?)</span>\n', html)]


def audited(centre: Centre, action: str) -> list[tuple[str, int, str]]:
    query = select(t.audit.c.who, t.audit.c.reservation_id, t.audit.c.why).where(t.audit.c.action == action)
    with centre.world.store.read() as connection:
        return [(row.who, row.reservation_id, row.why) for row in connection.execute(query)]


def test_it_tells_the_whole_life_from_the_first_ring(console: Served, anna: BrowserContext, centre: Centre) -> None:
    html = get(console, anna, page(centre, "binds")).text()
    lines = told(html)
    assert lines[0] == "called \u2068support\u2069, over kddi"
    assert lines[2] == "LOST: hung up before anybody answered: gave up waiting, waited 4:10"
    assert any(line.startswith("try 1 over kddi") for line in lines)
    assert "12:40:02" in html
    assert "2 tries left" in html
    assert "no answer, a machine answered: again after 15:00" in html
    assert "gave up in the queue (QueueCallerAbandon" in html


def test_each_part_is_shown_by_itself(console: Served, anna: BrowserContext, centre: Centre) -> None:
    whole = told(get(console, anna, page(centre, "binds")).text())
    parts = [
        told(get(console, anna, f"{page(centre, 'binds')}?show={who}").text())
        for who in ("customer", "us", "people", "machine")
    ]
    assert sorted(line for part in parts for line in part) == sorted(whole)
    assert all(parts)
    assert get(console, anna, f"{page(centre, 'binds')}?show=nobody").status == 422


def test_no_number_stands_in_it_in_full(console: Served, anna: BrowserContext, centre: Centre) -> None:
    for name in centre.reservation:
        html = get(console, anna, page(centre, name)).text()
        number = centre.number[name].removeprefix("+")
        assert number not in html, name
        assert number[2:] not in html, name


def test_another_groups_reservation_is_not_there(console: Served, anna: BrowserContext, centre: Centre) -> None:
    console.groups["supervisor"] = frozenset({"china"})
    unknown = get(console, anna, "/r/99999")
    theirs = get(console, anna, page(centre, "binds"))
    assert (theirs.status, theirs.text()) == (unknown.status, unknown.text()) == (404, unknown.text())
    assert get(console, anna, page(centre, "late")).status == 200
    for path in ("note", "reveal", "correct"):
        assert post(console, anna, f"{page(centre, 'binds')}/{path}", note="x", call="x").status == 404


@pytest.mark.parametrize("name", ["99999999999999999999999", "abc", "-1", "1.0"])
def test_what_is_no_number_is_not_there(console: Served, anna: BrowserContext, name: str) -> None:
    assert get(console, anna, f"/r/{name}").status == 404
    for act in ("note", "reveal", "correct"):
        assert post(console, anna, f"/r/{name}/{act}", note="x", call="x").status == 404


@pytest.mark.parametrize(
    "name", ["reached", "returned", "given-up", "expired", "not-lost", "cancelled", "burst-0", "incident-1"]
)
def test_every_end_has_its_page(console: Served, anna: BrowserContext, centre: Centre, name: str) -> None:
    answer = get(console, anna, page(centre, name))
    assert answer.status == 200
    assert len(told(answer.text())) > 3


def test_a_closed_one_has_no_act_but_a_note(console: Served, anna: BrowserContext, centre: Centre) -> None:
    html = get(console, anna, page(centre, "reached")).text()
    assert "Nothing more is owed: reached since 09:44" in html
    assert 'action="/act/' not in html
    assert "/note" in html


def test_who_was_erased_is_nobody(console: Served, anna: BrowserContext, centre: Centre) -> None:
    html = get(console, anna, page(centre, "erased")).text()
    assert "Nobody's: erased 09:55 by Anna." in unescape(html)
    assert "/reveal" not in html
    assert "customer was erased" in post(console, anna, f"{page(centre, 'erased')}/reveal", {"X-Fragment": "1"}).text()


def test_what_strangers_wrote_stands_as_text(console: Served, anna: BrowserContext, centre: Centre) -> None:
    html = get(console, anna, page(centre, "window")).text()
    assert HOSTILE[0] not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    assert "\u202e" not in get(console, anna, page(centre, "late-tried")).text()
    assert "080-3333-9999" not in get(console, anna, page(centre, "window-sales")).text()


def test_a_note_is_kept_also_of_a_closed_one(console: Served, anna: BrowserContext, centre: Centre) -> None:
    path = page(centre, "reached")
    answer = post(console, anna, f"{path}/note?from=", note="calls <b>only</b> on Mondays")
    assert answer.status == 303
    assert audited(centre, "note") == [("Anna", centre.reservation["reached"], "calls <b>only</b> on Mondays")]
    assert "\u2068calls <b>only</b> on Mondays\u2069" in "".join(told(get(console, anna, path).text()))
    assert post(console, anna, f"{path}/note", note=" ").status == 422


def test_a_number_is_shown_on_request_and_that_is_kept(console: Served, anna: BrowserContext, centre: Centre) -> None:
    path = page(centre, "binds")
    assert "+819012344412" in post(console, anna, f"{path}/reveal").text()
    assert "+819012344412" in post(console, anna, f"{path}/reveal", {"X-Fragment": "1"}).text()
    assert [who for who, _, _ in audited(centre, "reveal")] == ["Anna", "Anna"]
    assert "+819012344412" not in get(console, anna, path).text()


@pytest.mark.parametrize("role", ["auditor", "administrator", "agent"])
def test_roles_without_the_right_do_nothing(console: Served, visitors: Visitors, centre: Centre, role: Role) -> None:
    who = signed_in(console, visitors, role)
    path = page(centre, "binds")
    assert get(console, who, path).status == (200 if role == "auditor" else 403)
    for act in ("note", "reveal", "correct"):
        assert post(console, who, f"{path}/{act}", note="x", call="x").status == 403
    assert [row for action in ("note", "reveal", "correct") for row in audited(centre, action)] == []


def corrected(console: Served, who: BrowserContext, centre: Centre, name: str, **form: str) -> APIResponse:
    call = centre.call[name]
    return post(console, who, f"{page(centre, name)}/correct?from=", None, call=call, **form)


def test_what_would_follow_is_shown_before_it_is_kept(console: Served, anna: BrowserContext, centre: Centre) -> None:
    html = get(console, anna, f"{page(centre, 'aim')}/correct").text()
    assert "Show what would follow" in html
    assert "Save it so" not in html
    shown = corrected(console, anna, centre, "aim", kind="served/test-call", why="it was me").text()
    assert "not lost: the callback is withdrawn, and nobody is called" in shown
    assert re.search(r"the rates of today go by \d+ callbacks instead of \d+", shown)
    assert "Save it so" in shown
    assert audited(centre, "correct") == []
    saved = corrected(console, anna, centre, "aim", kind="served/test-call", why="it was me", save="1")
    assert (saved.status, saved.headers["location"]) == (303, f"{page(centre, 'aim')}?from=")
    assert audited(centre, "correct") == [("Anna", centre.reservation["aim"], "it was me")]
    assert "Nothing more is owed: was not lost since 13:42" in get(console, anna, page(centre, "aim")).text()


def test_a_correction_says_why_and_is_of_what_was_seen(console: Served, anna: BrowserContext, centre: Centre) -> None:
    assert corrected(console, anna, centre, "aim", kind="served", why=" ").status == 422
    centre.decide(NOW, actions.assign, "aim", By("Bo", "mine"), "Bo")
    late = corrected(console, anna, centre, "aim", kind="served", why="so", save="1", revision="1")
    assert (late.status, "changed meanwhile" in late.text()) == (409, True)
    busy = corrected(console, anna, centre, "calling", kind="served", why="so")
    assert (busy.status, "when that call has ended" in busy.text()) == (409, True)
    assert post(console, anna, f"{page(centre, 'aim')}/correct", call="1.1", kind="served", why="so").status == 404
    assert audited(centre, "correct") == []


def test_a_supervisor_corrects_no_other_day_and_a_manager_does(
    console: Served, anna: BrowserContext, centre: Centre, visitors: Visitors
) -> None:
    console.now = NOW + DAY
    old = corrected(console, anna, centre, "expired", kind="blocked/queue-full", why="so", save="1")
    assert (old.status, "a manager corrects those" in old.text()) == (422, True)
    bo = signed_in(console, visitors, "manager")
    assert corrected(console, bo, centre, "expired", kind="blocked/queue-full", why="so", save="1").status == 303


def test_the_next_one_is_the_next_of_the_list_that_one_came_from(
    console: Served, anna: BrowserContext, centre: Centre
) -> None:
    ids = [int(one) for one in re.findall(r'data-id="(\d+)"', get(console, anna, "/queue?queue=billing").text())]
    html = get(console, anna, f"/r/{ids[1]}", Referer=f"{console.url}/queue?queue=billing").text()
    links = dict(re.findall(r'href="/r/(\d+)\?from=queue%3Dbilling" rel="(\w+)"', html))
    assert links == {str(ids[0]): "prev", str(ids[2]): "next"}
    html = get(console, anna, f"/r/{ids[2]}?from=queue%3Dbilling").text()
    assert f'href="/r/{ids[1]}?from=queue%3Dbilling" rel="prev"' in html
    foreign = get(console, anna, f"/r/{ids[1]}", Referer="http://elsewhere.example/queue?queue=billing").text()
    assert "queue%3Dbilling" not in foreign


def test_the_page_lives(console: Served, anna: BrowserContext, centre: Centre) -> None:
    sheet = anna.new_page()
    sheet.goto(console.at(page(centre, "aim")))
    expect(sheet.locator("#next b")).to_have_text("no agent is free")
    centre.decide(NOW, actions.hold, "aim", By("Bo", "asks for it"))
    expect(sheet.locator("#next b")).to_have_text("held by \u2068Bo\u2069: \u2068asks for it\u2069")
    expect(sheet.locator("#timeline")).to_contain_text("held it")
    expect(sheet.locator("tbody[data-lane=held] tr[data-id]")).to_have_count(1)


def test_evidence_unfolds_and_the_number_is_shown_by_key(console: Served, anna: BrowserContext, centre: Centre) -> None:
    sheet = anna.new_page()
    sheet.goto(console.at(page(centre, "binds")))
    evidence = sheet.locator(".evidence").first
    expect(evidence.locator("li").nth(1)).to_be_hidden()
    evidence.locator("summary").click()
    expect(evidence.locator("li").nth(1)).to_be_visible()
    expect(sheet.locator("#number")).to_have_text("+81 90 •••• 4412")
    sheet.keyboard.press("v")
    expect(sheet.locator("#number")).to_have_text("+819012344412")
    assert "819012344412" not in sheet.url + sheet.title()


def test_a_verdict_is_corrected_in_three_steps(console: Served, anna: BrowserContext, centre: Centre) -> None:
    sheet = anna.new_page()
    sheet.goto(console.at(page(centre, "aim")))
    sheet.get_by_role("link", name="correct the verdict").click()
    sheet.get_by_label("It was").select_option("silent/no-sound")
    sheet.get_by_label("Why do you say so").fill("I have listened to it")
    sheet.get_by_role("button", name="Show what would follow").click()
    expect(sheet.locator(".preview")).to_contain_text("promised by 13:52 instead of 14:20")
    sheet.get_by_role("button", name="Save it so").click()
    expect(sheet.locator("#timeline")).to_contain_text("corrected by a person: heard silence: no sound was heard")


def test_it_is_accessible_and_fits_a_phone(console: Served, visitors: Visitors, centre: Centre) -> None:
    who = signed_in(console, visitors, size=PHONE)
    for name in ("binds", "reached", "erased"):
        sheet = who.new_page()
        sheet.goto(console.at(page(centre, name)))
        assert accessibility_faults(sheet) == []
        assert not scrolls_sideways(sheet)
        sheet.close()


def test_keys_act_on_the_one_that_the_page_is_about(console: Served, anna: BrowserContext, centre: Centre) -> None:
    sheet = anna.new_page()
    sheet.goto(console.at(page(centre, "aim")))
    expect(sheet.locator("section.acts")).to_be_visible()
    sheet.keyboard.press("h")
    sheet.keyboard.press("1")
    expect(sheet.locator("tbody[data-lane=held] tr[data-id]")).to_have_count(1)
    sheet.keyboard.press("u")
    expect(sheet.locator("tbody[data-lane=aim] tr[data-id]")).to_have_count(1)
    sheet.keyboard.press("c")
    expect(sheet.locator("#timeline")).to_contain_text("put it first")
    assert [who for who, _, _ in audited(centre, "held") if who == "Anna"] == ["Anna"]
    assert [who for who, _, _ in audited(centre, "call-now")] == ["Anna"]


def test_what_is_typed_after_the_key_of_a_note_is_the_note(
    console: Served, anna: BrowserContext, centre: Centre
) -> None:
    sheet = anna.new_page()
    sheet.goto(console.at(page(centre, "aim")))
    expect(sheet.locator("section.acts")).to_be_visible()
    sheet.keyboard.press("r")
    sheet.keyboard.type("call at noon")
    expect(sheet.locator("textarea")).to_have_value("call at noon")
    sheet.keyboard.press("Escape")
    sheet.locator("summary", has_text="note").click()
    expect(sheet.locator("textarea")).to_be_focused()
    assert not [who for who, _, _ in audited(centre, "call-now")]


def test_without_scripts_it_is_read_and_written(console: Served, visitors: Visitors, centre: Centre) -> None:
    who = signed_in(console, visitors, java_script_enabled=False)
    sheet = who.new_page()
    sheet.goto(console.at(page(centre, "aim")))
    expect(sheet.locator("#timeline")).to_contain_text("LOST")
    sheet.locator("summary", has_text="note").click()
    sheet.get_by_label("What is to be known").fill("prefers mornings")
    sheet.get_by_role("button", name="Keep").click()
    expect(sheet.locator("#timeline")).to_contain_text("prefers mornings")
    sheet.get_by_role("checkbox").check()
    sheet.locator("#chosen").get_by_label("reason").fill("asks for it")
    sheet.locator("#chosen").get_by_role("button", name="hold").click()
    sheet.goto(console.at(page(centre, "aim")))
    expect(sheet.locator("#next b")).to_contain_text("held by")


def test_arrows_of_the_list_are_keys(console: Served, anna: BrowserContext, centre: Centre) -> None:
    sheet = anna.new_page()
    sheet.goto(console.at("/queue?lane=aim"))
    ids = [int(row.get_attribute("data-id") or "") for row in sheet.locator("tr[data-id]").all()]
    sheet.locator(f"#r-{ids[1]} a.open").click()
    expect(sheet).to_have_url(re.compile(f"/r/{ids[1]}$"))
    sheet.keyboard.press("]")
    expect(sheet).to_have_url(re.compile(rf"/r/{ids[2]}\?from=lane%3Daim"))
    sheet.keyboard.press("[")
    expect(sheet).to_have_url(re.compile(rf"/r/{ids[1]}\?"))
    sheet.keyboard.press("[")
    expect(sheet).to_have_url(re.compile(rf"/r/{ids[0]}\?from=lane%3Daim"))
