"""`callback nodes`: the processes that share the database, and who holds which lease."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from callback.cli.options import DEFAULT, SettingsFile, in_force, reading
from callback.cli.tables import terminal
from callback.clock import CLOCK_MAY_BE_OFF_S
from callback.operations import nodes as overview
from callback.operations.nodes import Held, Overview, Seen
from scheduler.clock import SECOND, local


def nodes(
    settings: SettingsFile = DEFAULT,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List the processes of this database: role, what each does, when it was seen last, its clock; and the leases."""
    wiring = in_force(settings)
    with reading(wiring) as work:
        found = overview.look(work)
    if as_json:
        terminal.say(json.dumps(asdict(found)))
        return
    zone = wiring.rules.hours().zone
    heads = ("node", "role", "pbx", "since", "seen", "clock", "does")
    if found.nodes:
        rows = [_row(one, found, zone) for one in found.nodes]
        terminal.put(terminal.table(heads, rows, sentences={"does"}, names={"node"}))
    else:
        terminal.say("No process was seen in the last day: start `callback run`.")
    for held in found.leases:
        terminal.say(_lease(held, zone))


def _row(one: Seen, found: Overview, zone: ZoneInfo) -> tuple[str, ...]:
    node = one.node
    ago_s = round((found.now - node.seen_at) / SECOND)
    off = abs(node.clock_off_s) > CLOCK_MAY_BE_OFF_S
    return (
        node.name,
        str(node.role),
        node.pbx,
        f"{local(node.began_at, zone):%m-%d %H:%M:%S}",
        f"{ago_s} s ago" + (", gone?" if one.gone else ""),
        f"{node.clock_off_s:+.1f} s" + (" OFF" if off else ""),
        "; ".join(node.duties),
    )


def _lease(held: Held, zone: ZoneInfo) -> str:
    since = "" if held.since_at is None else f" since {local(held.since_at, zone):%Y-%m-%d %H:%M:%S}"
    until = f"{local(held.until_at, zone):%Y-%m-%d %H:%M:%S}"
    if held.holds:
        return f"lease {held.name}: {held.owner}{since}, turn {held.fence}"
    return f"lease {held.name}: nobody; {held.owner} held it last" + (f", until {until}" if held.until_at else "")
