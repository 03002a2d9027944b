"""After an erasure the number is in no byte of the database's files, in whatever form it was written."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text

from callback.decisions import actions
from callback.operations.backup import taking
from callback.store import tables as t
from callback.store.audit import By
from callback.store.engine import Store
from lab import postgres
from tests.callback.care.told import all_about
from tests.callback.world import NOON, US, World, call

NUMBER = "+819087123456"
FORMS = (b"+819087123456", b"819087123456", b"09087123456", b"9087123456")
BY = By("anna", "the customer asked for it")


SAYS = f"ring {NUMBER} or 090-8712-3456 (09087123456)"
OF_WORDS = "person text_outbox answer care_case care_step care_letter care_note contact_flag unread_number"
"""Tables that docs/privacy.md names: in them stands what somebody said."""


def live_a_little(world: World) -> None:
    """Somebody is lost, texted and called back, complains, writes, and is erased; others are there before and after."""
    for number in range(40):
        world.hear(call(f"0901111{number:04}", ended_at=NOON + number * US))
    world.hear(call("09087123456", ended_at=NOON + 50 * US))
    for number in range(40, 80):
        world.hear(call(f"0901111{number:04}", ended_at=NOON + (20 + number) * US))
    with world.store.write() as connection:
        person = connection.execute(t.person.select().where(t.person.c.number == NUMBER)).one().id
        said = {"pbx": "main", "account": "a", "sid": "1", "person_id": person, "received_at": NOON, "wish": "other"}
        connection.execute(insert(t.answer).values(**said, body="ring 09087123456, not the other", state="done"))
        connection.execute(
            text("UPDATE text_outbox SET body = 'we call +819087123456' WHERE person = :whose"),
            {"whose": f"person/{person}"},
        )
    all_about(world, NUMBER, SAYS, NOON + 60 * US)


def erase(store: Store, world: World) -> None:
    with store.write() as connection:
        actions.erase(world.work(connection, NOON + 3600 * US), NUMBER, BY)
    store.forget_overwritten()


def found_in(folder: Path) -> Iterator[str]:
    """The files in which any form of the number stands."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and any(form in path.read_bytes() for form in FORMS):
            yield str(path.relative_to(folder))


def test_sqlite_keeps_no_byte_of_it(tmp_path: Path) -> None:
    (tmp_path / "db").mkdir()
    world = World(f"sqlite:///{tmp_path / 'db' / 'lost-calls.db'}")
    live_a_little(world)
    assert list(found_in(tmp_path / "db")), "it was there"
    erase(world.store, world)
    assert list(found_in(tmp_path / "db")) == []
    taking.take(world.store, tmp_path / "after.lcr")
    assert not any(form in gzip.decompress((tmp_path / "after.lcr").read_bytes()) for form in FORMS)
    world.close()


@pytest.mark.postgresql
def test_postgresql_keeps_none_in_its_tables_once_they_were_rewritten(postgres_server: postgres.Server) -> None:
    """What docs/privacy.md says: dead rows stay until VACUUM FULL, its log until that is recycled."""
    world = World(postgres_server.create("erased"))
    live_a_little(world)
    data = postgres_server.folder / "data"
    _do(world.store, "CHECKPOINT")
    before = set(found_in(data))
    assert any(name.startswith("base/") for name in before), "it was there"
    erase(world.store, world)
    _do(world.store, *(f"VACUUM FULL {table}" for table in OF_WORDS.split()), "CHECKPOINT")
    after = set(found_in(data))
    assert [name for name in after if not name.startswith("pg_wal/")] == []
    world.close()


def _do(store: Store, *statements: str) -> None:
    connection: Any
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for one in statements:
            connection.exec_driver_sql(one)
