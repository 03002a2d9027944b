"""The commands of the docs: those blocks that a page says are walked, as a reader would paste them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).parents[2]
_WALKED: Final = re.compile(r"<!-- walked: (\w+) -->\n```sh\n(.*?)```", re.DOTALL)
_PLACEHOLDER: Final = "<this repository>"


def blocks(page: str, repository: str = "") -> dict[str, str]:
    """Give the walked blocks of a page by name; the one thing that a reader must fill in is the repository's place."""
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    return {name: commands.replace(_PLACEHOLDER, repository) for name, commands in _WALKED.findall(text)}
