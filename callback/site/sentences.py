"""Sentences in the languages of a site: a file for each language, and English where there is none for it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

FALLBACK: Final = "en"


@cache
def sentences(folder: Path, language: str) -> Mapping[str, str]:
    """The sentences of that folder in a language; in English where it does not speak it."""
    path = folder / f"{language}.toml"
    found = path if path.is_file() else folder / f"{FALLBACK}.toml"
    return tomllib.loads(found.read_text(encoding="utf-8"))
