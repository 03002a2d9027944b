"""People for tests: quickly made, with their roles."""

from __future__ import annotations

from sqlalchemy import Connection

from callback.accounts import users
from callback.accounts.change import Change
from callback.accounts.roles import Role
from callback.accounts.users import Profile
from callback.store.audit import By
from tests.callback.world import NOON, World

ROOT = By("root", "said so")


def change(connection: Connection, now: int = NOON) -> Change:
    """A change that root makes."""
    return Change(connection, "main", ROOT, now)


def made(world: World, name: str, *roles: Role, groups: frozenset[str] | None = None, now: int = NOON) -> str:
    """Make a person, a supervisor if no role is named; give the one-time password."""
    with world.store.write() as connection:
        return users.add(change(connection, now), name, Profile(frozenset(roles or ("supervisor",)), groups=groups))
