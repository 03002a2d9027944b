"""The console: whether anybody may sign in, and whether it sees who asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from callback.accounts import users
from callback.operations.doctor.finding import Finding, sound, warning
from callback.settings.sections import Settings
from callback.store import schema
from callback.store.keys import store_of


def look(settings: Settings) -> Iterator[Finding]:
    """Look at the console that the settings ask for; where they ask for none, there is nothing to say."""
    if not settings.console.listen:
        return
    where = f"the console, {settings.console.url}"
    if _is_anybody(settings):
        yield sound(f"{where}: somebody may sign in")
    else:
        yield warning(f"{where}: nobody may sign in", "callback user add NAME")
    if settings.console.is_https and not settings.console.trusted_proxies:
        what = f"{where}: all who come by the proxy seem to be one, so whoever guesses passwords delays everybody"
        yield warning(what, '[console] trusted_proxies = ["127.0.0.1"], the address of the proxy')


def _is_anybody(settings: Settings) -> bool:
    with closing(store_of(settings.database)) as store:
        if not store.is_there:
            return False
        with store.read() as connection:
            return schema.revision_of(connection) == schema.newest() and users.is_anybody(connection)
