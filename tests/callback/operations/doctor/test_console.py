"""What the doctor says of the console: who may sign in, and who seems to ask."""

from __future__ import annotations

from pathlib import Path

from callback.accounts import users
from callback.accounts.change import Change
from callback.accounts.users import Profile
from callback.operations.doctor import console
from callback.settings.console import Console
from callback.settings.sections import Database, PbxWiring, Settings, Trunk
from callback.store.audit import By
from tests.callback.world import NOON, World, rules

HTTPS = Console(listen="127.0.0.1:8090", public_url="https://console.example.org")


def said(url: str, wiring: Console) -> list[tuple[str, str]]:
    pbx = PbxWiring(username="u", secret="s")  # noqa: S106
    settings = Settings(
        database=Database(url=url), pbx=pbx, trunks={"main": Trunk(region="JP")}, console=wiring, rules=rules()
    )
    return [(finding.level, finding.what + finding.remedy) for finding in console.look(settings)]


def test_where_there_is_none_nothing_is_said(world: World) -> None:
    assert said(world.store.url, Console()) == []


def test_before_the_first_run_nobody_may_sign_in(tmp_path: Path) -> None:
    ((level, what),) = said(f"sqlite:///{tmp_path}/none.db", Console(listen="127.0.0.1:8090"))
    assert (level, "callback user add" in what) == ("warning", True)


def test_it_says_whether_anybody_may_sign_in(world: World) -> None:
    wiring = Console(listen="127.0.0.1:8090")
    assert [level for level, _ in said(world.store.url, wiring)] == ["warning"]
    with world.store.write() as connection:
        change = Change(connection, "main", By("root", "first"), NOON)
        users.add(change, "anna", Profile(frozenset({"administrator"})))
    assert said(world.store.url, wiring) == [("ok", "the console, http://127.0.0.1:8090: somebody may sign in")]


def test_a_proxy_that_is_not_trusted_hides_who_asks(world: World) -> None:
    (_, (level, what)) = said(world.store.url, HTTPS)
    assert (level, "trusted_proxies" in what) == ("warning", True)
    known = HTTPS.model_copy(update={"trusted_proxies": ("127.0.0.1",)})
    assert not [what for _, what in said(world.store.url, known) if "trusted_proxies" in what]
