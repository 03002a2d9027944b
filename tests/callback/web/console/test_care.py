"""The pages of care without a browser: what is registered, decided, flagged and noted, by whom, and what is refused."""

from __future__ import annotations

import re
from typing import Any, Final

import pytest

from callback.accounts.roles import ROLES
from callback.decisions import replies
from callback.settings.care import Care, Compensation, Department, QueueCare
from callback.store import tables as t
from sms.inbound import Inbound
from tests.callback.web.console.clients import Browser, Desk, desk_of
from tests.callback.world import NOON, ON, World, call, rules

NUMBER: Final = "+819012345601"
TAKES: Final = ON.model_copy(update={"care": QueueCare(cases=True, flags=True)})
CARE: Final = Care(
    topics={"bill": "Bills", "bill/late": "A late bill"},
    products=("Fibre",),
    departments={"billing": Department(mail="billing@example.org", responsible="bo")},
    compensations={
        "voucher": Compensation(title="A voucher", who="agent"),
        "month": Compensation(title="A month free", who="manager"),
    },
)
SAID: Final = {
    "queue": "support",
    "words": "The bill came late. Call 090-1234-5601",
    "severity": "2",
    "topic": "bill/late",
}
HOSTILE: Final = "<script>alert(1)</script>\u202e{{7*7}}"


@pytest.fixture
def centre(sqlite_world: World) -> World:
    """Support and sales take cases and flag customers, each of its own group; back takes none."""
    queues = {name: TAKES.model_copy(update={"group": name}) for name in ("support", "sales")}
    return World(sqlite_world.store.url, rules(queues={**queues, "back": ON}, care=CARE))


@pytest.fixture
def desk(centre: World) -> Any:
    with desk_of(centre) as made:
        yield made


def only(desk: Desk, table: Any) -> Any:
    (row,) = desk.world.rows(table)
    return row


def registered(browser: Browser, **more: str) -> str:
    """Register a complaint by the form; give where it leads."""
    answer = browser.act("/cases/new", **{"number": "090-1234-5601", **SAID, **more})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def steps(desk: Desk) -> list[str]:
    return [row.event for row in desk.world.rows(t.care_step)]


