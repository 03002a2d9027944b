"""A backup holds every row as it was, of either database, and a database is made of it again: all of it or nothing."""

from __future__ import annotations

import gzip
import itertools
import json
import socket
import stat
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, inspect, select, text, update

from callback.attempts import snapshot
from callback.care import links
from callback.errors import CallbackError, StoreError
from callback.operations.backup import form, proving, restoring, taking
from callback.operations.backup.form import DamagedBackup, KeptFile
from callback.operations.backup.restoring import Wanted
from callback.site.tokens import NoSuchLink
from callback.store import audit, keys, lease, restored, schema
from callback.store import tables as t
from callback.store.audit import By
from callback.store.engine import Store
from callback.store.outside import Outside
from callback.texts import compose
from lab import postgres
from scheduler.clock import DAY
from sms import outbox
from sms.outbox import text_outbox
from tests.callback.care.told import all_about
from tests.callback.decisions.care.centre import at_work, registered, takes_cases
from tests.callback.store.test_schema_upgrades import fill
from tests.callback.world import MINUTE, NOON, World, call, migrated, picture
from tests.databases import BOTH

BY = By("root", "a test")
WANTED = Wanted(BY, NOON)
_numbers = itertools.count(1)
OF_CARE = {
    *("survey", "care_case", "care_step", "care_letter", "care_note", "contact_flag"),
    *("campaign", "campaign_person", "campaign_asked"),
}
OF_ITS_OWN = {"login_session", "lease", "alembic_version"}
"""Tables that are not as they were."""


@pytest.fixture(params=BOTH)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of another database, empty, of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'restored.db'}"
    server: postgres.Server = request.getfixturevalue("postgres_server")
    return server.create(f"restored_{next(_numbers)}")


@pytest.fixture
def one(tmp_path: Path) -> Path:
    """The file of a backup of an SQLite database with a little in it."""
    world = World(f"sqlite:///{tmp_path / 'small.db'}")
    world.hear(call())
    path = tmp_path / "small.lcr"
    taking.take(world.store, path)
    world.close()
    return path


def everything(store: Store) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables, in one form for both databases."""
    with store.read() as connection:
        rows = {
            table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
            for metadata in (t.metadata, text_outbox.metadata)
            for table in metadata.sorted_tables
        }
    return {name: sorted(found, key=repr) for name, found in rows.items()}


@pytest.mark.parametrize("way", ["out of SQLite", pytest.param("into SQLite", marks=pytest.mark.postgresql)])
def test_what_is_restored_is_what_was_there(request: pytest.FixtureRequest, tmp_path: Path, way: str) -> None:
    """From SQLite into PostgreSQL, and from PostgreSQL into SQLite."""
    sqlite = f"sqlite:///{tmp_path / 'one.db'}"
    source = sqlite if way == "out of SQLite" else request.getfixturevalue("migrated_postgres")[0]
    target = sqlite if way == "into SQLite" else request.getfixturevalue("postgres_server").create("of_sqlite")
    world = World(source)
    for number in range(3):
        world.hear(call(f"0901234567{number}"))
    with world.store.write() as connection:
        connection.execute(insert(t.crew).values(pbx="main", queue="ünïcode\n", half_hour_at=1, agents=["a", None, 2]))
    before = everything(world.store)
    path = tmp_path / "all.lcr"
    taken = taking.take(world.store, path, [KeptFile("settings", "callback.toml", "[pbx]\n")])
    world.close()

    assert taken.head.tables["reservation"] == 3
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert proving.prove(path).files == (("settings", "callback.toml"),)
    store = Store(target)
    restoring.restore(store, path, WANTED)
    after = everything(store)
    for name in (
        before.keys() - OF_ITS_OWN - {"audit", "audit_head", "happened", "restored", "rollup_mark", "text_outbox"}
    ):
        assert after[name] == before[name], name
    assert [row for row in after["happened"] if row["name"] != "restored"] == before["happened"]
    with store.read() as connection:
        assert schema.revision_of(connection) == schema.newest()
        assert audit.broken_at(connection) is None
        assert not inspect(connection).has_table("nothing")
    store.close()


def test_care_and_campaigns_come_back_but_a_campaign_that_ran_is_stopped(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whom it told after the backup was made, nobody knows; and before that is compared, nobody is texted at all."""
    monkeypatch.setattr(socket, "gethostname", lambda: "here")
    world = World(f"sqlite:///{tmp_path / 'old.db'}")
    all_about(world, "+819012345678", "hello")
    before = everything(world.store)
    taking.take(world.store, tmp_path / "old.lcr")
    world.close()
    store = migrated_from(tmp_path / "old.lcr", target)
    after = everything(store)
    told = [table.name for table in t.metadata.sorted_tables if before[table.name] and table.name in OF_CARE]
    assert set(told) == OF_CARE, "each of them has rows"
    for name in OF_CARE - {"campaign"}:
        assert after[name] == before[name], name
    assert [row["state"] for row in before["campaign"]] == ["running"]
    assert [row["state"] for row in after["campaign"]] == ["stopped"]
    again = World(target)
    told_since = {"cause": "confirm/2/1", "pbx": "main", "recipient": "case/2", "template": "x", "language": "en"}
    new = outbox.NewText(**told_since, body="hello", not_before_at=NOON, expires_at=NOON + 60 * MINUTE)
    with again.store.write() as connection:
        assert outbox.put(connection, new, NOON)
        compose.hold_back(again.work(connection, NOON), ())
        assert outbox.claim(connection, NOON, 10, 60.0, "a gateway") == []
    again.close()
    store.close()


