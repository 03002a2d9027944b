"""What the doctor says of the database, its lease, the audit and the rights of files."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.engine import make_url

from callback.operations.doctor import storage
from callback.operations.doctor.finding import Finding
from callback.settings.sections import Database, PbxWiring, Settings, Trunk
from callback.store import keys, schema
from callback.store import tables as t
from callback.store.audit import By
from callback.store.engine import Store
from lab import postgres
from telephony.listening.journal import Journal
from telephony.listening.signatures import sign
from telephony.private import open_private
from tests.callback.store.test_audit import decide
from tests.callback.world import World, migrated, rules

ME = By("anna", "a try")


def wired(url: str, journal: Path) -> Settings:
    pbx = PbxWiring(name="main", username="u", secret="s", journal=journal)  # noqa: S106
    return Settings(database=Database(url=url), pbx=pbx, trunks={"main": Trunk(region="JP")}, rules=rules())


def found(url: str, journal: Path) -> list[Finding]:
    return list(storage.look(wired(url, journal)))


def levels(findings: list[Finding]) -> list[str]:
    return [finding.level for finding in findings]


@pytest.fixture
def lapsed(world: World) -> World:
    with world.store.write() as connection:
        connection.execute(update(t.lease).values(until_at=0, host="elsewhere", owner="elsewhere:1:2"))
    return world


def test_a_database_in_use_is_sound(world: World, tmp_path: Path) -> None:
    findings = found(world.store.url, tmp_path)
    assert levels(findings) == ["ok", "ok"]
    assert "runs on here (me)" in findings[0].what


def test_a_lease_of_another_host_is_a_fault_on_sqlite_unless_the_journal_proves_us(
    lapsed: World, tmp_path: Path
) -> None:
    alone = found(lapsed.store.url, tmp_path)
    assert levels(alone) == (["fault", "ok"] if lapsed.store.dialect == "sqlite" else ["ok", "ok"])
    assert ("callback lease take" in alone[0].remedy) is (lapsed.store.dialect == "sqlite")
    with Journal(tmp_path / "main", max_bytes=1000):
        sign(tmp_path / "main", "elsewhere:1:2")
    assert levels(found(lapsed.store.url, tmp_path)) == ["ok", "ok"]


def test_an_audit_that_was_tampered_with_is_a_fault(world: World, tmp_path: Path) -> None:
    decide(world, 3)
    assert levels(found(world.store.url, tmp_path)) == ["ok", "ok"]
    with world.store.write() as connection:
        connection.execute(delete(t.audit).where(t.audit.c.id == 2))
    findings = found(world.store.url, tmp_path)
    assert levels(findings) == ["ok", "fault"]
    assert "broken at row 3" in findings[1].what


def test_a_file_that_may_only_be_read_is_a_fault(tmp_path: Path) -> None:
    migrated(f"sqlite:///{tmp_path}/test.db").close()
    (finding,) = found(f"sqlite:///file:{tmp_path}/test.db?mode=ro&uri=true", tmp_path)
    assert finding.level == "fault"
    assert "may not be written" in finding.remedy


@pytest.mark.postgresql
@pytest.mark.parametrize("rights", ["may_read", "is_standby"])
def test_a_server_that_may_only_be_read_is_a_fault(
    postgres_server: postgres.Server, tmp_path: Path, rights: str
) -> None:
    url = postgres_server.create(rights)
    store = migrated(url)
    with store.write() as connection:
        if rights == "may_read":
            connection.execute(text(f"CREATE ROLE {rights} LOGIN"))
            connection.execute(text(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {rights}"))
            url = make_url(url).set(username=rights).render_as_string(hide_password=False)
        else:
            connection.execute(text(f"ALTER DATABASE {rights} SET default_transaction_read_only = on"))
    store.close()
    (finding,) = found(url, tmp_path)
    assert finding.level == "fault"
    assert "may not be written" in finding.remedy or "may only be read" in finding.remedy


# Rights of files


def test_what_holds_numbers_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/test.db")
    schema.migrate(store)
    with store.write() as connection:
        connection.execute(text("CREATE TABLE x (y int)"))
        made = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("test.db*")}
    store.close()
    assert made.pop("test.db") == 0o600
    assert set(made.values()) == {0o600}
    assert "test.db-wal" in made
    with open_private(tmp_path / "events.jsonl") as events:
        events.write("{}\n")
    assert (tmp_path / "events.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_database_that_is_there_keeps_its_rights(tmp_path: Path) -> None:
    (tmp_path / "test.db").touch(mode=0o640)
    store = Store(f"sqlite:///{tmp_path}/test.db")
    with store.write() as connection:
        connection.execute(text("CREATE TABLE x (y int)"))
    store.close()
    assert (tmp_path / "test.db").stat().st_mode & 0o777 == 0o640


def let_everybody_in(tmp_path: Path) -> None:
    """Open the folders above, which pytest makes for its owner alone."""
    for above in (tmp_path, *tmp_path.parents):
        if above.name.startswith(("pytest-", "popen-", "test_")):
            above.chmod(0o755)


@pytest.mark.parametrize(
    ("name", "mode", "folder", "told"),
    [
        ("callback.toml", 0o644, 0o755, "secrets"),
        ("callback.toml", 0o640, 0o755, None),
        ("callback.toml", 0o644, 0o750, None),  # nobody gets there
        ("calls.db", 0o644, 0o755, "numbers"),
        ("calls.db-wal", 0o604, 0o711, "numbers"),
        ("journal/main", 0o755, 0o755, "numbers"),
        ("journal/main", 0o711, 0o755, None),  # it can be passed, not looked into
    ],
)
def test_files_that_everybody_may_read_are_told(
    tmp_path: Path, name: str, mode: int, folder: int, told: str | None
) -> None:
    let_everybody_in(tmp_path)
    place = tmp_path / "lcr"
    (place / "journal" / "main").mkdir(parents=True)
    for file in ("callback.toml", "calls.db", "calls.db-wal"):
        (place / file).touch(mode=0o600)
    (place / "journal" / "main").chmod(0o700)
    (place / name).chmod(mode)
    place.chmod(folder)
    wiring = wired(f"sqlite:///{place}/calls.db", place / "journal")
    (finding,) = storage.files(place / "callback.toml", wiring)
    assert finding.level == ("warning" if told else "ok")
    if told:
        assert told in finding.what
        assert f"{place / name}" in finding.remedy


def test_a_key_beside_what_it_opens_is_told_with_its_remedy(migrated_url: str, tmp_path: Path) -> None:
    def said(**outside: object) -> tuple[str, str]:
        settings = wired(migrated_url, tmp_path)
        database = settings.database.model_copy(update=outside)
        finding = storage.key(settings.model_copy(update={"database": database}))
        return finding.level, f"{finding.what}: {finding.remedy}"

    def start(**outside: Any) -> None:
        with closing(keys.store_of(Database(url=migrated_url, **outside))) as store:
            keys.take_out(store)

    assert said()[0] == "warning"
    start()
    level, what = said()
    assert (level, "find blocked numbers out" in what, "[database] key_file" in what) == ("warning", True, True)
    file = tmp_path / "key" / "site.key"
    level, what = said(key_file=file)
    assert (level, "still in the database" in what, "restart `callback run`" in what) == ("warning", True, True)
    start(key_file=file)
    assert said(key_file=file)[0] == "ok"
    assert said(key=file.read_text().strip())[0] == "ok"
    assert said()[0] == "fault"
    assert said(key_file=tmp_path / "none.key")[0] == "fault"
    if migrated_url.startswith("sqlite"):
        beside = Path(migrated_url.removeprefix("sqlite:///")).with_name("site.key")
        file.rename(beside)
        level, what = said(key_file=beside)
        beside.unlink()
        assert (level, "lies beside the database" in what) == ("warning", True)


def test_of_a_database_that_is_still_to_be_made_the_key_is_no_fault(tmp_path: Path) -> None:
    settings = wired(f"sqlite:///{tmp_path}/new.db", tmp_path / "journal")
    assert storage.key(settings).level == "warning"
    outside = settings.database.model_copy(update={"key_file": tmp_path / "key" / "site.key"})
    finding = storage.key(settings.model_copy(update={"database": outside}))
    assert (finding.level, "made at the first run" in finding.what) == ("ok", True)
    assert list(tmp_path.iterdir()) == [], "who merely looks makes nothing"


def test_a_key_that_everybody_may_read_is_told(tmp_path: Path) -> None:
    settings = wired(f"sqlite:///{tmp_path}/test.db", tmp_path / "journal")
    file = Path("/tmp") / f"site-{tmp_path.name}.key"  # below no folder that is its owner's alone
    database = settings.database.model_copy(update={"key_file": file})
    try:
        file.touch(0o644)
        (finding,) = storage.files(tmp_path / "callback.toml", settings.model_copy(update={"database": database}))
    finally:
        file.unlink()
    assert (finding.level, f"{file} holds secrets" in finding.what) == ("warning", True)


@pytest.mark.parametrize(
    ("name", "mode", "folder", "told"),
    [
        ("callback.toml", 0o620, 0o755, "may change it"),
        ("callback.toml", 0o602, 0o755, "may change it"),
        ("callback.toml", 0o600, 0o770, "may change it"),  # another file may be put there
        ("callback.toml", 0o600, 0o1777, None),  # not where the folder is sticky
        ("ami", 0o644, 0o755, "holds secrets, and every user"),
        ("calls.db", 0o660, 0o755, "may change it"),
        ("journal/main", 0o770, 0o755, "may change it"),
    ],
)
def test_files_that_others_may_change_are_told(
    tmp_path: Path, name: str, mode: int, folder: int, told: str | None
) -> None:
    let_everybody_in(tmp_path)
    place = tmp_path / "lcr"
    (place / "journal" / "main").mkdir(parents=True, mode=0o700)
    for file in ("callback.toml", "ami", "calls.db"):
        (place / file).touch(mode=0o600)
    (place / "callback.toml").write_text('[pbx]\nsecret_file = "ami"\n')
    (place / "ami").write_text("hush")
    (place / "journal").chmod(0o700 if "journal" not in name else 0o755)
    (place / name).chmod(mode)
    place.chmod(folder)
    wiring = wired(f"sqlite:///{place}/calls.db", place / "journal")
    findings = list(storage.files(place / "callback.toml", wiring))
    assert bool(told) == (levels(findings) != ["ok"])
    if told:
        assert f"{place / name} holds" in findings[0].what
        assert told in findings[0].what
        assert findings[0].remedy.startswith("chmod ")
