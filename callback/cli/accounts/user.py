"""`callback user …`: who may sign in to the console, and what each may do there."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, cast

import typer

from callback.accounts import sessions, users
from callback.accounts.change import Change
from callback.accounts.roles import ROLES, Role
from callback.accounts.users import Profile
from callback.cli.accounts.changing import SAID, Groups, Why, deciding, known_groups
from callback.cli.options import DEFAULT, SettingsFile, Who, in_force, reading
from callback.cli.tables import terminal
from callback.errors import CallbackError
from callback.settings.sections import load
from scheduler.clock import shown

app = typer.Typer(
    help="Who may sign in to the console, and what each may do there; all of it is kept in the audit. By itself: the"
    " list."
)

RoleWord = StrEnum("RoleWord", {role: role for role in ROLES})  # type: ignore[misc]  # a role is named as it is spelt
Name = Annotated[str, typer.Argument(help="The name to sign in with: small letters, digits and @ . _ -")]
Roles = Annotated[list[RoleWord] | None, typer.Option("--role", help="What the person may do; several, too.")]


@app.callback(invoke_without_command=True)
def by_itself(context: typer.Context, settings: SettingsFile = DEFAULT) -> None:
    """Show who may sign in; `callback user add` makes somebody."""
    if context.invoked_subcommand is None:
        show(settings)


@app.command("list")
def show(settings: SettingsFile = DEFAULT) -> None:
    """Show who may sign in: roles, groups of queues, when seen last, and in how many sessions."""
    wiring = in_force(settings)
    zone = wiring.rules.hours().zone
    with reading(wiring) as work:
        everybody = users.listed(work.connection)
        count = sessions.counted(work.connection, work.now)
    if not everybody:
        terminal.say("Nobody may sign in yet: `callback user add NAME` makes somebody, with all roles.")
        return
    cells = [
        (
            one.name,
            one.profile.display_name,
            ", ".join(sorted(one.profile.roles)),
            "all" if one.profile.groups is None else ", ".join(sorted(one.profile.groups)),
            one.profile.phone or "-",
            "never" if one.seen_at is None else shown(one.seen_at, work.now, zone),
            str(count.get(one.name, 0)),
            _state(one, work.now),
        )
        for one in everybody
    ]
    heads = ("name", "called", "roles", "groups", "phone", "seen", "sessions", "state")
    terminal.put(
        terminal.table(heads, cells, sentences={"roles", "groups"}, names={"name", "called"}, figures={"sessions"})
    )


def _state(one: users.User, now: int) -> str:
    if one.locked:
        return "locked"
    if one.one_time_until_at is None:
        return "open"
    return "one-time password" if now < one.one_time_until_at else "one-time password is over: reset"


@app.command()
def add(
    name: Name,
    role: Roles = None,
    group: Groups = None,
    called: Annotated[str, typer.Option("--called", help="How the person is called; by default the name.")] = "",
    phone: Annotated[str, typer.Option(help="An agent's phone, as the PBX names it: PJSIP/1004.")] = "",
    *,
    settings: SettingsFile = DEFAULT,
    by: Who = None,
) -> None:
    """Make somebody, and show a one-time password: only now, and good for 24 hours. The first one has all roles."""
    wiring = in_force(settings)

    def made(change: Change) -> str:
        profile = Profile(_roles(change, role), called, known_groups(wiring, group), phone)
        return users.add(change, name, profile)

    _tell_password(name, deciding(wiring, by, SAID, made))


@app.command()
def reset(name: Name, why: Why = SAID, by: Who = None, settings: SettingsFile = DEFAULT) -> None:
    """Give somebody a new one-time password, good for 24 hours; the person's sessions end."""
    _tell_password(name, deciding(load(settings), by, why, lambda change: users.reset(change, name)))


@app.command()
def lock(name: Name, why: Why = SAID, by: Who = None, settings: SettingsFile = DEFAULT) -> None:
    """Let somebody sign in no more; the person's sessions end within seconds."""
    deciding(load(settings), by, why, lambda change: users.lock(change, name))
    terminal.say(f"{name} is locked; `callback user unlock {name}` takes it back")


@app.command()
def unlock(name: Name, why: Why = SAID, by: Who = None, settings: SettingsFile = DEFAULT) -> None:
    """Let somebody sign in again, with the password that stands."""
    deciding(load(settings), by, why, lambda change: users.unlock(change, name))
    terminal.say(f"{name} may sign in again")


@app.command()
def roles(
    name: Name,
    role: Roles = None,
    group: Groups = None,
    why: Why = SAID,
    by: Who = None,
    settings: SettingsFile = DEFAULT,
) -> None:
    """Give somebody these roles, and no others; groups change where they are said. The person's sessions end."""
    wiring = in_force(settings)
    if not role:
        raise CallbackError(f"say which roles, by --role once for each: {', '.join(ROLES)}")
    said = frozenset(cast("Role", one.value) for one in role)
    groups = known_groups(wiring, group)

    def changed(change: Change) -> None:
        users.change_roles(change, name, said)
        if group:
            users.change_groups(change, name, groups)

    deciding(wiring, by, why, changed)
    terminal.say(f"{name} is {', '.join(sorted(said))} now, and signs in anew")


def _roles(change: Change, said: list[RoleWord] | None) -> frozenset[Role]:
    """Give the roles that were said; the first person of all has every one."""
    if said:
        return frozenset(cast("Role", one.value) for one in said)
    if users.is_anybody(change.connection):
        raise CallbackError(f"say what the person may do, by --role once for each role: {', '.join(ROLES)}")
    return frozenset(ROLES)


def _tell_password(name: str, password: str) -> None:
    terminal.say(f"{name} signs in with {password}")
    terminal.say("this is shown only now, is good for 24 hours, and is to be changed at the first sign-in")
