"""The wheel, as pipx would install it: it needs nothing of the repository beside it, and holds nothing of its tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path

import pytest

from callback.store import schema
from tests.install.pages import REPOSITORY


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build it from the files that are committed or about to be, by the back end that pyproject.toml names."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install it apart. What it needs is the environment's here; tests/install/test_walk.py installs that as well."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--target", str(folder), str(wheel)], check=True, capture_output=True)
    return folder


@pytest.fixture
def asked(unpacked: Path, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Run the command that it installs, in a folder with nothing in it."""
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(unpacked), "LANG": "C.UTF-8", "HOME": str(tmp_path)}

    def ask(*words: str) -> tuple[int, str]:
        command = [sys.executable, str(unpacked / "bin" / "callback"), *words]
        done = subprocess.run(
            command, cwd=tmp_path, env=environ, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        return done.returncode, done.stdout

    return ask


def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as file:
        return file.namelist()


def test_all_that_a_service_reads_is_in_it_and_nothing_of_the_tests(wheel: Path) -> None:
    held = names(wheel)
    tops = {name.split("/")[0] for name in held}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"callback", "telephony", "sms", "scheduler"}
    tracked = subprocess.run(
        ["git", "ls-files", "callback", "telephony", "sms", "scheduler"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\n")
    assert {name for name in tracked if name and (REPOSITORY / name).exists()} - set(held) == set()


def test_its_version_is_that_of_the_project_and_it_brings_one_command(wheel: Path) -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    with zipfile.ZipFile(wheel) as file:
        (about,) = [name for name in file.namelist() if name.endswith(".dist-info/METADATA")]
        said = message_from_bytes(file.read(about))
        commands = file.read(about.replace("METADATA", "entry_points.txt")).decode()
    assert (said["Name"], said["Version"]) == (project["name"], project["version"])
    assert commands.split() == ["[console_scripts]", "callback", "=", "callback.cli.main:main"]
    needed = [one for one in said.get_all("Requires-Dist", []) if "extra ==" not in one]
    assert [one for one in needed if re.match("pytest|mypy|ruff|hypothesis|playwright", one)] == []
    assert len(needed) == len(project["dependencies"])


def test_its_command_works_where_no_repository_is(asked: Callable[..., tuple[int, str]], unpacked: Path) -> None:
    where = [sys.executable, "-c", "import callback, telephony; print(callback.__file__, telephony.__file__)"]
    found = subprocess.run(
        where, cwd="/", env={"PYTHONPATH": str(unpacked)}, check=True, capture_output=True, text=True
    )
    assert all(path.startswith(str(unpacked)) for path in found.stdout.split())
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    assert asked("--version") == (0, f"callback {version}\n")
    assert "doctor" in asked("--help")[1]


def test_a_site_begins_with_it_alone(asked: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    status, said = asked("init", "--yes", "--zone", "Asia/Tokyo", "--asterisk", "none")
    assert status == 0, said
    assert {file.name for file in (tmp_path / "asterisk").iterdir()} >= {"extensions_lcr.conf", "manager_lcr.conf"}
    status, said = asked("doctor")
    assert status == 1, said
    assert "FAULT manager at 127.0.0.1:5038: cannot connect" in said
    assert "database " in said
    status, said = asked("texts")
    assert status == 0, said


def test_it_judges_a_stream(asked: Callable[..., tuple[int, str]]) -> None:
    status, said = asked("replay", "--json", str(REPOSITORY / "tests/streams/03a-abandon-ringing.ami.gz"))
    assert status == 0, said
    assert "abandoned" in said


def test_it_makes_a_database_by_all_revisions(unpacked: Path, tmp_path: Path) -> None:
    program = f"""
from callback.store import schema
from callback.store.engine import Store
store = Store("sqlite:///{tmp_path}/made.db")
schema.migrate(store)
print(schema.newest())
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd="/",
        env={"PYTHONPATH": str(unpacked)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == schema.newest()


def test_its_console_speaks_every_language(unpacked: Path) -> None:
    program = "from callback.web.console import words; print(len(words.catalogue('zh_Hans')._catalog))"
    environ = {"PYTHONPATH": str(unpacked)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd="/", env=environ, check=True, capture_output=True, text=True
    )
    assert int(done.stdout) > 100
