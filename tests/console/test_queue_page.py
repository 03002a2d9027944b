"""The queue page as it is answered: lanes, filters, searches, other groups, and what strangers wrote."""

from __future__ import annotations

import csv
import re

import pytest
from playwright.sync_api import APIResponse, BrowserContext
from sqlalchemy import update

from callback.accounts.roles import Role
from callback.decisions import actions
from callback.reports.queue.lanes import LANES
from callback.store import tables as t
from callback.store.audit import By
from tests.browser import Visitors
from tests.callback.accounts.people import made
from tests.console.centre import NOW, Centre
from tests.console.seeded import LANES as NAMED
from tests.console.served import Served

ORIGIN = "Origin"


@pytest.fixture
def anna(console: Served, visitors: Visitors) -> BrowserContext:
    return signed_in(console, visitors)


def signed_in(served: Served, visitors: Visitors, role: Role = "supervisor") -> BrowserContext:
    context = visitors.come()
    served.sign_in(context, role)
    return context


def get(served: Served, who: BrowserContext, path: str) -> APIResponse:
    return who.request.get(served.at(path), max_redirects=0)


def post(served: Served, who: BrowserContext, path: str, **form: str) -> APIResponse:
    return who.request.post(served.at(path), form=dict(form), headers={ORIGIN: served.url}, max_redirects=0)


def ids(html: str) -> list[int]:
    return [int(one) for one in re.findall(r'data-id="(\d+)"', html)]


def links(html: str) -> set[int]:
    """The reservations that a page leads to."""
    return set(map(int, re.findall(r'href="/r/(\d+)"', html)))


def by_lane(html: str) -> dict[str, list[int]]:
    lanes = re.finditer(r'<tbody data-lane="(?P<lane>\w+)"(?P<rows>.*?)</tbody>', html, re.DOTALL)
    return {one["lane"]: ids(one["rows"]) for one in lanes}


def test_lanes_stand_in_the_order_in_which_they_are_called_each_with_its_first_five(
    console: Served, anna: BrowserContext, centre: Centre
) -> None:
    html = get(console, anna, "/queue").text()
    lanes = by_lane(html)
    assert tuple(lanes) == LANES
    assert all(len(rows) <= 5 for rows in lanes.values())
    for lane in ("calling", "binds", "window", "late"):
        assert {centre.reservation[name] for name in NAMED[lane]} <= set(lanes[lane])
    whole = by_lane(get(console, anna, "/queue?lane=held").text())
    assert len(whole["held"]) > 5
    assert tuple(whole) == ("held",)


def test_every_filter_shows_those_it_names_and_no_others(console: Served, anna: BrowserContext, centre: Centre) -> None:
    of = centre.reservation

    def shown(query: str) -> set[int]:
        return set(ids(get(console, anna, f"/queue?{query}").text()))

    assert shown("queue=sales") == {of[name] for name in ("postponed", "window-sales")}
    assert {of["late"], of["aim-china"], of["held-china"]} == shown("queue=%E5%8D%8E%E8%AF%AD%E5%AE%A2%E6%9C%8D")
    assert of["binds"] in shown("whose=%E7%8E%8B%E4%BC%9F+(Wei)")
    assert of["binds"] not in shown("whose=-")
    assert {of["held"], of["held-china"]} == shown("why=held")
    assert of["binds-landline"] in shown("text=-")
    assert shown(f"incident={centre.incident}") == {of[f"incident-{n}"] for n in range(1, 9)}
    assert shown("state=calling") == {of["calling"], of["calling-customer"]}
    assert {of["late"], of["late-tried"], of["postponed"]} == shown("overdue=1&state=waiting")
    assert shown(f"ids={of['aim']},{of['late']}") == {of["aim"], of["late"]}


