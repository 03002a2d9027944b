"""Care: whether what its rules name is there, so that no complaint waits for a letter or a person who never comes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from callback.accounts import users
from callback.operations.doctor.finding import Finding, sound, warning
from callback.settings.sections import Settings
from callback.store import schema
from callback.store.keys import store_of


def look(settings: Settings) -> Iterator[Finding]:
    """Look at the departments of the rules in force; where no queue takes cases there is nothing to say."""
    taking = sorted(name for name, queue in settings.rules.queues.items() if queue.care.cases)
    if not taking:
        return
    faults = [*_letters(settings), *_people(settings)]
    yield from faults or [sound(f"cases of {', '.join(taking)}: every department can be reached")]


def _letters(settings: Settings) -> Iterator[Finding]:
    written = sorted(name for name, one in settings.rules.care.departments.items() if one.mail)
    if written and not settings.mail.host:
        what = f"letters to {', '.join(written)} cannot leave: no mail server is named"
        yield warning(what, "[mail] host and from, in the settings file")
    elif written and not settings.web.public_url:
        what = f"{', '.join(written)} cannot answer by a link: customers' page and departments' page have no address"
        yield warning(what, "[web] listen and public_url, in the settings file")


def _people(settings: Settings) -> Iterator[Finding]:
    named = {one.responsible: name for name, one in settings.rules.care.departments.items() if one.responsible}
    with closing(store_of(settings.database)) as store, store.read() as connection:
        if schema.revision_of(connection) != schema.newest():
            return
        for person, department in sorted(named.items()):
            if users.find(connection, person) is None:
                what = f"{person}, who is responsible for the department {department}, is no user of the console"
                yield warning(what, f"callback user add {person}, or another [rules.care.departments.{department}]")
