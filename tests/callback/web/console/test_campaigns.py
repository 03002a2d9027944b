"""Pages of campaigns: made, built, started, stopped by one key, sampled, scored, and checked; in each language."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import update

from callback.campaigns import asking, waves
from callback.store import tables as t
from callback.web.console import words
from tests.callback.campaigns.told import WORDS, site
from tests.callback.web.console.clients import Browser, Desk, desk_of
from tests.callback.web.console.test_agent import AT_WORK, mei, reached, show
from tests.callback.world import MINUTE, NOON, ON, World, call

FORM = {
    "name": "Lines down", "queue": "support", "whom": "calls", "since": "2026-11-23T09:00", "until": "2026-11-23T13:00",
    "per_min": "600", "language": "en", "text": WORDS["en"],
}  # fmt: skip
FILE = b"number,segment\n080 1234 5678,fibre\n12,fibre\n"


@pytest.fixture
def desk(sqlite_world: World) -> Iterator[Desk]:
    sales = ON.model_copy(update={"group": "sales"})
    world = World(sqlite_world.store.url, site(queues={"support": site().queues["support"], "sales": sales}))
    for n in range(12):
        world.hear(call(f"090123456{n:02}", NOON - n * MINUTE), now=NOON - n * MINUTE)
    with desk_of(world) as made:
        yield made


def built(desk: Desk, **changes: str) -> tuple[Browser, int]:
    """A manager, and the campaign that the manager made and built."""
    bo = desk.member("bo", "manager")
    made = bo.act("/campaigns/new", **{**FORM, **changes})
    assert made.status_code == 303, made.text
    number = int(made.headers["location"].rpartition("/")[2])
    assert bo.act(f"/campaigns/{number}/build").status_code == 303
    return bo, number


def reserved(desk: Desk, now: int) -> None:
    with desk.world.store.write() as connection:
        asking.reserve_due(desk.world.work(connection, now))


def test_a_campaign_from_the_form_to_its_end(desk: Desk) -> None:
    bo, number = built(desk)
    page = bo.get(f"/campaigns/{number}").text
    for said in ("12 are still to be told", "12 texts to pay", "0:01", "Lines down", "0312345678", "GSM"):
        assert said in page, said
    assert "needs a reason" in bo.act(f"/campaigns/{number}/start").text
    assert bo.act(f"/campaigns/{number}/start", why="works").status_code == 303
    page = bo.get(f"/campaigns/{number}").text
    assert 'data-key="x"' in page
    assert f"/stream/campaign/{number}" in page
    with desk.world.store.write() as connection:
        waves.tend(desk.world.work(connection, NOON + 1_000_000))
    assert bo.act(f"/campaigns/{number}/stop").status_code == 303
    page = bo.get(f"/campaigns/{number}").text
    assert "stopped: 0 of 12 told" in page
    assert "What they answered" in page
    assert bo.act(f"/campaigns/{number}/callers", hours="4").status_code == 303
    assert "Those who call are told until 16:00." in bo.get(f"/campaigns/{number}").text
    assert bo.act(f"/campaigns/{number}/finish", why="mistake").status_code == 303
    assert "cannot be started" in bo.act(f"/campaigns/{number}/start", why="works").text
    assert "Lines down" in bo.get("/campaigns").text
    acts = [row.action for row in desk.world.rows(t.audit) if row.action.startswith("campaign")]
    assert acts == [f"campaign-{did}" for did in ("made", "built", "started", "stopped", "hook", "finished")]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": " "}, "give the campaign a name"),
        ({"since": ""}, "from when until when"),
        ({"since": "2026-11-23T14:00"}, "from before until"),
        ({"per_min": "many"}, "texts a minute"),
        ({"text": "Call {nobody}"}, "{nobody} is unknown"),
        ({"queue": "sales"}, "campaigns are off in sales"),
        ({"kinds": "served"}, "no such kind"),
    ],
)
def test_a_form_that_cannot_be_is_shown_again_with_what_is_wrong(desk: Desk, wrong: dict[str, str], said: str) -> None:
    bo = desk.member("bo", "manager")
    answer = bo.act("/campaigns/new", **{**FORM, **wrong})
    assert answer.status_code == 422
    assert said in answer.text
    assert (wrong.get("text") or WORDS["en"])[:20] in answer.text  # nothing that was written is lost
    assert not desk.world.rows(t.campaign)


def test_people_of_a_file_and_the_lines_that_were_refused(desk: Desk) -> None:
    bo, number = built(desk)
    answer = bo.post(
        f"/campaigns/{number}/numbers", data={"csrf": bo.csrf()}, files={"file": ("numbers.csv", FILE, "text/csv")}
    )
    assert "1 people are new in the audience" in answer.text
    assert "1 lines were refused" in answer.text
    assert "line 3" in answer.text
    assert "draft" in bo.get(f"/campaigns/{number}").text  # it has to be built again
    wrong = bo.post(
        f"/campaigns/{number}/numbers", data={"csrf": bo.csrf()}, files={"file": ("a.csv", b"x", "text/csv")}
    )
    assert wrong.status_code == 422
    assert "must name its columns" in wrong.text
    assert bo.act(f"/campaigns/{number}/change", **{**FORM, "name": "Lines up"}).status_code == 303
    assert "Lines up" in bo.get(f"/campaigns/{number}/change").text


def test_a_sample_is_drawn_called_scored_and_shown(desk: Desk) -> None:
    bo, number = built(desk)
    assert "write whole numbers" in bo.act(f"/campaigns/{number}/sample", size="ten").text
    drawn = bo.act(f"/campaigns/{number}/sample", size="6", seed="42", days="1")
    assert drawn.headers["location"] == f"/campaigns/{number}/sample/0"
    reserved(desk, NOON + 10 * 60 * MINUTE)
    with desk.world.store.write() as connection:
        mine = t.reservation.c.kind == "follow-up"
        connection.execute(update(t.reservation).where(mine).values(state="reached", open=False))
    anna = desk.member("anna", "supervisor")
    page = anna.get(f"/campaigns/{number}/sample/0").text
    people = re.findall(rf'action="(/campaigns/{number}/sample/0/\d+)"', page)
    assert len(people) == 6
    for path, said in zip(people, ("9", "10", "8", "refused", "10"), strict=False):
        assert anna.act(path, said=said).status_code == 303
    assert "choose a score" in anna.act(people[5], said="11x").text
    assert anna.act(f"/campaigns/{number}/sample/0/9999", said="5").status_code == 404
    page = bo.get(f"/campaigns/{number}/sample").text
    for said in ("<b>9.25</b>", "[8.01; 10.00]", "4 valid answers of 6 drawn from 12", "seed 42", "would not say 1"):
        assert said in page, said
    assert bo.act(f"/campaigns/{number}/sample", size="6").status_code == 303
    assert bo.act(f"/campaigns/{number}/sample/1/call-off").status_code == 303
    assert "was called off 6" in bo.get(f"/campaigns/{number}/sample").text
    mei = desk.member("mei", "agent")
    row = next(one for one in desk.world.rows(t.campaign_asked) if one.state == "called")
    assert mei.get(f"/campaigns/{number}").status_code == 403
    assert "What did the customer say?" in mei.get(f"/asked/{row.reservation_id}").text
    assert mei.act(f"/asked/{row.reservation_id}", said="7").status_code == 303
    assert "Kept: <b>7</b>" in mei.get(f"/asked/{row.reservation_id}").text
    assert mei.get("/asked/1").status_code == 404  # the callback of a lost caller asks nothing


def test_an_agent_who_called_for_a_sample_is_led_to_the_score(desk: Desk) -> None:
    _, number = built(desk)
    browser = mei(desk)
    reached(desk.world)
    show(desk.world, AT_WORK)
    assert "/asked/" not in browser.get("/me").text
    with desk.world.store.write() as connection:
        theirs = t.reservation.c.state == "reached"
        as_sample = update(t.reservation).where(theirs).values(kind="follow-up", apart=f"sample/{number}/0")
        row = connection.execute(as_sample.returning(t.reservation.c.id)).scalar_one()
    assert f"/asked/{row}" in browser.get("/me").text


def test_the_checklist_in_each_language(desk: Desk) -> None:
    bo, number = built(desk)
    sent = bo.act(f"/campaigns/{number}/checklist", line="speed", owner="Ann", done="1", note="texts by noon")
    assert sent.status_code == 303
    for language in words.LANGUAGES:
        bo.cookies.set("language", language)
        page = bo.get(f"/campaigns/{number}/checklist").text
        for said in ("Ann", "texts by noon", words.say(language, "five-s", "speed")):
            assert said in page, (language, said)
    assert bo.act(f"/campaigns/{number}/checklist", line="luck").status_code == 422


def test_another_group_s_campaign_is_nowhere(desk: Desk) -> None:
    _, number = built(desk)
    zoe = desk.member("zoe", "manager", groups=frozenset({"sales"}))
    assert "Lines down" not in zoe.get("/campaigns").text
    for path in (f"/campaigns/{number}", f"/campaigns/{number}/sample", f"/campaigns/{number}/checklist"):
        assert zoe.get(path).status_code == 404, path
    for path in ("start", "stop", "build", "callers", "sample", "checklist"):
        assert zoe.act(f"/campaigns/{number}/{path}", why="works").status_code == 404, path
    assert desk.world.rows(t.campaign)[0].state == "ready"


def test_an_auditor_looks_and_does_nothing(desk: Desk) -> None:
    _, number = built(desk)
    chen = desk.member("chen", "auditor")
    page = chen.get(f"/campaigns/{number}").text
    assert "12 are still to be told" in page
    assert f"/campaigns/{number}/start" not in page
    assert chen.act(f"/campaigns/{number}/stop").status_code == 403
