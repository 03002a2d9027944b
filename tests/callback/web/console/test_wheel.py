"""What is installed from a wheel is all that the console needs: its templates, scripts, colours and languages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.callback.web.console.test_serve import free_port, settings_file
from tests.callback.world import World
from tests.children import child

REPOSITORY = Path(__file__).parents[4]


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder that holds what the wheel does, and nothing of the repository."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(build, cwd=REPOSITORY, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").iterdir()
    with ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "installed")
    return tmp_path / "installed"


def test_a_console_from_a_wheel_opens_in_every_language(
    sqlite_world: World, installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # else the repository's own would be found first
    monkeypatch.setenv("PYTHONPATH", str(installed))
    where = [sys.executable, "-c", "import callback; print(callback.__file__)"]
    found = subprocess.run(where, check=True, capture_output=True, text=True).stdout
    assert Path(found.strip()).is_relative_to(installed)

    file = settings_file(tmp_path, sqlite_world.store.url, free_port())
    command = [sys.executable, "-m", "callback", "console", "--settings", str(file)]
    with child(command, stderr=subprocess.STDOUT, env=dict(os.environ)) as console:
        assert console.stdout
        said = console.stdout.readline()
        assert "the console is at" in said, said
        url = said.split()[-1]
        pages = {language: _read(f"{url}/", language) for language in ("en", "zh-CN", "zh-TW")}
        assert len(set(pages.values())) == len(pages)
        of_it = {path for page in pages.values() for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', page)}
        assert of_it
        for path in of_it:
            assert _read(url + path, "en")
        console.terminate()
        assert console.wait(20) == 0


def _read(url: str, language: str) -> str:
    asked = urllib.request.Request(url, headers={"Accept-Language": language})  # noqa: S310 - of our own
    with urllib.request.urlopen(asked, timeout=20) as answer:  # noqa: S310 - as above
        body: bytes = answer.read()
    return body.decode()


def test_a_wheel_holds_whatever_lies_beside_the_source(installed: Path) -> None:
    lying = [
        path.relative_to(REPOSITORY)
        for part in ("callback", "telephony", "sms", "scheduler")
        for path in (REPOSITORY / part).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    assert len(lying) > 200
    assert [path for path in lying if not (installed / path).exists()] == []