def test_a_complaint_is_registered_answered_and_confirmed_by_forms(desk: Desk) -> None:
    anna = desk.member("anna", "supervisor")
    form = anna.get("/cases/new").text
    assert "A late bill" in form
    assert "billing · bo" in form
    page = registered(
        anna, department="billing", wish=HOSTILE, promised="a corrected bill", by="18:30", product="Fibre"
    )
    case = only(desk, t.care_case)
    assert (case.kind, case.source, case.topic, case.severity, case.department) == (
        "complaint", "supervisor", "bill/late", 2, "billing",
    )  # fmt: skip
    assert (case.opened_by, case.product, case.promised) == ("anna", "Fibre", "a corrected bill")
    shown = anna.get(page).text
    assert "•••• 5601" in shown
    assert "1234-5601" not in shown
    assert "<script>alert(1)" not in shown
    revision = str(case.revision)
    assert anna.act(f"{page}/answer", revision=revision, words="Sent anew.").status_code == 303
    assert anna.act(f"{page}/confirm", revision=revision, how="call").status_code == 409  # it is another one by now
    revision = str(only(desk, t.care_case).revision)
    assert anna.act(f"{page}/confirm", revision=revision, how="call", words="yes").status_code == 303
    assert only(desk, t.care_case).state == "confirmed"
    assert "by telephone" in anna.get(page).text
    assert [row.action for row in desk.world.rows(t.audit) if row.action.startswith("case-")] == [
        "case-registered", "case-answered", "case-confirmed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"number": "12"}, "no telephone number"),
        ({"words": " "}, "Write down what it is"),
        ({"words": "x" * 2001}, "at most 2000"),
        ({"queue": "back"}, "Choose a queue of yours"),
        ({"queue": "nowhere"}, "Choose a queue of yours"),
        ({"topic": "gone"}, "no such topic"),
        ({"department": "gone"}, "no such department"),
        ({"by": "some day"}, "This is no time"),
        ({"by": "2026-11-01 10:00"}, "has passed"),
        ({"severity": "7"}, "severity is 1"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(desk: Desk, wrong: dict[str, str], says: str) -> None:
    answer = desk.member("anna", "supervisor").act(
        "/cases/new", **{"number": NUMBER, **SAID, "wish": "a ref<u>nd", **wrong}
    )
    assert answer.status_code == 422
    assert says in answer.text
    assert "a ref&lt;u&gt;nd" in answer.text
    assert desk.world.rows(t.care_case) == []
    assert desk.world.rows(t.person) == []


def test_a_number_that_may_not_be_asked_is_refused_with_the_reason(desk: Desk) -> None:
    anna = desk.member("anna", "supervisor")
    desk.world.hear(call("09012345601"))
    (row,) = desk.world.reservations()
    assert anna.act("/act/block", items=f"{row.id}:{row.revision}", why="asked", what="both").status_code in {200, 303}
    answer = anna.act("/cases/new", r=str(row.id), **SAID)
    assert (answer.status_code, "The number is blocked" in answer.text) == (422, True)


def test_of_a_callback_its_customer_and_one_of_the_calls(desk: Desk) -> None:
    anna = desk.member("anna", "supervisor")
    desk.world.hear(call("09012345601"))
    (row,), (loss,) = desk.world.reservations(), desk.world.rows(t.loss)
    form = anna.get(f"/cases/new?r={row.id}").text
    assert "•••• 5601" in form
    assert loss.call_id in form
    assert f"/cases/new?r={row.id}" in anna.get(f"/r/{row.id}").text
    anna.act("/cases/new", r=str(row.id), about=loss.call_id, **SAID)
    case = only(desk, t.care_case)
    assert (case.person_id, case.call_id) == (row.person_id, loss.call_id)
    assert f"/cases/{case.id}" in anna.get(f"/p/{row.id}").text
    cho = desk.member("cho", "supervisor", groups=frozenset({"sales"}))
    for path in (f"/cases/new?r={row.id}", f"/cases/{case.id}", "/cases/999999"):
        assert cho.get(path).status_code == 404
    for act in ("answer", "note", "reveal"):
        assert cho.act(f"/cases/{case.id}/{act}", words="x").status_code == 404
    assert f"/cases/{case.id}" not in cho.get("/cases").text


def test_a_text_is_judged_to_be_a_complaint_and_is_read_by_that(desk: Desk) -> None:
    anna = desk.member("anna", "supervisor")
    desk.world.hear(call("09012345601"))
    with desk.world.store.write() as connection:
        inbound = Inbound("main", "SM1", NUMBER, "", "this is a scandal, I want my money")
        replies.take(desk.world.work(connection, NOON), inbound)
    assert "/cases/new?answer=1" in anna.get("/answers").text
    assert "scandal" in anna.get("/cases/new?answer=1").text
    assert anna.act("/cases/new", answer="1", queue="support").status_code == 303
    case = only(desk, t.care_case)
    assert (case.source, case.answer_id, case.words) == ("text", 1, "this is a scandal, I want my money")
    assert only(desk, t.answer).state == "done"
    assert anna.get("/cases/new?answer=1").status_code == 404
    assert "/answers/1" in anna.get(f"/cases/{case.id}").text


def test_each_gives_what_the_role_may_give_and_an_agent_sees_the_own_cases_alone(desk: Desk) -> None:
    anna, bo, mei = (desk.member(*who) for who in (("anna", "supervisor"), ("bo", "manager"), ("mei", "agent")))
    theirs, own = registered(anna), registered(mei, topic="bill")
    assert [row.source for row in desk.world.rows(t.care_case)] == ["supervisor", "agent"]
    assert mei.get(theirs).status_code == 404
    assert mei.act(f"{theirs}/note", words="x").status_code == 404
    page = mei.get(own).text
    assert "A voucher" in page
    assert "A month free" not in page
    assert f"{own}/assign" not in page
    assert "Your role may not" in mei.act(f"{own}/compensate", compensation="month").text
    assert mei.act(f"{own}/compensate", compensation="voucher").status_code == 303
    assert bo.act(f"{theirs}/compensate", compensation="month").status_code == 303
    assert mei.act(f"{own}/assign", owner="mei").status_code == 422
    assert mei.act(f"{own}/reveal").status_code == 403
    assert own in mei.get("/me").text
    assert theirs not in mei.get("/me").text
    for path in ("/cases", "/flags", "/cases/new?answer=1", "/cases/new?r=1", "/cases/new?call=1.1"):
        assert mei.get(path).status_code in {403, 404}, path


def test_whatever_is_decided_fits_the_state_or_is_refused(desk: Desk) -> None:
    anna = desk.member("anna", "supervisor")
    page = registered(anna)
    assert anna.act(f"{page}/confirm", how="call").status_code == 409
    assert anna.act(f"{page}/confirm", how="smoke").status_code == 422
    assert anna.act(f"{page}/answer", words=" ").status_code == 422
    assert anna.act(f"{page}/nonsense").status_code == 404
    assert anna.act(f"{page}/assign", owner="bo", department="billing").status_code == 303
    assert anna.act(f"{page}/answer", words="done").status_code == 303
    assert anna.act(f"{page}/deny", how="person", words="still late").status_code == 303
    assert anna.act(f"{page}/withdraw", how="mail").status_code == 303
    assert anna.act(f"{page}/answer", words="too late").status_code == 409
    assert anna.act(f"{page}/note", words="called back all the same").status_code == 303
    case = only(desk, t.care_case)
    assert (case.state, case.owner, case.department) == ("withdrawn", "bo", "billing")
    assert steps(desk)[-1] == "noted"
    assert "No case is like that" in anna.get("/cases?mine=1").text
    assert page in anna.get("/cases?ended=1&topic=bill").text
    assert anna.get("/cases?state=nonsense").status_code == 422
    assert anna.get("/cases?after=nonsense").status_code == 422


def test_a_number_is_shown_in_full_when_asked_for_and_that_is_kept(desk: Desk) -> None:
    anna = desk.member("anna", "supervisor")
    page = registered(anna)
    assert NUMBER in anna.act(f"{page}/reveal").text
    (kept,) = [row for row in desk.world.rows(t.audit) if row.action == "reveal"]
    assert (kept.who, kept.facts) == ("anna", {"case": only(desk, t.care_case).id})


def test_a_customer_is_flagged_and_that_is_taken_back(desk: Desk) -> None:
    anna = desk.member("anna", "supervisor")
    desk.world.hear(call("09012345601"))
    (row,) = desk.world.reservations()
    flag = {"day": "2026-11-27", "queue": "support", "why": "the new tariff is there", "owner": "bo"}
    assert f"/flags?r={row.id}" in anna.get(f"/p/{row.id}").text
    assert anna.act("/flags", r=str(row.id), **flag).status_code == 303
    assert anna.act("/flags", number="090-9999-5602", **flag).status_code == 303
    again = anna.act("/flags", number=NUMBER, **flag)
    assert (again.status_code, "is flagged for that day already" in again.text) == (422, True)
    for wrong, says in (
        ({"day": "tomorrow"}, "Say on which day"),
        ({"day": "2026-11-01"}, "That day has passed"),
        ({"why": " "}, "Say why"),
        ({"queue": "back"}, "flags nobody"),
        ({"number": "1"}, "no telephone number"),
    ):
        refused = anna.act("/flags", **{"number": "09012345603", **flag, **wrong})
        assert (refused.status_code, says in refused.text) == (422, True), wrong
    listed = anna.get("/flags").text
    assert "Fri 27 Nov 2026" in listed
    assert "•••• 5602" in listed
    assert "the new tariff is there" in anna.get(f"/p/{row.id}").text
    cho = desk.member("cho", "supervisor", groups=frozenset({"sales"}))
    assert "5601" not in cho.get("/flags").text
    assert cho.act("/flags/1/cancel").status_code == 404
    assert anna.act("/flags/1/cancel").status_code == 303
    assert anna.act("/flags/1/cancel").status_code == 409
    assert "cancelled" in anna.get("/flags?over=1").text
    assert [row.state for row in desk.world.rows(t.contact_flag)] == ["cancelled", "waiting"]


def test_how_to_speak_with_a_customer_is_said_by_people_and_taken_away(desk: Desk) -> None:
    anna = desk.member("anna", "supervisor")
    desk.world.hear(call("09012345601"))
    (row,) = desk.world.reservations()
    assert "Choose one of the kinds" in anna.act(f"/p/{row.id}/manner", kind="nice").text
    assert anna.act(f"/p/{row.id}/manner", kind="demanding", note=f"exact times {HOSTILE}").status_code == 303
    page = anna.get(f"/p/{row.id}").text
    assert "Be exact" in page
    assert "<script>alert(1)" not in page
    assert desk.member("cho", "supervisor", groups=frozenset({"sales"})).act(f"/p/{row.id}/manner").status_code == 404
    assert desk.member("mei", "agent").act(f"/p/{row.id}/manner", kind="meek").status_code == 403
    assert anna.act(f"/p/{row.id}/manner/remove").status_code == 303
    assert desk.world.rows(t.care_note) == []


def test_every_page_of_care_speaks_each_language(desk: Desk) -> None:
    """Nothing English is left where a page shows a case with all that it may have."""
    anna = desk.member("anna", *ROLES)
    desk.world.hear(call("09012345601"))
    (row,) = desk.world.reservations()
    page = registered(anna, r=str(row.id), department="billing", words="慢", wish="快", promised="新", by="18:30")
    anna.act(f"{page}/answer", words="好")
    anna.act("/flags", r=str(row.id), day="2026-11-27", queue="support", why="新")
    known = {
        "support",
        "sales",
        "Fibre",
        "Bills",
        "late",
        "bill",
        "voucher",
        "month",
        "free",
        "anna",
        "billing",
        "Late",
    }
    for language in ("zh_Hans", "zh_Hant"):
        anna.cookies.set("language", language)
        for path in ("/cases", page, "/cases/new", "/flags"):
            main = anna.get(path).text.partition('<main id="main" tabindex="-1">')[2].partition("</main>")[0]
            said = re.sub(r"<[^>]*>|&\w+;", " ", main)
            assert set(re.findall(r"[A-Za-z]{3,}", said)) <= known, (path, language)
