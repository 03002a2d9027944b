"""The page of answers: one text is open, an act about it opens the next, and all of it is taken back together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from callback.decisions import actions, batch
from callback.decisions.records import Action, Asked
from callback.store import tables as t
from callback.store.audit import By
from sms.outbox import text_outbox
from tests.callback.world import MINUTE, US
from tests.console import seeded
from tests.console.centre import HOSTILE, NOW, Centre
from tests.console.seeded import today
from tests.console.served import Served, serve
from tests.console.visitor import Answer, Visitor


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    made = seeded.fresh(tmp_path)
    yield made
    made.world.close()


@pytest.fixture
def console(centre: Centre) -> Iterator[Served]:
    with serve(centre.world, NOW) as one:
        yield one


def letters(centre: Centre) -> dict[str, str]:
    """The state of each text, by the name of its reservation."""
    names = {number: name for name, number in centre.reservation.items()}
    return {names[row.reservation_id]: row.state for row in centre.world.rows(t.answer)}


def number(centre: Centre, name: str) -> int:
    rows = centre.world.rows(t.answer)
    found: int = next(row.id for row in rows if row.reservation_id == centre.reservation[name])
    return found


def items(centre: Centre, name: str) -> str:
    row = next(one for one in centre.world.reservations() if one.id == centre.reservation[name])
    return f"{row.id}:{row.revision}"


def decided(centre: Centre, now: int, action: Action, name: str) -> int | None:
    """Decide about a reservation, as somebody else; give the batch."""
    row = next(one for one in centre.world.reservations() if one.id == centre.reservation[name])
    with centre.world.store.write() as connection:
        work = centre.world.work(connection, now)
        return batch.decide(work, action, [Asked(row.id, row.revision)], By("Bo", "asked")).id


def undone(anna: Visitor, answer: Answer) -> Answer:
    found = re.search(r'action="(/answers/\d+/undo)"', answer.html)
    assert found is not None
    return anna.post(found[1])


def test_the_oldest_is_open_with_what_it_answers_and_the_time_that_it_means(console: Served) -> None:
    html = Visitor(console).get("/answers").html
    for told in ("请下午三点后再打给我 谢谢", 'name="at" value="15:00"', "not understood", "promised by 14:20"):
        assert told in html
    assert html.count('<td data-label="what it says"') == 4


def test_what_strangers_write_is_shown_as_text(console: Served, centre: Centre) -> None:
    for name, body in (("window", HOSTILE[0]), ("late-tried", HOSTILE[1]), ("aim-china", HOSTILE[3])):
        html = Visitor(console).get(f"/answers/{number(centre, name)}").html
        assert body not in html
        assert "<img" not in html
        assert "<script>alert" not in html


def test_the_time_is_chosen_and_the_next_one_opens(console: Served, centre: Centre) -> None:
    anna = Visitor(console)
    answer = anna.post(f"/answers/{number(centre, 'aim')}/slot", items=items(centre, "aim"), at="15:00")
    assert answer.status == 200
    assert "the time is chosen" in answer.html
    assert "&lt;img" in answer.html, "the next one"
    (row,) = (one for one in centre.world.reservations() if one.id == centre.reservation["aim"])
    assert row.slot_at == today("15:00")
    assert letters(centre)["aim"] == "done"
    assert undone(anna, answer).status == 200
    (row,) = (one for one in centre.world.reservations() if one.id == centre.reservation["aim"])
    assert (row.slot_at, letters(centre)["aim"]) == (None, "open")
    assert [one.action for one in centre.world.rows(t.audit)][-4:] == ["slot", "answer-done", "undone", "answer-open"]


@pytest.mark.parametrize("way", ["done", "call-now", "block"])
def test_each_act_reads_it_and_is_taken_back(console: Served, centre: Centre, way: str) -> None:
    anna = Visitor(console)
    answer = anna.post(f"/answers/{number(centre, 'window')}/{way}", items=items(centre, "window"))
    assert (answer.status, letters(centre)["window"]) == (200, "done")
    assert undone(anna, answer).status == 200
    assert letters(centre)["window"] == "open"


@pytest.mark.parametrize("said", ["", "other"])
def test_what_is_taken_back_is_what_was_done_about_the_text_whatever_a_form_says(
    console: Served, centre: Centre, said: str
) -> None:
    anna, path = Visitor(console), f"/answers/{number(centre, 'window')}"
    anna.post(f"{path}/call-now", items=items(centre, "window"))
    other = decided(centre, console.now, "hold", "aim")
    assert anna.post(f"{path}/undo", batch=str(other) if said else "").status == 200
    states = {one.id: one.state for one in centre.world.reservations()}
    assert states[centre.reservation["aim"]] == "held"
    batches = [(row.action, row.undone_by is not None) for row in centre.world.rows(t.batch)][-2:]
    assert batches == [("call-now", True), ("hold", False)]


def test_a_text_stays_read_where_its_reservation_cannot_be_put_back(console: Served, centre: Centre) -> None:
    anna, path = Visitor(console), f"/answers/{number(centre, 'window')}"
    anna.post(f"{path}/call-now", items=items(centre, "window"))
    decided(centre, console.now + US, "hold", "window")
    console.now += 2 * US
    assert anna.post(f"{path}/undo").status == 409
    assert letters(centre)["window"] == "done"
    assert [one.action for one in centre.world.rows(t.audit)][-1] == "held"


def test_a_reply_leaves_when_it_cannot_be_taken_back(console: Served, centre: Centre) -> None:
    anna, path = Visitor(console), f"/answers/{number(centre, 'aim')}/reply"
    assert anna.post(path, template="lost").status == 422
    answer = anna.post(path, template="answer-held")
    text = centre.world.rows(text_outbox)[-1]
    assert (text.template, text.state, text.not_before_at) == ("answer-held", "waiting", NOW + 15 * US)
    undone(anna, answer)
    assert centre.world.rows(text_outbox)[-1].state == "withdrawn"
    console.now += US
    anna.post(path, template="answer-held")
    assert centre.world.rows(text_outbox)[-1].state == "waiting"


def test_after_15_seconds_it_stays_read_and_others_are_told_who_was_quicker(console: Served, centre: Centre) -> None:
    anna, path = Visitor(console), f"/answers/{number(centre, 'aim')}"
    answer = anna.post(f"{path}/done")
    assert anna.post(f"{path}/done").status == 409
    console.now += 15 * US
    assert undone(anna, answer).status == 409
    assert letters(centre)["aim"] == "done"


def test_one_of_a_closed_reservation_is_read_without_an_act(console: Served, centre: Centre) -> None:
    centre.decide(NOW, actions.cancel, "aim", By("Bo", "asked"))
    anna, path = Visitor(console), f"/answers/{number(centre, 'aim')}"
    html = anna.get(path).html
    assert 'data-key="s"' not in html
    assert "cancelled" in html
    assert anna.post(f"{path}/slot", items=items(centre, "aim"), at="15:00").status == 409
    assert letters(centre)["aim"] == "open"
    assert anna.post(f"{path}/done").status == 200


def test_one_about_no_reservation_is_seen_by_who_sees_all_groups(console: Served, centre: Centre) -> None:
    centre.number["nobody"] = "+819099998888"
    centre.write_us("nobody", NOW - 5 * MINUTE, "who are you?")
    newest = centre.world.rows(t.answer)[-1].id
    anna = Visitor(console)
    assert "who are you?" in anna.get("/answers").html
    assert anna.post(f"/answers/{newest}/slot", items=items(centre, "aim"), at="15:00").status == 422
    console.groups["supervisor"] = frozenset({"support"})
    assert "who are you?" not in anna.get("/answers").html
    assert anna.post(f"/answers/{newest}/done").status == 404
    console.groups.clear()
    assert anna.post(f"/answers/{newest}/done").status == 200


def test_one_of_another_group_is_like_one_that_there_is_not(console: Served, centre: Centre) -> None:
    console.groups["supervisor"] = frozenset({"sales"})
    anna, theirs = Visitor(console), number(centre, "aim")
    assert anna.get(f"/answers/{theirs}").html == anna.get("/answers/999").html
    assert anna.post(f"/answers/{theirs}/done").status == 404
    assert "080-3333" not in anna.get("/answers").html
    assert "INSTEAD" in anna.get("/answers").html


def test_a_form_that_lacks_something_says_so_and_loses_nothing(console: Served, centre: Centre) -> None:
    anna, path = Visitor(console), f"/answers/{number(centre, 'aim')}"
    for fields in ({"at": ""}, {"at": "soon"}):
        answer = anna.post(f"{path}/slot", items=items(centre, "aim"), **fields)
        assert (answer.status, "请下午三点后再打给我" in answer.html) == (422, True)
    assert anna.post(f"{path}/burn").status == 404
    assert letters(centre)["aim"] == "open"


def test_when_all_is_read_it_says_so(console: Served, centre: Centre) -> None:
    anna = Visitor(console)
    for one in ("aim", "window", "late-tried", "window-sales", "aim-china"):
        answer = anna.post(f"/answers/{number(centre, one)}/done")
    assert "All is read" in answer.html
