"""The API as it is served beside the console, and the examples of its page: each of them works."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import Final

import pytest

from callback.accounts import tokens
from callback.accounts.tokens import SCOPES, Terms
from callback.settings.care import QueueCare
from callback.store.engine import clock
from scheduler.clock import DAY
from tests.callback.accounts.people import change
from tests.callback.decisions.care.centre import CARE
from tests.callback.web.console.test_serve import running
from tests.callback.world import ON, World, emptied, rules
from tests.parts import missing

PAGE: Final = Path(__file__).parents[4] / "docs" / "api.md"
EXAMPLES: Final = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.fixture
def sqlite_world(sqlite_world: World) -> World:
    """One whose queue takes cases."""
    support = ON.model_copy(update={"care": QueueCare(cases=True)})
    emptied(sqlite_world.store)
    return World(sqlite_world.store.url, rules(queues={"support": support}, care=CARE))


@pytest.fixture
def token(sqlite_world: World) -> str:
    with sqlite_world.store.write() as connection:
        return tokens.add(change(connection, clock(connection)), Terms("CRM", frozenset(SCOPES), None, DAY))


def test_the_examples_of_the_page_work(sqlite_world: World, tmp_path: Path, token: str) -> None:
    if shutil.which("curl") is None:
        missing("curl")
    assert len(EXAMPLES) == 5
    with running(sqlite_world, tmp_path) as (_, url):
        script = "set -e\n" + "echo\necho '# next'\n".join(EXAMPLES)
        ran = subprocess.run(
            ["bash", "-c", script], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path,
            env=os.environ | {"API": f"{url}/api/v1", "TOKEN": token, "no_proxy": "*"},
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout + ran.stderr
    registered, listed, happened, decided, complained = ran.stdout.split("# next\n")
    assert json.loads(registered)["reference"] == "CASE-4711"
    assert [one["id"] for one in json.loads(listed)["items"]] == [1]
    assert [one["type"] for one in json.loads(happened)["items"]] == ["reserved", "decided"]
    assert '"act":"hold"' in decided
    assert '"state":"held"' in decided
    assert (json.loads(complained)["reference"], json.loads(complained)["state"]) == ("CRM-1873", "registered")


def test_the_console_and_the_api_are_served_beside_each_other(sqlite_world: World, tmp_path: Path) -> None:
    with running(sqlite_world, tmp_path) as (_, url):
        assert got(url, "/healthz") == "ok\n"
        assert got(url, "/api/v1/healthz") == '{"ok":true}'
        assert "<h2>reservations</h2>" in got(url, "/api/v1/")


def got(url: str, path: str) -> str:
    with urllib.request.urlopen(url + path, timeout=20) as answer:  # noqa: S310 - of our own
        body: bytes = answer.read()
    return body.decode()
