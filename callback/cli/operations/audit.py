"""`callback audit …`: whether the record of decisions is whole, by itself and by what was written down outside."""

from __future__ import annotations

import re
from typing import Annotated, Final

import typer

from callback.cli.options import DEFAULT, SettingsFile, reading
from callback.errors import CallbackError
from callback.settings.sections import load
from callback.store import audit
from callback.store.audit import Head

app = typer.Typer(help="Whether the record of who decided what is whole.")

_ANCHOR: Final = re.compile(r"([0-9]{1,12}):([0-9a-f]{64})")


@app.command()
def head(settings: SettingsFile = DEFAULT) -> None:
    """Print the end of the chain, ROWS:HASH: kept outside of the database, it shows later whether all still stands."""
    with reading(load(settings)) as work:
        end = audit.head(work.connection)
    typer.echo(f"{end.rows}:{end.hash}")


@app.command()
def check(
    settings: SettingsFile = DEFAULT,
    *,
    anchor: Annotated[
        list[str] | None,
        typer.Option(help="ROWS:HASH, as the log or an alarm told of it (audit-head); may be repeated."),
    ] = None,
) -> None:
    """Read the whole chain: by itself it shows rows that were changed, by an anchor also a chain that was made anew."""
    anchors = [_read(one) for one in anchor or ()]
    with reading(load(settings)) as work:
        end, broken = audit.head(work.connection), audit.broken_at(work.connection, anchors)
    if broken is not None:
        raise CallbackError(f"the audit was tampered with: its chain is broken at {broken}")
    proved = (
        f", as {len(anchors)} anchors tell" if anchors else "; only an anchor shows whether it was made anew as a whole"
    )
    typer.echo(f"the audit is whole: {end.rows} rows{proved}")


def _read(text: str) -> Head:
    found = _ANCHOR.fullmatch(text.strip())
    if found is None:
        raise CallbackError(f"--anchor {text[:80]} is none: write ROWS:HASH as the line audit-head has it")
    return Head(int(found[1]), found[2])
