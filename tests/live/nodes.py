"""Several nodes of the real service beside a lab PBX, on one PostgreSQL: each a process with a folder of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from callback.store.engine import Store
from lab.asterisk import Asterisk
from tests.live.service import Service


class Node(Service):
    """`callback run --role …` for one PBX; `switched_on` are the queues in which it texts and calls."""

    def __init__(
        self,
        pbx: Asterisk,
        folder: Path,
        url: str,
        switched_on: Sequence[str],
        *,
        journal: Path | None = None,
        name: str = "lab",
        **rules: Any,
    ) -> None:
        folder.mkdir()
        super().__init__(pbx, folder, switched_on[0], **rules)
        self.store.close()
        self.store = Store(url)
        made = self.settings.read_text()
        made = made.replace(f"sqlite:///{folder / 'lost-calls.db'}", url).replace('name = "lab"', f'name = "{name}"')
        made = made.replace(f'journal = "{folder / "journal"}"', f'journal = "{journal or folder / "journal"}"')
        made = made.replace("[logs]", f'cdr = "{pbx.run_dir / "log/cdr-csv/Master.csv"}"\n[logs]')  # proves queue_log
        on = 'texts = "on"\ncalls = "on"\ncaller_id = "0312345678"\n'
        made += "".join(f"[rules.queues.{queue}]\n{on}" for queue in switched_on[1:])
        self.settings.write_text(made)
        self._role = "all"

    def under(self, role: str) -> Self:
        """The same, which begins in this role."""
        self._role = role
        return self

    def __enter__(self) -> Self:
        self.start("--role", self._role)
        return self
