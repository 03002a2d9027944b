"""`callback wall …`: displays that show how a shift stands, without anybody signing in."""

from __future__ import annotations

from typing import Annotated

import typer

from callback.accounts import wall_tokens
from callback.cli.accounts.changing import SAID, Groups, Why, deciding, known_groups
from callback.cli.options import DEFAULT, SettingsFile, Who, in_force, reading
from callback.cli.tables import terminal
from callback.settings.sections import load
from callback.store.engine import HIGHEST
from scheduler.clock import shown

app = typer.Typer(help="Wall displays: each has an address of its own that shows one page, without numbers.")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help='Where it hangs, as in "hall, left".')],
    group: Groups = None,
    why: Why = SAID,
    by: Who = None,
    settings: SettingsFile = DEFAULT,
) -> None:
    """Make a display, and show its address: only now. It can be revoked at any time."""
    wiring = in_force(settings)
    groups = known_groups(wiring, group)
    token = deciding(wiring, by, why, lambda change: wall_tokens.add(change, name, groups))
    below = wiring.console.url if wiring.console.listen else "below the console's address: "
    terminal.say(f"{below}/wall/{token}")
    terminal.say("this is shown only now: whoever has it sees the display's figures, until it is revoked")


@app.command("list")
def show(settings: SettingsFile = DEFAULT) -> None:
    """Show the displays, the revoked ones too."""
    wiring = in_force(settings)
    zone = wiring.rules.hours().zone
    with reading(wiring) as work:
        walls = wall_tokens.listed(work.connection)
    if not walls:
        terminal.say('There is no wall display: `callback wall add "hall, left"` makes one.')
        return
    cells = [
        (
            str(wall.id),
            wall.name,
            "all" if wall.groups is None else ", ".join(sorted(wall.groups)),
            shown(wall.made_at, work.now, zone),
            wall.made_by,
            "in use" if wall.revoked_at is None else f"revoked {shown(wall.revoked_at, work.now, zone)}",
        )
        for wall in walls
    ]
    heads = ("#", "hangs", "groups", "made", "by", "state")
    terminal.put(terminal.table(heads, cells, sentences={"hangs", "groups"}, names={"by"}, figures={"#"}))


@app.command()
def revoke(
    wall: Annotated[int, typer.Argument(min=1, max=HIGHEST, help="The display, as `callback wall list` numbers it.")],
    why: Why = SAID,
    by: Who = None,
    settings: SettingsFile = DEFAULT,
) -> None:
    """Let a display show nothing any more."""
    deciding(load(settings), by, why, lambda change: wall_tokens.revoke(change, wall))
    terminal.say(f"display {wall} shows nothing any more")
