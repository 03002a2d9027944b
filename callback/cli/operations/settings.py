"""`callback settings`: what can be set, as the models of the settings have it."""

from __future__ import annotations

from typing import Annotated

import typer

from callback.settings import reference


def show_settings(
    *,
    example: Annotated[bool, typer.Option("--example", help="A file to begin with instead (TOML).")] = False,
) -> None:
    """Print the reference of the settings: each key with its default, its range and what it is."""
    typer.echo(reference.example() if example else reference.reference(), nl=False)
