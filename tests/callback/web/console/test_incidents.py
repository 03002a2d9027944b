"""The page of incidents: what is open, what letting go would do, and the two decisions, each undone for 15 seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from callback.store import tables as t
from callback.store.audit import By
from tests.callback.world import US
from tests.console import seeded
from tests.console.centre import NOW, Centre
from tests.console.served import Served, serve
from tests.console.visitor import Visitor


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    made = seeded.fresh(tmp_path)
    yield made
    made.world.close()


@pytest.fixture
def console(centre: Centre) -> Iterator[Served]:
    with serve(centre.world, NOW) as one:
        yield one


def test_the_list_says_the_cause_in_words_and_what_is_held(console: Served) -> None:
    html = Visitor(console).get("/incidents").html
    for told in ("<bdi>billing</bdi>: the line broke", "0 of 8", "10 a minute", "holds all of them"):
        assert told in html
    assert 'href="/queue?incident=1">8<' in html


def test_what_letting_go_would_do_stands_there_before_anybody_decides(console: Served, centre: Centre) -> None:
    html = Visitor(console).get("/incidents/1").html
    for told in ("8 callbacks are made", "the last is called ~13:", "2 texts leave"):
        assert told in html
    assert centre.world.rows(t.incident)[0].state == "holding"


def test_released_and_taken_back(console: Served, centre: Centre) -> None:
    anna = Visitor(console)
    answer = anna.post("/incidents/1/release")
    assert (answer.status, "Released" in answer.html) == (200, True)
    assert centre.world.rows(t.incident)[0].state == "released"
    (batch,) = centre.world.rows(t.batch)[-1:]
    answer = anna.post("/incidents/1/undo", batch=str(batch.id))
    assert (answer.status, "Taken back" in answer.html) == (200, True)
    assert centre.world.rows(t.incident)[0].state == "holding"
    assert anna.post("/incidents/1/undo", batch=str(batch.id)).status == 409
    console.now += 16 * US
    assert anna.post("/incidents/1/undo", batch="12345").status == 404


def test_it_is_dropped_with_a_reason_alone(console: Served, centre: Centre) -> None:
    anna = Visitor(console)
    answer = anna.post("/incidents/1/drop")
    assert (answer.status, "needs a reason" in answer.html or "Say why" in answer.html) == (422, True)
    assert anna.post("/incidents/1/drop", why="mistake").status == 200
    row = centre.world.rows(t.audit)[-1]
    assert (row.action, By(row.who, row.why)) == ("incident-dropped", By("Anna", "it was a mistake"))


def test_one_of_another_group_is_like_one_that_there_is_not(console: Served) -> None:
    console.groups["supervisor"] = frozenset({"sales"})
    anna = Visitor(console)
    theirs, none = anna.get("/incidents/1"), anna.get("/incidents/77")
    assert (theirs.status, none.status) == (404, 404)
    assert anna.post("/incidents/1/release").status == anna.post("/incidents/77/release").status == 404
    assert "billing" not in anna.get("/incidents").html
    assert anna.post("/incidents/1/burn").status == 404
