"""Who is not called, not texted, or neither: by a keyed hash of the number, so that it outlives the person's erasure.

What a block changes for reservations that are open is decided in `decisions`; here it only stands, and is asked for.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select, update

from callback.errors import CallbackError
from callback.store import audit
from callback.store import tables as t
from callback.store.audit import By
from callback.store.inserting import insert_new
from callback.store.keys import site_key

_B = t.block.c
_STANDING = select(_B.calls, _B.texts).where(_B.number_key == bindparam("of_number"))
_LOCKED = _STANDING.with_for_update()


@dataclass(frozen=True, slots=True)
class Standing:
    """What a number is blocked for; True is blocked."""

    calls: bool
    texts: bool


FREE = Standing(calls=False, texts=False)
ERASED = Standing(calls=True, texts=True)  # nobody calls or texts the word that stands in its place


def standing(connection: Connection, e164: str) -> Standing:
    """Say what a number is blocked for."""
    if not _is_number(e164):
        return ERASED
    row = connection.execute(_STANDING, {"of_number": _key(connection, e164)}).first()
    return FREE if row is None else Standing(row.calls, row.texts)


def block(
    connection: Connection, pbx: str, e164: str, by: By, now: int, *, calls: bool = False, texts: bool = False
) -> Standing:
    """Block a number for calls, texts or both, beside what it is blocked for already; give what stands then."""
    had = _locked(connection, e164, by, now)
    stands = Standing(had.calls or calls, had.texts or texts)
    return _keep(connection, pbx, e164, stands, "block", by, now)


def unblock(
    connection: Connection, pbx: str, e164: str, by: By, now: int, *, calls: bool = True, texts: bool = True
) -> Standing:
    """Take back a block for calls, texts or both; give what still stands."""
    had = _locked(connection, e164, by, now)
    stands = Standing(had.calls and not calls, had.texts and not texts)
    return _keep(connection, pbx, e164, stands, "unblock", by, now)


def _locked(connection: Connection, e164: str, by: By, now: int) -> Standing:
    """Lock what stands, made when new: two who say something at the same time follow each other."""
    if not _is_number(e164):
        raise CallbackError(f"'{e164}' is no number: give it with its country, as in +819012345678")
    key = _key(connection, e164)
    none = {"calls": False, "texts": False}
    insert_new(connection, t.block, {"number_key": key, **none, "who": by.who, "why": by.why, "at": now})
    row = connection.execute(_LOCKED, {"of_number": key}).one()
    return Standing(row.calls, row.texts)


def _keep(connection: Connection, pbx: str, e164: str, stands: Standing, action: str, by: By, now: int) -> Standing:
    """Write it down, and who said so into the audit, which knows the number by its hash alone."""
    key, said = _key(connection, e164), {"calls": stands.calls, "texts": stands.texts}
    kept = update(t.block).where(_B.number_key == key)
    connection.execute(kept.values(who=by.who, why=by.why, at=now, **said))
    audit.add(connection, pbx, by, action, None, {"number_key": key, **said}, now)
    return stands


def _key(connection: Connection, e164: str) -> str:
    return hmac.digest(site_key(connection, "block"), e164.encode(), "sha256").hex()


def _is_number(e164: str) -> bool:
    return e164.startswith("+") and e164[1:].isdecimal()