def test_pages_of_a_lane_follow_each_other_without_a_gap(
    console: Served, anna: BrowserContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callback.web.console.queue.content.WINDOW", 3)
    whole = ids(get(console, anna, "/queue?lane=held&all=1").text())
    found, address = [], "/queue?lane=held"
    while address:
        html = get(console, anna, address).text()
        found += ids(html)
        more = re.search(r'href="(/queue\?[^"]*after=[^"]+)"', html)
        address = more[1].replace("&amp;", "&") if more and "show more" in html else ""
    assert len(whole) > 9
    assert found == whole


def test_all_that_match_are_shown_however_they_lie(
    console: Served, anna: BrowserContext, centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lane may have more of them than its share of what is shown at most."""
    monkeypatch.setattr("callback.web.console.queue.content.MOST", 35)
    assert len(ids(get(console, anna, "/queue?all=1").text())) == 33
    monkeypatch.setattr("callback.web.console.queue.content.MOST", 21)
    assert len(ids(get(console, anna, "/queue?all=1").text())) <= 21


def test_a_filter_that_nobody_matches_says_so_and_how_to_clear_it(console: Served, anna: BrowserContext) -> None:
    html = get(console, anna, "/queue?queue=nowhere").text()
    assert "None of 33 match." in html
    assert ids(html) == []


@pytest.mark.parametrize("query", ["lane=fast", "ids=x", "tries=-1", "after=abc&lane=aim", "sort=number"])
def test_nonsense_in_the_address_is_an_answer_in_words(console: Served, anna: BrowserContext, query: str) -> None:
    answer = get(console, anna, f"/queue?{query}")
    assert answer.status == 422
    assert "<h1>" in answer.text()


def test_no_number_stands_in_full_on_any_list(console: Served, anna: BrowserContext, centre: Centre) -> None:
    pages = ["/queue?all=1", "/queue/left", "/queue/settled", "/queue/unreserved", "/queue/refused"]
    html = "".join(get(console, anna, path).text() for path in pages)
    html += post(console, anna, "/queue/find", number="0001").text()
    digits = re.sub(r"[^0-9]", "", html)
    whole = [number for number in centre.number.values() if number.startswith("+")]
    assert len(whole) > 40
    assert [number for number in whole if number[3:] in digits] == []


def test_what_strangers_wrote_is_text(console: Served, anna: BrowserContext) -> None:
    html = get(console, anna, "/queue?all=1").text()
    assert "<ticket>" not in html
    assert "&lt;ticket&gt;" in html
    assert "<b>1004</b>" not in html


@pytest.mark.parametrize(
    ("number", "name"), [("4412", "binds"), ("090-1234-4412", "binds"), ("+8613512340000", "aim-china")]
)
def test_one_hit_leads_to_its_page(
    console: Served, anna: BrowserContext, centre: Centre, number: str, name: str
) -> None:
    answer = post(console, anna, "/queue/find", number=number)
    assert (answer.status, answer.headers["location"]) == (303, f"/r/{centre.reservation[name]}")


def test_several_hits_are_a_list_and_none_is_said(console: Served, anna: BrowserContext, centre: Centre) -> None:
    several = post(console, anna, "/queue/find", number="0001")
    assert several.status == 200
    assert f"/r/{centre.reservation['window']}" in several.text()
    nobody = post(console, anna, "/queue/find", number="9876")
    assert "Nobody with that number" in nobody.text()
    assert "9876" not in nobody.text()
    assert post(console, anna, "/queue/find", number="9" * 41).status == 422


def test_a_group_sees_its_own_alone(console: Served, visitors: Visitors, centre: Centre) -> None:
    console.groups["supervisor"] = frozenset({"sales"})
    sales = signed_in(console, visitors)
    html = get(console, sales, "/queue").text()
    of = centre.reservation
    assert set(ids(html)) == {of["window-sales"], of["postponed"]}
    assert '<b data-figure="open">2</b>' in html
    assert f"/r/{of['expired']}" in get(console, sales, "/queue/left").text()
    assert links(get(console, sales, "/queue/settled").text()) == {of["expired"]}
    for path in ("/queue/unreserved", "/queue/refused"):
        assert links(get(console, sales, path).text()) == set()
    assert post(console, sales, "/queue/find", number="4412").status == 200
    hidden = post(console, sales, "/queue/release", call=centre.call["late"], why="asked")
    unknown = post(console, sales, "/queue/release", call="1.1", why="asked")
    assert (hidden.status, hidden.text()) == (unknown.status, unknown.text()) == (404, unknown.text())


@pytest.mark.parametrize("role", ["agent", "administrator"])
def test_who_may_not_look_gets_no_page(console: Served, visitors: Visitors, role: Role) -> None:
    who = signed_in(console, visitors, role)
    for path in ("/queue", "/queue/left", "/queue/settled", "/queue/unreserved", "/queue/refused"):
        assert get(console, who, path).status == 403


def test_an_auditor_looks_and_decides_nothing(console: Served, visitors: Visitors) -> None:
    auditor = signed_in(console, visitors, "auditor")
    html = get(console, auditor, "/queue").text()
    assert ids(html)
    assert "/act/" not in html
    assert "/queue/release" not in get(console, auditor, "/queue/unreserved").text()
    assert post(console, auditor, "/queue/release", call="1.1", why="asked").status == 403


def test_a_loss_without_a_callback_is_released_by_a_person(
    console: Served, anna: BrowserContext, centre: Centre
) -> None:
    assert f'name="call" value="{centre.call["short"]}"' in get(console, anna, "/queue/unreserved").text()
    answer = post(console, anna, "/queue/release", call=centre.call["short"], why="asked")
    assert answer.status == 303
    newest = max(row.id for row in centre.world.reservations())
    assert answer.headers["location"] == f"/r/{newest}"
    assert newest in ids(get(console, anna, "/queue?all=1").text())


def test_a_view_is_kept_under_its_key_and_forgotten_without_a_name(
    console: Served, anna: BrowserContext, centre: Centre
) -> None:
    made(centre.world, "anna")
    with centre.world.store.write() as connection:
        connection.execute(update(t.user_account).values(name="Anna"))  # as the tests' people sign in
    kept = post(console, anna, "/queue/views", number="2", name="Night <1>", query="state=held&after=x")
    assert (kept.status, kept.headers["location"]) == (303, "/queue?state=held")
    html = get(console, anna, "/queue").text()
    assert 'href="/queue?state=held" data-view-key="2"' in html
    assert "Night &lt;1&gt;" in html
    assert post(console, anna, "/queue/views", number="2", name="call 09012345678", query="").status == 422
    assert post(console, anna, "/queue/views", number="10", name="ten", query="").status == 422
    post(console, anna, "/queue/views", number="2", name="", query="")
    assert "data-view-key" not in get(console, anna, "/queue").text()


def test_settled_ones_stand_day_by_day(console: Served, anna: BrowserContext, centre: Centre) -> None:
    today = get(console, anna, "/queue/settled").text()
    yesterday = get(console, anna, "/queue/settled?day=2026-11-23").text()
    of = centre.reservation
    assert {of["reached"], of["cancelled"], of["expired"]} <= links(today)
    assert links(yesterday) == {of["long-ago"]}
    assert get(console, anna, "/queue/settled?day=tomorrow").status == 422
    assert get(console, anna, "/queue/settled?day=9999-01-01").status == 200


def test_what_is_shown_is_given_to_programs_and_spreadsheets_masked_alike(
    console: Served, anna: BrowserContext, centre: Centre
) -> None:
    centre.decide(NOW, actions.assign, "late", By("Bo", "so"), '=HYPERLINK("http://evil.example")')
    told = get(console, anna, "/queue.json?lane=late").json()
    assert [one["id"] for one in told] == by_lane(get(console, anna, "/queue?lane=late").text())["late"]
    by_id = {one["id"]: one for one in told}
    late = by_id[centre.reservation["late"]]
    assert (late["customer"], late["lane"], late["why_not_yet"]) == ("+86 138 •••• 8000", "late", "no-free-agent")
    assert late["promised_by"] == "2026-11-24T13:20:00+09:00"
    answer = get(console, anna, "/queue.csv?all=1")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(answer.text().splitlines()))
    assert len(rows) == 34
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]
    (one,) = (row for row in rows if row[0] == str(centre.reservation["late"]))
    assert one[4] == "'+86 138 •••• 8000"
    assert one[-1].startswith("'=HYPERLINK")
    digits = "".join(filter(str.isdigit, answer.text()))
    assert not [number for number in centre.number.values() if number.startswith("+") and number[3:] in digits]


def test_another_groups_rows_are_in_no_file(console: Served, visitors: Visitors, centre: Centre) -> None:
    console.groups["supervisor"] = frozenset({"sales"})
    sales = signed_in(console, visitors)
    told = get(
        console, sales, f"/queue.json?ids={centre.reservation['late']},{centre.reservation['window-sales']}"
    ).json()
    assert [one["id"] for one in told] == [centre.reservation["window-sales"]]
