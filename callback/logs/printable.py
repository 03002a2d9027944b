"""What others wrote, made printable: no markup is read in it, and what a terminal would obey is replaced."""

from __future__ import annotations

import json
from typing import Final

import typer

_JOINERS: Final = "\u200c\u200d"  # of Persian, Indic scripts and emoji: they steer nothing
UNSEEN: Final = "·"  # stands for what is not to be seen


def printable(text: str) -> str:
    """Give a text of others as it may be shown: on one line, and without anything that a terminal would obey."""
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character.isprintable() or character in _JOINERS:
        return character
    return " " if character.isspace() else UNSEEN


def say(line: str, *, error: bool = False) -> None:
    """Print one line."""
    typer.echo(printable(line), err=error)


def put_json(value: object, *, indent: int | None = None) -> None:
    """Print a value as JSON; what cannot be shown is escaped in it, so that a terminal may see it too."""
    typer.echo(as_json(value, indent=indent))


def as_json(value: object, *, indent: int | None = None) -> str:
    """Give a value as JSON, on one line unless it is indented."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text)
