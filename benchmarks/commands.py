"""A command as its user meets it: how long until its first character, how long until its end, and what it tells."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.decision import ClaimBench, Size
from benchmarks.errors import BenchmarkError
from benchmarks.figures import tree_rss_mb

WAITING: Final = 200
_SETTINGS: Final = """
[database]
url = "sqlite:///lost-calls.db"
[pbx]
name = "main"
username = "u"
secret = "s"
[trunks.main]
region = "JP"
[rules]
zone = "UTC"
"""
_EVERY_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Ran:
    """How long a command took, the most memory that its processes had together, and what it printed."""

    took_s: float
    rss_mb: float
    out: str


def run(tree: Path, arguments: Sequence[str]) -> Ran:
    """Run a command of the source in `tree` to its end."""
    began, most = time.monotonic(), 0.0
    with _begun(tree, arguments) as process:
        while process.poll() is None:
            most = max(most, tree_rss_mb(process.pid))
            time.sleep(_EVERY_S)
        took_s = time.monotonic() - began
        out, err = process.communicate()
    if process.returncode:
        raise BenchmarkError(f"callback {' '.join(arguments)} failed: {err.strip()}")
    return Ran(took_s, most, out)


def first_character_s(tree: Path, arguments: Sequence[str]) -> float:
    """Give after how long a command of the source in `tree` has printed something."""
    began = time.monotonic()
    with _begun(tree, arguments) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        seen, took_s = process.stdout.read(1), time.monotonic() - began
        _, err = process.communicate()
    if not seen or process.returncode:
        raise BenchmarkError(f"callback {' '.join(arguments)} printed nothing: {err.strip()}")
    return took_s


def site(folder: Path) -> Path:
    """Make a site at which callers wait for a callback; give its settings."""
    ClaimBench(f"sqlite:///{folder}/lost-calls.db", Size(0, WAITING, 0), lambda _: None).store.close()
    settings = folder / "callback.toml"
    settings.write_text(_SETTINGS, encoding="utf-8")
    return settings


def _begun(tree: Path, arguments: Sequence[str]) -> subprocess.Popen[str]:
    """Begin a command; what it loads is compiled once, as where it is installed, whatever this shell says of that."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-m", "callback", *arguments]
    return subprocess.Popen(  # noqa: S603 - our own program
        command, cwd=tree, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
