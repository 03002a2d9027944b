"""How to speak with a customer: people say it, nobody else is told, and it goes with the customer."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

import callback
import sms
from callback.care.advice import COMPLAINERS, LANGUAGES, Complainer, advice
from callback.care.customer_notes import CustomerNote, read
from callback.customers import persons
from callback.decisions.actions import NoSuchPerson
from callback.decisions.care import customer_notes
from callback.decisions.care.customer_notes import BadNote
from callback.store import audit
from callback.store import tables as t
from callback.store.audit import By
from callback.web.console.words import TAGS
from tests.callback.world import MINUTE, NOON, World, fed

ANNA, BO = By("anna", "talked with the customer"), By("bo", "not so any more")


def known(world: World) -> int:
    with world.store.write() as connection:
        return persons.person_of(connection, "+819012345678", NOON)


def put(world: World, person: int, kind: str = "meek", note: str = "speaks softly", by: By = ANNA) -> None:
    with world.store.write() as connection:
        customer_notes.put(world.work(connection, NOON), person, kind, note, by)


def notes(world: World, *people: int) -> dict[int, CustomerNote]:
    with world.store.read() as connection:
        return read(connection, people)


def test_one_note_for_each_customer_and_the_last_one_stands(world: World) -> None:
    person = known(world)
    assert notes(world, person) == notes(world) == {}
    put(world, person)
    put(world, person, "chronic", " wants\nthe same  person ", BO)
    assert notes(world, person) == {person: CustomerNote("chronic", "wants the same person", "bo", NOON)}
    with world.store.write() as connection:
        work = world.work(connection, NOON + MINUTE)
        assert customer_notes.remove(work, person, BO)
        assert not customer_notes.remove(work, person, BO), "it is gone already"
    assert notes(world, person) == {}


def test_the_audit_knows_who_said_which_kind_and_no_word_of_the_note(world: World) -> None:
    person = known(world)
    put(world, person, note="always asks for 09012345678, the boss")
    assert "09012345678" not in notes(world, person)[person].note, "a number is masked"
    with world.store.write() as connection:
        customer_notes.remove(world.work(connection, NOON), person, BO)
        assert audit.broken_at(connection) is None
    rows = world.rows(t.audit)
    assert [(row.action, row.who, row.facts) for row in rows] == [
        ("customer-noted", "anna", {"person": person, "kind": "meek"}),
        ("customer-note-removed", "bo", {"person": person}),
    ]
    assert "boss" not in repr(rows) + repr(fed(world.store))


def test_what_cannot_be_kept_is_refused_and_changes_nothing(world: World) -> None:
    person = known(world)
    put(world, person)
    for kind, note, why in (("angry", "", "is no kind: write one of meek"), ("meek", "x" * 401, "at most 400")):
        with pytest.raises(BadNote, match=why):
            put(world, person, kind, note)
    with pytest.raises(NoSuchPerson):
        put(world, person + 1)
    with world.store.write() as connection:
        persons.forget(connection, person)
    with pytest.raises(NoSuchPerson):
        put(world, person)
    assert notes(world, person)[person].note == "speaks softly"


def test_there_is_advice_for_each_kind_in_each_language() -> None:
    assert set(LANGUAGES) == set(TAGS.values())
    assert set(get_args(Complainer)) == set(t.COMPLAINERS)
    for language in LANGUAGES:
        told = [advice(kind, language) for kind in COMPLAINERS]
        assert all(one.title and one.does and one.avoid for one in told)
        assert len({one.does for one in told}) == len(COMPLAINERS)


def test_nothing_that_writes_to_customers_knows_notes_or_advice() -> None:
    """Who composes, renders or sends a text imports neither, nor names their table; and no template has a place."""
    root = Path(callback.__file__).parent
    writers = [
        *Path(sms.__file__).parent.rglob("*.*"),
        *(root / "texts").rglob("*.py"),
        *(root / "campaigns").rglob("*.py"),
    ]
    writers += [root / "site" / "templates.py", *(root / "web" / "customer_page").rglob("*")]
    read_any = [path for path in writers if path.is_file() and path.suffix in {".py", ".toml", ".html"}]
    assert len(read_any) > 20
    knows = [
        path
        for path in read_any
        if any(word in path.read_text() for word in ("care_note", "customer_notes", "care.advice"))
    ]
    assert knows == []


def test_nobody_but_people_sets_one() -> None:
    """Only decisions write the table, and only what people work with calls that decision."""
    root = Path(callback.__file__).parent
    users = {
        str(path.relative_to(root).parent)
        for path in root.rglob("*.py")
        if "decisions.care import customer_notes" in path.read_text() or "insert(t.care_note" in path.read_text()
    }
    assert {"decisions/care"} <= users
    assert not {user for user in users if not user.startswith(("decisions/care", "web/console", "cli"))}
