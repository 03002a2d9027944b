"""Processes that a test starts: never without an end, and deaf to no signal."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

HEARS_SIGNALS = ("env", "--default-signal=INT")
"""In front of a command: a shell's background job and `nohup` ignore Ctrl-C, and what they start inherits that."""


@contextmanager
def child(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Run `command` with its output to read; it is killed when the block ends, also by a failure in it."""
    asked = {"stdout": subprocess.PIPE, "text": True, **options}
    with subprocess.Popen([*HEARS_SIGNALS, *command], **asked) as process:
        try:
            yield process
        finally:
            process.kill()  # does nothing to one that has ended
