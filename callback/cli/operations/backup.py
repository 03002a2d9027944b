"""`callback backup` and `callback restore`: all of an installation in one file, and an installation of it again."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer

from callback.cli.options import DEFAULT, SettingsFile, Who, no_option
from callback.cli.tables import progress, terminal
from callback.clock import now_us, user
from callback.errors import CallbackError
from callback.operations.backup import proving, restoring, taking
from callback.operations.backup.form import Head
from callback.operations.backup.proving import Proved
from callback.operations.backup.restoring import Wanted
from callback.settings.sections import Settings, load
from callback.store import keys
from callback.store.audit import By
from scheduler.clock import local
from telephony import private

File = Annotated[Path, typer.Argument(callback=no_option, help="The file of the backup.")]
_KEY: Final = "key"
_PLACES: Final = {"template": "texts", "script": "texts/scripts"}


def backup(
    file: File,
    settings: SettingsFile = DEFAULT,
    *,
    with_key: Annotated[
        bool, typer.Option("--with-key", help="The site's key too. Who has such a file finds out blocked numbers.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing: read the file, and say whether it is whole.")
    ] = False,
) -> None:
    """Write the database, the settings file and the site's own texts into one file, while the service works.

    It holds telephone numbers, texts and the passwords of the settings: only its owner can read it.
    """
    if check:
        _say(_proved(file))
        return
    wiring = load(settings)
    files = list(taking.files_of(settings, wiring))
    with closing(keys.store_of(wiring.database)) as store, ExitStack() as until_done:
        keys.check(store)
        bar = _Bar(until_done, "backup")
        taken = taking.take(store, file, files, with_key=with_key, begun=bar.begin, further=bar.further)
    rows = f"{taken.head.rows} rows of {len(taken.head.tables)} tables, {taken.files} files"
    terminal.say(f"{file}: {rows}, sha256 {taken.digest}")
    if not with_key and wiring.database.key_file is not None:
        terminal.say(f"the site's key is not in it: keep a copy of {wiring.database.key_file}, apart from the backups")


def restore(
    file: File,
    settings: SettingsFile = DEFAULT,
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="Delete what stands in the database. No service may run on it.")
    ] = False,
    to_people: Annotated[
        bool, typer.Option("--to-people", help="Call nobody who was owed a callback; list them for people.")
    ] = False,
    files: Annotated[
        Path | None,
        typer.Option(help="Put the settings file and own texts of the backup into this folder, and do no more."),
    ] = None,
    by: Who = None,
) -> None:
    """Make the database of the settings from a backup: all of it, or nothing.

    The service that was backed up must not run any more. What happened since the backup is compared with the PBX's
    log when the service starts; until then nobody is rung or texted.
    """
    if files is not None:
        _unpack(file, files)
        return
    proved, wiring = _proved(file), load(settings)
    wanted = Wanted(By(by or user(), "restored from a backup"), now_us(), replace=replace, to_people=to_people)
    with closing(keys.store_of(wiring.database)) as store:
        for one in proving.files_in(file) if (_KEY, "site.key") in proved.files else ():
            if one.kind == _KEY and restoring.put_key_back(store, one.text.strip()):
                terminal.say(f"the site's key was put into {wiring.database.key_file}")
        with progress.shown("restore", file.stat().st_size) as further:
            head, pbxs = restoring.restore(store, file, wanted, further)
    terminal.say(f"{head.rows} rows of {_when(head, wiring)} are in {store.where}")
    for pbx in pbxs:
        terminal.say(f"{pbx}: before anybody is rung, the time since then is compared with its queue_log and tickets")
    _unproved(wiring, pbxs)


def _unproved(wiring: Settings, pbxs: list[str]) -> None:
    if pbxs and not wiring.pbx.queue_log:
        terminal.say(
            "[pbx] queue_log is not set: nothing can be proved, and whoever is owed a callback is left to people"
        )
    terminal.say("blocks, opt-outs, erasures and decisions made since then are not in it: docs/backup.md")


class _Bar:
    """A bar that begins when it is known how much there is."""

    def __init__(self, until_done: ExitStack, what: str) -> None:
        self._until_done, self._what = until_done, what
        self.further = lambda _rows: None

    def begin(self, head: Head) -> None:
        self.further = self._until_done.enter_context(progress.shown(self._what, head.rows))


def _proved(file: Path) -> Proved:
    if not file.is_file():
        raise CallbackError(f"{file} is no file: name a backup")
    with progress.shown("check", file.stat().st_size) as further:
        return proving.prove(file, further)


def _say(proved: Proved) -> None:
    head = proved.head
    made = (
        f"made at {local(head.made_at, ZoneInfo('UTC')):%Y-%m-%d %H:%M:%S} UTC on {head.host} by version {head.program}"
    )
    terminal.say(f"whole: {head.rows} rows of {len(head.tables)} tables, schema {head.schema}, {made}")
    terminal.say(f"the audit in it is whole, and ends at anchor {proved.audit.rows}:{proved.audit.hash}")
    terminal.say("files in it: " + (", ".join(f"{name} ({kind})" for kind, name in proved.files) or "none"))


def _when(head: Head, wiring: Settings) -> str:
    return f"{local(head.made_at, wiring.rules.hours().zone):%Y-%m-%d %H:%M:%S}"


def _unpack(file: Path, folder: Path) -> None:
    """Write the files of a backup, none over one that is there."""
    _proved(file)
    for one in proving.files_in(file):
        place = folder / _PLACES.get(one.kind, "") / Path(one.name).name
        if place.exists():
            raise CallbackError(f"{place} is there already: name an empty folder")
        private.make_folder(place.parent)
        private.write(place, one.text)
        terminal.say(f"{place}")
