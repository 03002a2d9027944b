"""Wall displays: an address that shows one page, without numbers and without acts, until it is revoked."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, RowMapping, bindparam, select, update

from callback.accounts.change import Change
from callback.errors import CallbackError
from callback.store import tables as t

_NAME_ROOM: Final = 100
_W: Final = t.wall_token.c
_SHOWN: Final = (_W.id, _W.name, _W.groups, _W.made_at, _W.made_by, _W.revoked_at)
_ALL: Final = select(*_SHOWN).order_by(_W.id)
_BY_KEY: Final = select(*_SHOWN).where(_W.key == bindparam("of_key"), _W.revoked_at.is_(None))
_REVOKED: Final = update(t.wall_token).where(_W.id == bindparam("of_id"), _W.revoked_at.is_(None))


@dataclass(frozen=True, slots=True)
class Wall:
    """A display: where it hangs, and of which groups of queues it shows figures (None: of all)."""

    id: int
    name: str
    groups: frozenset[str] | None
    made_at: int
    made_by: str
    revoked_at: int | None


def add(change: Change, name: str, groups: frozenset[str] | None) -> str:
    """Make a display; give the secret of its address, which is kept as a hash alone."""
    if not name.strip() or len(name) > _NAME_ROOM:
        raise CallbackError(f"say where it hangs, in at most {_NAME_ROOM} characters")
    token = secrets.token_urlsafe(32)
    row = {"name": name, "key": _hashed(token), "groups": None if groups is None else sorted(groups)}
    change.connection.execute(t.wall_token.insert().values(**row, made_at=change.now, made_by=change.by.who))
    change.audit("wall-added", wall=name, groups=row["groups"])
    return token


def listed(connection: Connection) -> list[Wall]:
    """Give all displays, the revoked ones too, in the order they were made."""
    return [_wall(row) for row in connection.execute(_ALL).mappings()]


def find(connection: Connection, token: str) -> Wall | None:
    """Give the display of an address; None where there is none, or it was revoked."""
    row = connection.execute(_BY_KEY, {"of_key": _hashed(token)}).mappings().first()
    return None if row is None else _wall(row)


def revoke(change: Change, wall: int) -> None:
    """Let an address show nothing any more. CallbackError where there is no such display."""
    if not change.connection.execute(_REVOKED.values(revoked_at=change.now), {"of_id": wall}).rowcount:
        raise CallbackError(f"there is no wall display {wall} in use: `callback wall list` shows which there are")
    change.audit("wall-revoked", wall=wall)


def _wall(row: RowMapping) -> Wall:
    groups = None if row["groups"] is None else frozenset(row["groups"])
    return Wall(row["id"], row["name"], groups, row["made_at"], row["made_by"], row["revoked_at"])


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
