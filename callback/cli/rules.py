"""`callback rules …`: the rules as versions: which holds, who made it and why; publish, go back, answer the file."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer

from callback.cli.options import DEFAULT, SettingsFile, Who, Why, in_force, looking, reading
from callback.cli.tables import terminal
from callback.clock import now_us, user
from callback.decisions import ruling
from callback.errors import CallbackError
from callback.settings.sections import Settings, load
from callback.site import rule_versions, written
from callback.site.context import current
from callback.site.rule_versions import Change, Version
from callback.site.work import Work, transact
from callback.store.audit import By
from callback.store.keys import store_of
from scheduler.clock import local

T = TypeVar("T")
app = typer.Typer(
    help="The rules as versions: which holds, who made it and why; publish, go back, or take the settings file's. By"
    " itself: the list."
)
Number = Annotated[int, typer.Argument(min=1, max=2**31 - 1, help="The version, as `callback rules` numbers it.")]
Most = Annotated[int, typer.Option(min=1, max=1000, help="At most so many, the newest first.")]
_KEYS: Final = 6  # of a version in the list


@app.callback(invoke_without_command=True)
def by_itself(context: typer.Context, settings: SettingsFile = DEFAULT, *, limit: Most = 20) -> None:
    """Show the newest versions; `callback rules show N` says what one changed."""
    if context.invoked_subcommand is None:
        show_all(settings, limit=limit)


@app.command("list")
def show_all(settings: SettingsFile = DEFAULT, *, limit: Most = 20) -> None:
    """Show the newest versions: from when each holds, who made it, why, and which settings it changed."""
    wiring = load(settings)
    zone = in_force(settings).rules.hours().zone
    with reading(wiring) as work:
        rows = rule_versions.versions(work.connection, work.pbx, limit + 1)
        holds = work.site.version
        conflict = rule_versions.conflict(work.connection, wiring, work.now)
    before = {one.version: other for one, other in pairwise(rows)}
    cells = [
        (
            str(one.version),
            _standing(one, holds, work.now),
            f"{local(one.effective_from_at, zone):%Y-%m-%d %H:%M:%S}",
            one.who or "the settings file",
            one.why,
            _keys(_changed(before.get(one.version), one)),
        )
        for one in rows[:limit]
    ]
    heads = ("#", "", "from", "by", "why", "changes")
    terminal.put(terminal.table(heads, cells, sentences={"why", "changes"}, figures={"#"}))
    for open_ in conflict:
        terminal.say(f"The settings file says {open_.key} = {open_.file}; in force is {open_.in_force}.")
    if conflict:
        terminal.say("`callback rules take-file` lets the file hold, `callback rules keep` what was published.")


@app.command()
def show(version: Number, settings: SettingsFile = DEFAULT) -> None:
    """Show one version: who made it, why, and each setting that it changed."""
    zone = in_force(settings).rules.hours().zone
    with reading(load(settings)) as work:
        one = rule_versions.version_of(work.connection, work.pbx, version)
        before = rule_versions.version_of(work.connection, work.pbx, version - 1) if version > 1 else None
        holds = work.site.version
    by = f", by {one.who}: {one.why}" if one.who else ", from the settings file"
    standing = _standing(one, holds, work.now) or "no more in force"
    terminal.say(f"Version {one.version} ({standing}), from {local(one.effective_from_at, zone):%Y-%m-%d %H:%M:%S}{by}")
    for change in _changed(before, one):
        terminal.say(f"  {change.key}: {_said(change.before)} -> {_said(change.after)}")


@app.command()
def publish(
    file: Annotated[Path, typer.Argument(help="A file of settings (TOML): its section rules becomes the rules.")],
    why: Why,
    by: Who = None,
    at: Annotated[str | None, typer.Option(help=f"From when on: {written.HOW}. By default: now.")] = None,
    settings: SettingsFile = DEFAULT,
) -> None:
    """Have the section rules of a file hold, at once or from a time on; the service goes by them by itself."""
    wiring, now = load(settings), now_us()
    from_at = None if at is None else written.instant(at, now, in_force(settings).rules.hours().zone)
    rules = rule_versions.proposed(wiring, _rules_of(file), now)
    said = By(by or user(), why)
    _done(
        wiring,
        lambda work: ruling.publish(work, rules, said, based_on=work.site.version, from_at=from_at),
        "in force" if at is None else f"in force from {at} on",
    )


@app.command("roll-back")
def roll_back(version: Number, why: Why, by: Who = None, settings: SettingsFile = DEFAULT) -> None:
    """Make a new version with the rules of an earlier one."""
    wiring, said = load(settings), By(by or user(), why)
    _done(wiring, lambda work: ruling.roll_back(work, wiring, version, said), "in force")


@app.command()
def withdraw(version: Number, why: Why, by: Who = None, settings: SettingsFile = DEFAULT) -> None:
    """Let a version that waits for its time never come into force."""
    said = By(by or user(), why)
    _decide(load(settings), lambda work: ruling.withdraw(work, version, said))
    terminal.say(f"version {version} is withdrawn")


@app.command("take-file")
def take_file(why: Why, by: Who = None, settings: SettingsFile = DEFAULT) -> None:
    """Make the settings file's rules the rules, instead of what was published since."""
    wiring, said = load(settings), By(by or user(), why)
    _done(wiring, lambda work: ruling.take_file(work, wiring, said), "in force, as the settings file has it")


@app.command()
def keep(why: Why, by: Who = None, settings: SettingsFile = DEFAULT) -> None:
    """Leave the rules as they were published, though the settings file was changed."""
    wiring, said = load(settings), By(by or user(), why)
    _decide(wiring, lambda work: ruling.keep(work, wiring, said))
    terminal.say("what was published stays in force")


def _done(wiring: Settings, act: Callable[[Work], Version], standing: str) -> None:
    made = _decide(wiring, act)
    terminal.say(f"version {made.version} of the rules is {standing}")
    with closing(store_of(wiring.database)) as store, looking(store, wiring) as work:
        before = rule_versions.version_of(work.connection, work.pbx, made.based_on or made.version)
    for change in _changed(before, made):
        terminal.say(f"  {change.key}: {_said(change.before)} -> {_said(change.after)}")


def _decide(wiring: Settings, act: Callable[[Work], T]) -> T:
    """Decide in one transaction; give what came of it."""
    now, made = now_us(), list[T]()
    with closing(store_of(wiring.database)) as store:
        transact(store, lambda connection: current(connection, wiring, now), now, lambda work: made.append(act(work)))
    return made[-1]


def _rules_of(file: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise CallbackError(f"{file} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CallbackError(f"{file} is not TOML: {error}") from error
    rules = values.get("rules")
    if not isinstance(rules, dict):
        raise CallbackError(f"{file} has no [rules]: write them as in the settings file")
    return rules


def _standing(one: Version, holds: int, now: int) -> str:
    if one.withdrawn_at is not None:
        return "withdrawn"
    if one.version == holds:
        return "in force"
    return "waits" if one.effective_from_at > now else ""


def _changed(before: Version | None, after: Version) -> Iterable[Change]:
    return () if before is None else rule_versions.changed(before, after)


def _keys(changes: Iterable[Change]) -> str:
    keys = [change.key for change in changes]
    more = f" and {len(keys) - _KEYS} more" if len(keys) > _KEYS else ""
    return ", ".join(keys[:_KEYS]) + more


def _said(value: Any) -> str:  # noqa: ANN401 - of JSON
    return "none" if value is None else str(value)
