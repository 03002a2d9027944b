"""How to speak with a customer of each of five kinds: a table for agents, a file for each language of the console.

A person said that a customer is of that kind; nothing here guesses it, and no text to a customer knows this table.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal, get_args

Complainer = Literal["meek", "aggressive", "demanding", "seeking-gain", "chronic"]
COMPLAINERS: Final[tuple[Complainer, ...]] = get_args(Complainer)
Language = Literal["en", "zh-Hans", "zh-Hant"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
_FOLDER: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Advice:
    """What the kind is called, what helps, and what makes it worse."""

    title: str
    does: str
    avoid: str


def advice(kind: Complainer, language: Language) -> Advice:
    """How to speak with a customer of that kind."""
    return _table(language)[kind]


@cache
def _table(language: Language) -> Mapping[Complainer, Advice]:
    told = tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return {kind: Advice(**told[kind]) for kind in COMPLAINERS}