def test_a_backup_of_an_earlier_schema_is_restored_by_this_version(tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path / 'restored.db'}"
    old = Store(f"sqlite:///{tmp_path / 'old.db'}")
    schema.migrate(old, "0016")
    with old.write() as connection:
        rows = fill(connection)
        connection.execute(text("DELETE FROM audit"))
        connection.execute(text("DELETE FROM audit_head"))
        connection.execute(text("UPDATE lease SET until_at = 0"))
        connection.execute(text(f"UPDATE site_key SET root = '{'ab' * 32}'"))  # noqa: S608
    taking.take(old, tmp_path / "old.lcr")
    old.close()
    store = Store(target)
    restoring.restore(store, tmp_path / "old.lcr", WANTED)
    with store.read() as connection:
        assert schema.revision_of(connection) == schema.newest()
        assert connection.execute(select(t.person.c.number)).scalar_one() == rows["person"]["number"]
        assert connection.execute(select(t.attempt.c.outcome)).scalar_one() == "no-answer"
    store.close()


def test_a_service_works_on_meanwhile_and_the_backup_is_of_one_moment(
    migrated_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call is lost while tables are read: its rows are in none of them, though some are read after it."""
    world = World(migrated_url)
    world.hear(call("09012345670"))
    tables = taking._rows  # noqa: SLF001 - what reads them

    def interrupted(connection: Any, columns: form.Columns) -> Any:
        if columns.table == "call":
            world.hear(call("09012345671"))
        return tables(connection, columns)

    monkeypatch.setattr(taking, "_rows", interrupted)
    taken = taking.take(world.store, tmp_path / "one.lcr")
    assert taken.head.tables["reservation"] == 1
    with form.opened(tmp_path / "one.lcr") as (_, items):
        rows = {one.columns.table: len(one.rows) for one in items if isinstance(one, form.Rows)}
    assert (rows["reservation"], rows["loss"], rows["call"], rows["person"]) == (1, 1, 1, 1)
    assert len(everything(world.store)["reservation"]) == 2
    world.close()


def test_numbers_go_on_behind_those_that_were_given_away_since_and_texts_may_have_left(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link in a text that left after the backup opens nobody else's reservation."""
    monkeypatch.setattr(socket, "gethostname", lambda: "here")
    world = World(f"sqlite:///{tmp_path / 'old.db'}")
    world.hear(call())
    place = len(everything(world.store)["happened"])
    taking.take(world.store, tmp_path / "old.lcr")
    world.close()
    restored = migrated_from(tmp_path / "old.lcr", target)
    assert {row["state"] for row in everything(restored)["text_outbox"] if row["recipient"]} == {"unknown"}
    again = World(target)
    again.hear(call("09087654321"))
    again.hear(call("09087654322"))
    rows = everything(again.store)
    assert [row["id"] for row in rows["reservation"]] == [1, 2 + restoring.ROOM, 3 + restoring.ROOM]
    assert all(row["id"] > place + 1_000_000 for row in rows["happened"] if row["reservation_id"] not in {None, 1})
    assert max(row["id"] for row in rows["text_outbox"]) > restoring.ROOM
    again.close()
    restored.close()


def test_a_departments_link_that_left_after_the_backup_opens_no_case_of_somebody_else(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "here")
    world = World(f"sqlite:///{tmp_path / 'old.db'}", takes_cases())
    world.hear(call())
    taking.take(world.store, tmp_path / "old.lcr")
    lost = registered(world, department="billing").case
    with at_work(world) as work:
        token = links.token(work.connection, lost, "billing", NOON + DAY)
        assert links.opened(work, token).id == lost
    world.close()
    restored = migrated_from(tmp_path / "old.lcr", target)
    again = World(target, takes_cases())
    assert registered(again, number="+819087654321", department="billing").case > restoring.ROOM
    with at_work(again) as work, pytest.raises(NoSuchLink):
        links.opened(work, token)
    again.close()
    restored.close()


def migrated_from(path: Path, target: str) -> Store:
    store = Store(target)
    restoring.restore(store, path, WANTED)
    return store


@pytest.mark.parametrize("cut", ["half", "end", "byte", "counts", "other", "restored"])
def test_a_damaged_file_is_told_and_changes_nothing(one: Path, tmp_path: Path, cut: str) -> None:
    whole = one.read_bytes()
    lines = gzip.decompress(whole).splitlines(keepends=True)
    damaged = {
        "half": whole[: len(whole) // 2],
        "end": gzip.compress(b"".join(lines[:-1])),
        "byte": gzip.compress(b"".join(lines).replace(b"+8190", b"+8191")),
        "counts": gzip.compress(b"".join([*lines[:5], *lines[6:]])),
        "other": b"PK\x03\x04 something else",
        "restored": gzip.compress(b"".join(lines[:-1])),
    }[cut]
    one.write_bytes(damaged)
    with pytest.raises(DamagedBackup, match=r"is damaged|is no backup"):
        proving.prove(one)
    if cut != "restored":
        return
    store = Store(f"sqlite:///{tmp_path / 'restored.db'}")
    with pytest.raises(DamagedBackup):
        restoring.restore(store, one, WANTED)
    with store.migration() as connection:
        assert not inspect(connection).has_table("person")
    store.close()


def test_what_is_not_known_begins_where_the_service_wrote_last_however_late_the_backup_was_made(tmp_path: Path) -> None:
    """A copy that was put back by other means is old, though its backup is of now; so is a restore not compared yet."""
    copy = World(f"sqlite:///{tmp_path / 'copy.db'}")
    with copy.store.write() as connection:
        connection.execute(update(t.checkpoint).values(updated_at=NOON))
        live = picture(closed="pbx-not-connected")
        snapshot.store(connection, "main", live, NOON + MINUTE)
    assert taking.take(copy.store, tmp_path / "1.lcr").head.made_at > NOON + MINUTE
    copy.close()
    first = Store(f"sqlite:///{tmp_path / 'first.db'}")
    restoring.restore(first, tmp_path / "1.lcr", Wanted(BY, NOON, to_people=True))
    with first.write() as connection:
        assert pending(connection) == (NOON + MINUTE, True)
        snapshot.store(connection, "main", live, NOON + 60 * MINUTE)  # it runs, and waits for the PBX
    taking.take(first, tmp_path / "2.lcr")
    first.close()
    second = Store(f"sqlite:///{tmp_path / 'second.db'}")
    restoring.restore(second, tmp_path / "2.lcr", Wanted(BY, NOON + 60 * MINUTE))
    with second.read() as connection:
        assert pending(connection) == (NOON + MINUTE, True)
    second.close()


def pending(connection: Connection) -> tuple[int, bool]:
    """Since when nothing is known, and whether all is left to people."""
    one = restored.pending(connection, "main")
    assert one is not None
    return one.backup_at, one.to_people


@pytest.mark.parametrize("line", [b"[1]", b"[null]", b'["ab"]', b"[{}]"])
def test_a_row_that_is_none_is_damage(one: Path, line: bytes) -> None:
    head, columns, *_ = gzip.decompress(one.read_bytes()).splitlines()
    one.write_bytes(gzip.compress(b"\n".join([head, columns, line, b""])))
    with pytest.raises(DamagedBackup, match="none of a backup's"):
        proving.prove(one)


def test_an_audit_that_was_tampered_with_is_found_in_the_backup(tmp_path: Path) -> None:
    world = World(f"sqlite:///{tmp_path / 'audit.db'}")
    with world.store.write() as connection:
        for number in range(3):
            audit.add(connection, "main", BY, "note", None, {"number": number}, NOON)
    assert proving_of(world, tmp_path / "1.lcr").audit.rows == 3
    with world.store.write() as connection:
        connection.execute(update(t.audit).where(t.audit.c.id == 2).values(why="another"))
    with pytest.raises(DamagedBackup, match="tampered with, at row 2"):
        proving_of(world, tmp_path / "2.lcr")
    with world.store.write() as connection:
        connection.execute(t.audit.delete().where(t.audit.c.id != 1))
    with pytest.raises(DamagedBackup, match="rows are missing"):
        proving_of(world, tmp_path / "3.lcr")
    world.close()


def proving_of(world: World, path: Path) -> proving.Proved:
    taking.take(world.store, path)
    return proving.prove(path)


def test_a_database_with_rows_is_replaced_only_when_that_is_said(one: Path, tmp_path: Path) -> None:
    world = World(f"sqlite:///{tmp_path / 'full.db'}")
    world.hear(call("09099999999"))
    stood = everything(world.store)
    with world.store.write() as connection:
        lease.release(connection, world.held)
    with pytest.raises(StoreError, match="is not empty"):
        restoring.restore(world.store, one, WANTED)
    assert {k: v for k, v in everything(world.store).items() if k != "lease"} == {
        k: v for k, v in stood.items() if k != "lease"
    }
    restoring.restore(world.store, one, Wanted(BY, NOON, replace=True))
    assert [row["number"] for row in everything(world.store)["person"]] != ["+819099999999"]
    world.close()


def test_a_database_that_is_served_is_never_replaced(one: Path, migrated_url: str) -> None:
    world = World(migrated_url)
    with pytest.raises(StoreError, match=r"is served by .*stop the service first"):
        restoring.restore(world.store, one, Wanted(BY, NOON, replace=True))
    world.close()


def test_a_later_schema_is_refused(one: Path, tmp_path: Path) -> None:
    lines = gzip.decompress(one.read_bytes()).splitlines(keepends=True)
    head = json.loads(lines[0]) | {"schema": "9999"}
    one.write_bytes(gzip.compress(json.dumps(head).encode() + b"\n" + b"".join(lines[1:])))
    store = Store(f"sqlite:///{tmp_path / 'restored.db'}")
    with pytest.raises(StoreError, match="later version of the service"):
        restoring.restore(store, one, WANTED)
    store.close()


def test_the_key_outside_is_asked_for_and_comes_back_with_a_backup_that_has_it(tmp_path: Path) -> None:
    outside = Outside(tmp_path / "key" / "site.key")
    store = Store(f"sqlite:///{tmp_path / 'keyed.db'}", outside)
    schema.migrate(store)
    with store.write() as connection:
        root = keys.make_root(connection)
    taking.take(store, tmp_path / "without.lcr")
    taking.take(store, tmp_path / "with.lcr", with_key=True)
    store.close()
    assert root not in gzip.decompress((tmp_path / "without.lcr").read_bytes()).decode()

    elsewhere = Store(f"sqlite:///{tmp_path / 'restored.db'}", Outside(tmp_path / "elsewhere" / "site.key"))
    with pytest.raises(StoreError, match="is not there"):
        restoring.restore(elsewhere, tmp_path / "without.lcr", WANTED)
    (key,) = proving.files_in(tmp_path / "with.lcr")
    assert restoring.put_key_back(elsewhere, key.text)
    restoring.restore(elsewhere, tmp_path / "without.lcr", WANTED)
    with elsewhere.read() as connection:
        assert keys.make_root(connection) == root
    elsewhere.close()


def test_a_file_that_is_there_is_not_written_over(one: Path, tmp_path: Path) -> None:
    store = migrated(f"sqlite:///{tmp_path / 'again.db'}")
    before = one.read_bytes()
    with pytest.raises(CallbackError, match="is there already"):
        taking.take(store, one)
    assert one.read_bytes() == before
    assert not list(tmp_path.glob(".small*"))
    store.close()


def test_a_table_is_read_bit_by_bit_however_large_it_is(migrated_url: str, tmp_path: Path) -> None:
    world = World(migrated_url)
    rows = [{"pbx": "main", "at": one, "stored_at": one, "name": "call", "facts": {}} for one in range(1200)]
    with world.store.write() as connection:
        connection.execute(insert(t.happened), rows)
    pieces = list[int]()
    taking.take(world.store, tmp_path / "large.lcr", further=pieces.append)
    assert max(pieces) == 500
    assert sum(pieces) >= 1200
    world.close()
