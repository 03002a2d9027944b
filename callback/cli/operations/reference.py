"""The reference of the command line, as Markdown: `python -m callback.cli.operations.reference > docs/commands.md`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import typer

from callback.cli.main import COMMANDS


def reference() -> str:
    """Every command with what it does, its arguments and its options, in the order of `callback --help`."""
    lines = ["# Commands", "", "Made from the code by `make commands`. `callback COMMAND --help` says the same.", ""]
    lines += ["| command | what it does |", "| --- | --- |"]
    loaded = {name: command.load(name) for name, command in COMMANDS.items()}
    lines += [f"| [`callback {name}`](#callback-{name}) | {_cell(COMMANDS[name].help)} |" for name in loaded]
    for name, command in loaded.items():
        lines += ["", *_section(command, f"callback {name}", 2)]
    return "\n".join(lines) + "\n"


def _section(command: Any, name: str, depth: int) -> Iterator[str]:  # noqa: ANN401 - as typer makes them
    """One command, and the commands within it."""
    context = command.context_class(command, info_name=name)
    yield f"{'#' * depth} {name}"
    yield ""
    yield f"    {name} {' '.join(command.collect_usage_pieces(context))}"
    yield ""
    yield inspect.cleandoc(command.help or "").replace("\f", "")
    rows = [record for one in command.get_params(context) if (record := one.get_help_record(context))]
    rows = [row for row in rows if not row[0].endswith("--help")]
    if rows:
        yield ""
        yield "| argument or option | |"
        yield "| --- | --- |"
    for names, told in rows:
        yield f"| `{_cell(names)}` | {_cell(told)} |"
    for inner in getattr(command, "commands", {}).values():
        yield ""
        yield from _section(inner, f"{name} {inner.name}", depth + 1)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    typer.echo(reference(), nl=False)
