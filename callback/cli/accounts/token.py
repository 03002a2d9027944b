"""`callback token …`: programs that use the API, and what each of them may ask for."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, cast

import typer

from callback.accounts import tokens
from callback.accounts.tokens import LONGEST, SCOPES, Scope, Terms, Token
from callback.cli.accounts.changing import SAID, Groups, Why, deciding, known_groups
from callback.cli.options import DEFAULT, SettingsFile, Who, reading
from callback.cli.tables import terminal
from callback.settings.sections import load
from callback.store.engine import HIGHEST
from scheduler.clock import DAY, shown

app = typer.Typer(help="Programs that use the API: each has a token with scopes, and all it does is kept in the audit.")

ScopeWord = StrEnum("ScopeWord", {scope: scope for scope in SCOPES})  # type: ignore[misc]  # named as it is spelt
Number = Annotated[int, typer.Argument(min=1, max=HIGHEST, help="The token, as `callback token list` numbers it.")]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help='Which program has it, as in "CRM".')],
    scope: Annotated[list[ScopeWord], typer.Option("--scope", help="What the program may ask for; several, too.")],
    group: Groups = None,
    days: Annotated[int, typer.Option(min=1, max=LONGEST // DAY, help="How many days it is good for.")] = LONGEST
    // DAY,
    *,
    why: Why = SAID,
    by: Who = None,
    settings: SettingsFile = DEFAULT,
) -> None:
    """Make a token, and show it: only now. It can be revoked at any time."""
    wiring = load(settings)
    scopes = frozenset(cast("Scope", word.value) for word in scope)
    terms = Terms(name, scopes, known_groups(wiring, group), days * DAY)
    _tell(deciding(wiring, by, why, lambda change: tokens.add(change, terms)))


@app.command("list")
def show(settings: SettingsFile = DEFAULT) -> None:
    """Show the tokens, those that are revoked or over too; never their secrets."""
    wiring = load(settings)
    zone = wiring.rules.hours().zone
    with reading(wiring) as work:
        everyone = tokens.listed(work.connection)
    if not everyone:
        terminal.say("There is no token: `callback token add CRM --scope reservations:read` makes one.")
        return

    def said(one: Token) -> str:
        state = one.state(work.now)
        if state == "revoked" and one.revoked_at is not None:
            return f"revoked {shown(one.revoked_at, work.now, zone)}"
        return f"{'good until' if state == 'in-use' else 'over since'} {shown(one.until_at, work.now, zone)}"

    cells = [
        (
            str(one.id),
            one.name,
            ", ".join(sorted(one.scopes)),
            "all" if one.groups is None else ", ".join(sorted(one.groups)),
            one.made_by,
            "never" if one.seen_at is None else shown(one.seen_at, work.now, zone),
            said(one),
        )
        for one in everyone
    ]
    heads = ("#", "program", "scopes", "groups", "by", "used", "state")
    terminal.put(terminal.table(heads, cells, sentences={"program", "scopes", "groups"}, names={"by"}, figures={"#"}))


@app.command()
def revoke(token: Number, why: Why = SAID, by: Who = None, settings: SettingsFile = DEFAULT) -> None:
    """Let a token open nothing any more, from this moment on."""
    deciding(load(settings), by, why, lambda change: tokens.revoke(change, token))
    terminal.say(f"token {token} opens nothing any more")


@app.command()
def rotate(token: Number, why: Why = SAID, by: Who = None, settings: SettingsFile = DEFAULT) -> None:
    """Give a token a new secret, and show it: only now. The one before is good for 24 hours more."""
    _tell(deciding(load(settings), by, why, lambda change: tokens.rotate(change, token)))
    terminal.say("the secret before it is good for 24 hours more")


def _tell(token: str) -> None:
    terminal.say(token)
    terminal.say("this is shown only now: whoever has it may do what it is for, until it is revoked or over")
