"""What `callback user` and `callback wall` have in common: options, and one change in somebody's name."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Annotated, Final, TypeVar

import typer
from sqlalchemy import Connection

from callback.accounts.change import Change
from callback.clock import now_us, user
from callback.errors import CallbackError
from callback.settings.sections import Settings
from callback.site.context import current
from callback.store.audit import By
from callback.store.keys import store_of

T = TypeVar("T")
SAID: Final = "said on the command line"
"""The reason where none is given."""
ALL: Final = "all"
"""Stands for every group."""
Groups = Annotated[
    list[str] | None, typer.Option("--group", help="A group of queues that is shown; several, too; or the word all.")
]
Why = Annotated[str, typer.Option("--why", "-w", help="The reason; it is kept.")]


def deciding(wiring: Settings, who: str | None, why: str, act: Callable[[Change], T]) -> T:
    """Change accounts in one transaction, in the name of somebody."""
    now, by = now_us(), By(who or user(), why)

    def changed(connection: Connection) -> T:
        return act(Change(connection, current(connection, wiring, now).pbx, by, now))

    with closing(store_of(wiring.database)) as store:
        return store.transact(changed)


def known_groups(wiring: Settings, said: list[str] | None) -> frozenset[str] | None:
    """Give the groups that were said; None for all, as where nothing is. CallbackError where no queue is in one."""
    if said == [ALL]:
        return None
    groups = {queue.group for queue in wiring.rules.queues.values()} | {"site"}
    if unknown := set(said or ()) - groups:
        raise CallbackError(f"no queue is in the group {min(unknown)}; there are {', '.join(sorted(groups))}")
    return frozenset(said) if said else None
