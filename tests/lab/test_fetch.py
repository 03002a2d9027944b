"""Packages are fetched once, by one process, and a machine that cannot says why."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from lab import fetch
from tests.children import child

if TYPE_CHECKING:
    from pathlib import Path

SLOW_APT = """#!/bin/sh
echo "$@" >>{log}
case "$*" in *indextargets*) echo http://mirror.example/debian/ ;;
*install*) sleep 0.3; touch "$(printf '%s\\n' "$@" | sed -n 's/^Dir::Cache=//p')/archives/thing.deb" ;; esac
"""
SLOW_DPKG = '#!/bin/sh\nmkdir -p "$3/usr" && touch "$3/usr/thing"\n'
UNPACKS = """
import sys
from pathlib import Path
from lab import fetch
fetch.unpack(["thing"], suite="sid", into=Path(sys.argv[1]))
print((Path(sys.argv[1]) / "usr/thing").exists())
"""


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose apt-get and dpkg are two small scripts; apt-get's calls are written to `calls`."""
    folder = tmp_path / "bin"
    folder.mkdir()
    scripts = {"apt-get": SLOW_APT.format(log=tmp_path / "calls"), "dpkg": SLOW_DPKG}
    for name, text in scripts.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def calls(tools: Path, word: str) -> list[str]:
    return [line for line in (tools / "calls").read_text().splitlines() if word in line]


def test_four_who_ask_at_once_fetch_once(tools: Path) -> None:
    command = [sys.executable, "-c", UNPACKS, str(tools / "into")]
    with ExitStack() as room:
        asking = [room.enter_context(child(command)) for _ in range(4)]
        said = [one.communicate()[0] for one in asking]
    assert [text.splitlines()[-1] for text in said] == ["True"] * 4
    assert sum("fetching thing" in text for text in said) == 1
    assert len(calls(tools, "install")) == 1
    assert {path.name for path in tools.glob("into*")} == {"into", "into.lock"}


def test_the_machines_own_directories_are_left_alone(tools: Path) -> None:
    fetch.unpack(["thing"], suite="sid", into=tools / "into", say=lambda _: None)
    for line in [*calls(tools, "update"), *calls(tools, "install")]:
        assert "Dir::State=/" in line
        assert "Dir::State=/var" not in line
        assert "Dir::Cache=/var" not in line


def test_a_failure_is_told_and_not_tried_again_at_once(tools: Path) -> None:
    (tools / "bin/apt-get").write_text(
        f'#!/bin/sh\necho "$@" >>{tools / "calls"}\ncase "$*" in *indextargets*) echo http://mirror.example/debian ;;\n'
        "*) echo 'E: Could not resolve http://user:pass@mirror.example/debian' >&2; exit 100 ;; esac\n"
    )
    for _ in range(2):
        with pytest.raises(fetch.NoAsterisk, match="Could not resolve") as caught:
            fetch.asterisk(22, say=lambda _: None)
        assert "pass" not in str(caught.value)
    assert len(calls(tools, "update")) == 1
    failed = tools / "cache/lost-call-recovery/asterisk-22.failed"
    os.utime(failed, (time.time() - 120, time.time() - 120))
    with pytest.raises(fetch.NoAsterisk):
        fetch.asterisk(22, say=lambda _: None)
    assert len(calls(tools, "update")) == 2


def test_a_machine_without_apt_is_told_what_to_do(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tools))
    with pytest.raises(fetch.NoAsterisk, match="no apt-get"):
        fetch.asterisk(22, say=lambda _: None)


def test_an_unknown_version_is_refused(tools: Path) -> None:
    assert tools.exists()
    with pytest.raises(fetch.NoAsterisk, match=r"versions \[16, 22\]"):
        fetch.asterisk(11, say=lambda _: None)


@pytest.mark.live
def test_a_fetched_asterisk_has_all_it_links_to(asterisk_tree: fetch.AsteriskTree) -> None:
    said = subprocess.run([*asterisk_tree.command, "-V"], capture_output=True, text=True, check=True).stdout
    assert asterisk_tree.version in said
    assert (asterisk_tree.modules / "app_queue.so").exists()
