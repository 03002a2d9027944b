"""The rules in force: what people published, and whether the settings file was changed against it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from callback.clock import now_us
from callback.errors import CallbackError
from callback.operations.doctor.finding import Finding, sound, warning
from callback.settings.sections import Settings
from callback.site import rule_versions
from callback.site.context import ruled
from callback.store import schema
from callback.store.keys import store_of

_REMEDY = '`callback rules take-file --why "…"` lets the file hold, `callback rules keep --why "…"` what was published'


def in_force(settings: Settings) -> Settings:
    """Give the settings with the rules in force; with the file's where the database cannot tell, which others say."""
    try:
        with closing(store_of(settings.database)) as store:
            return ruled(store, settings, now_us())
    except (CallbackError, DatabaseError):
        return settings


def look(settings: Settings) -> Iterator[Finding]:
    """Say which version is in force, and what the file says otherwise."""
    with closing(store_of(settings.database)) as store:
        if store.is_there:
            with store.read() as connection:
                yield from _of(connection, settings, now_us())


def _of(connection: Connection, settings: Settings, now: int) -> Iterator[Finding]:
    found = rule_versions.newest(connection, settings.pbx.name, now) if schema.revision_of(connection) else None
    if found is not None:
        by = f"published by {found.who}" if found.who else "from the settings file"
        yield sound(f"version {found.version} of the rules is in force, {by}")
        for one in rule_versions.conflict(connection, settings, now):
            yield warning(f"[rules] {one.key} is {one.file} in the settings file; in force is {one.in_force}", _REMEDY)
