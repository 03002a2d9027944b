"""What the commands of care have in common: in whose name they act, and one transaction for each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Annotated, Final, TypeVar

import typer

from callback.accounts.roles import Role
from callback.clock import now_us, user
from callback.decisions.care.acting import Actor
from callback.decisions.care.cases import HOWS, How
from callback.errors import CallbackError
from callback.settings.sections import Settings
from callback.site.context import current
from callback.site.work import Work
from callback.store import audit
from callback.store.audit import By
from callback.store.keys import store_of

T = TypeVar("T")
_ROLES: Final[frozenset[Role]] = frozenset({"supervisor", "manager"})
Reason = Annotated[str, typer.Option("--why", "-w", help="The reason; it is kept.")]
Heard = Annotated[str, typer.Option("--how", help=f"How the customer said it: {', '.join(HOWS)}.")]


def by_of(who: str | None, why: str) -> By:
    """Give in whose name something is decided."""
    if who in {audit.CUSTOMER, audit.SERVICE}:
        raise CallbackError(f"--by {who}: that stands for the {who} itself; name the person who decides")
    return By(who or user(), why)


def actor_of(who: str | None, why: str) -> Actor:
    """Give who acts: whoever may use the commands may do all that people at the console do."""
    return Actor(by_of(who, why), _ROLES)


def heard(said: str) -> How:
    """Read how the customer said something."""
    for how in HOWS:
        if said == how:
            return how
    raise CallbackError(f"--how {said}: there are {', '.join(HOWS)}")


def decided(wiring: Settings, decide: Callable[[Work], T]) -> T:
    """Decide in one transaction, once more from its start where others were in the way."""
    now = now_us()
    with closing(store_of(wiring.database)) as store:
        return store.transact(lambda connection: decide(Work(connection, current(connection, wiring, now), now)))
