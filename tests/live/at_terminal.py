"""Somebody at the terminal of a host: `callback …` with the settings of its service."""

from __future__ import annotations

import subprocess
import sys

from tests.live.service import Service


def run(service: Service, *words: str) -> str:
    """Run a command as an operator does, and give what it says; one that fails is a failure."""
    command = [sys.executable, "-m", "callback", *words, "-s", str(service.settings)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
