"""The cables of a site in our hand: cut, hanging or mended by name. They are carried by a process of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Self

from lab.errors import LabError
from lab.faults.switchboard import Condition, End

_END_S = 5


class Cables:
    """A context manager; `turn` works at once, and returns when it is done."""

    def __init__(self, folder: Path, ends: dict[str, tuple[End, End]]) -> None:
        self._file = folder / "cables.json"
        self._file.write_text(json.dumps({name: [asdict(end) for end in pair] for name, pair in ends.items()}))
        self._names = list(ends)
        self._process: subprocess.Popen[str]

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "lab.faults.switchboard", str(self._file)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, start_new_session=True)
        self._hear("ready")
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._process.stdin and self._process.stdout:
            self._process.stdin.close()  # it ends with that, and with us
            self._process.stdout.close()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def turn(self, condition: Condition, *beginnings: str) -> None:
        """Turn every cable whose name begins so."""
        names = [name for name in self._names if name.startswith(beginnings)]
        if not names:
            raise LabError(f"no cable begins with {beginnings}: there are {self._names}")
        if self._process.stdin:
            self._process.stdin.write(f"{condition} {' '.join(names)}\n")
            self._process.stdin.flush()
        self._hear("done")

    def _hear(self, word: str) -> None:
        said = self._process.stdout.readline().strip() if self._process.stdout else ""
        if said != word:
            raise LabError(f"the switchboard said {said!r} instead of {word!r}: its last lines say why.")
