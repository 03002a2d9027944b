"""`callback lease …`: which process listens to the PBX, and how a database is taken over by another host."""

from __future__ import annotations

import socket
from contextlib import closing

import typer

from callback.cli.options import DEFAULT, SettingsFile, Who, Why, in_force, reading
from callback.clock import now_us, user
from callback.settings.sections import load
from callback.store import audit, lease
from callback.store.audit import By
from callback.store.engine import clock
from callback.store.keys import store_of
from scheduler.clock import local

app = typer.Typer(help="Which process listens to the PBX: one at a time has the right to decide and to dial.")


@app.command()
def show(settings: SettingsFile = DEFAULT) -> None:
    """Say who holds the leases of the PBX, or held them last: to listen to it, and to send its texts."""
    wiring = in_force(settings)
    zone = wiring.rules.hours().zone
    with reading(wiring) as work:
        now = clock(work.connection)
        held = {what: lease.holder(work.connection, f"{what}:{work.pbx}") for what in ("pbx", "text")}
    if held["pbx"] is None:
        typer.echo("Nobody ever listened to this PBX.")
        return
    for what, row in held.items():
        if row is not None:
            until = f"{local(row.until_at, zone):%Y-%m-%d %H:%M:%S}"
            state = f"holds it until {until}, and renews it" if row.until_at > now else "held it last and has ended"
            typer.echo(f"{what}: {row.owner} on host {row.host} {state}")


@app.command()
def take(why: Why, by: Who = None, settings: SettingsFile = DEFAULT) -> None:
    """Let this host serve an SQLite database that another host served; it is kept in the audit.

    For a host that was renamed, or a container that was made anew without its journal. Refused while a service there
    holds a lease.
    """
    wiring, said, host = load(settings, listens=False), By(by or user(), why), socket.gethostname()
    with closing(store_of(wiring.database)) as store, store.write() as connection:
        before = lease.hand_over(connection, wiring.pbx.name, host)
        audit.add(connection, wiring.pbx.name, said, "lease-take", None, {"from": before, "to": host}, now_us())
    typer.echo(f"the database of '{before}' is this host's ('{host}') now: start `callback run`")
