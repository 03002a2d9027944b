"""The page about care: its settings hold, and its example works as it is written."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import Final

import pytest

from callback.settings.rules import SiteRules
from callback.store import tables as t
from tests.callback.cli.conftest import Typed
from tests.callback.world import World, emptied

PAGE: Final = (Path(__file__).parents[4] / "docs" / "care.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_the_settings_and_the_commands_of_the_page_work(
    sqlite_world: World, tmp_path: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = tomllib.loads(blocks("toml")[0])["rules"]
    emptied(sqlite_world.store)
    World(sqlite_world.store.url, SiteRules.model_validate({"zone": "Asia/Tokyo", **said}))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "complaints.csv").write_text(blocks("csv")[0], encoding="utf-8")
    (tmp_path / "callback.toml").write_text(
        f'[database]\nurl = "{sqlite_world.store.url}"\n[pbx]\nusername = "u"\nsecret = "s"\njournal = "journal"\n'
        '[trunks.main]\nregion = "JP"\nform = "national"\n[rules]\nzone = "Asia/Tokyo"\n'
    )
    printed = []
    for line in "".join(blocks("sh")).splitlines():
        program, *words = shlex.split(line)
        assert program == "callback"
        status, out, err = typed(*words)
        assert status == 0, (line, err)
        printed.append(out)
    assert "confirmed" in printed[3]
    assert printed[-1].startswith("2 registered")
    first, second, third = sqlite_world.rows(t.care_case)
    assert (first.state, first.owner, second.reference, third.topic) == ("confirmed", "carl", "CRM-1873", "billing")
