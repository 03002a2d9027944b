"""Numbers blocked for calls, for texts, or for both: kept as a keyed hash, so that a block outlives an erasure.

What a block does to open reservations is decided in `decisions`; here it is only kept and looked up.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, select, update

from callback.errors import CallbackError
from callback.logs.masking import masked_text
from callback.store import audit
from callback.store import tables as t
from callback.store.audit import By
from callback.store.inserting import insert_new
from callback.store.keys import site_key

_B = t.block.c
_BLOCKED = select(_B.calls, _B.texts).where(_B.number_key == bindparam("of_number"))
_BLOCKED_FOR_TEXTS = select(_B.number_key).where(_B.number_key.in_(bindparam("keys", expanding=True)), _B.texts)
_STANDING = select(t.block).where(_B.number_key.in_(bindparam("keys", expanding=True)))
_AT_ONCE: Final = 500
_SINCE = select(_B.at).where(_B.number_key == bindparam("of_number")).with_for_update()
_LOCKED = _BLOCKED.with_for_update()
NOT_CALLED = select(_B.calls).where(_B.number_key == bindparam("of_number")).scalar_subquery()
"""Whether a number is blocked for our calls, as a column beside others; null: no block. `of_number`: it `hashed`."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """For what a number is blocked: for our calls, for our texts."""

    calls: bool
    texts: bool


FREE = Blocked(calls=False, texts=False)
ERASED = Blocked(calls=True, texts=True)  # nobody calls or texts the word that stands in its place


def blocked(connection: Connection, e164: str) -> Blocked:
    """For what a number is blocked; for both where it is no number, as after an erasure."""
    if not is_number(e164):
        return ERASED
    row = connection.execute(_BLOCKED, {"of_number": hashed(connection, e164)}).first()
    return FREE if row is None else Blocked(row.calls, row.texts)


def no_texts(connection: Connection, numbers: Collection[str]) -> set[str]:
    """Those of many numbers that are blocked for texts, or are no numbers any more."""
    keys = {hashed(connection, e164): e164 for e164 in numbers if is_number(e164)}
    told = connection.execute(_BLOCKED_FOR_TEXTS, {"keys": list(keys)}).scalars() if keys else ()
    return {keys[key] for key in told} | {e164 for e164 in numbers if not is_number(e164)}


def silenced(connection: Connection) -> Callable[[str], bool] | None:
    """Whether a number is blocked for texts, for very many of them: asked of the database once. None: none is."""
    keys = frozenset(map(bytes.fromhex, connection.execute(select(_B.number_key).where(_B.texts)).scalars()))
    if not keys:
        return None
    begun = hmac.new(site_key(connection, "block"), digestmod="sha256")

    def asked(e164: str) -> bool:
        mac = begun.copy()  # half of the work is done for all of them
        mac.update(e164.encode())
        return mac.digest() in keys

    return asked


def standing(connection: Connection, numbers: Collection[str]) -> dict[str, tuple[Blocked, int]]:
    """For what each of many numbers is blocked, and when somebody said so; those of which nobody did are left out."""
    key = site_key(connection, "block")
    keys = {_hashed(key, e164): e164 for e164 in numbers}
    found: dict[str, tuple[Blocked, int]] = {}
    asked = list(keys)
    for begin in range(0, len(asked), _AT_ONCE):
        rows = connection.execute(_STANDING, {"keys": asked[begin : begin + _AT_ONCE]})
        found |= {keys[row.number_key]: (Blocked(row.calls, row.texts), row.at) for row in rows}
    return found


def block(
    connection: Connection, pbx: str, e164: str, by: By, now: int, *, calls: bool = False, texts: bool = False
) -> Blocked:
    """Block a number for calls, texts or both, beside what it is blocked for already; give what stands then."""
    had = _locked(connection, e164, by, now)
    stands = Blocked(had.calls or calls, had.texts or texts)
    return _keep(connection, pbx, e164, stands, "block", by, now)


def unblock(
    connection: Connection, pbx: str, e164: str, by: By, now: int, *, calls: bool = True, texts: bool = True
) -> Blocked:
    """Take back a block for calls, texts or both; give what still stands."""
    had = _locked(connection, e164, by, now)
    stands = Blocked(had.calls and not calls, had.texts and not texts)
    return _keep(connection, pbx, e164, stands, "unblock", by, now)


def stands_since(connection: Connection, key: str) -> int | None:
    """When somebody said last for what a number, known by its hash, is blocked; locked. None: nobody did."""
    return connection.execute(_SINCE, {"of_number": key}).scalar()


def put_back(connection: Connection, pbx: str, key: str, had: Blocked, by: By, now: int) -> None:
    """Let a number, known by its hash, be blocked for what it was: a block is undone."""
    _write(connection, pbx, key, had, "undone", by, now)


def _locked(connection: Connection, e164: str, by: By, now: int) -> Blocked:
    """Lock what stands, made when new: two who say something at the same time follow each other."""
    if not is_number(e164):
        raise CallbackError(f"'{e164}' is no number: give it with its country, as in +819012345678")
    key = hashed(connection, e164)
    none = {"calls": False, "texts": False}
    insert_new(connection, t.block, {"number_key": key, **none, "who": by.who, "why": masked_text(by.why), "at": now})
    row = connection.execute(_LOCKED, {"of_number": key}).one()
    return Blocked(row.calls, row.texts)


def _keep(connection: Connection, pbx: str, e164: str, stands: Blocked, action: str, by: By, now: int) -> Blocked:
    _write(connection, pbx, hashed(connection, e164), stands, action, by, now)
    return stands


def _write(connection: Connection, pbx: str, key: str, stands: Blocked, action: str, by: By, now: int) -> None:
    """Write it down, and who said so into the audit, which knows the number by its hash alone."""
    said = {"calls": stands.calls, "texts": stands.texts}
    kept = update(t.block).where(_B.number_key == key)
    connection.execute(kept.values(who=by.who, why=masked_text(by.why), at=now, **said))
    audit.add(connection, pbx, by, action, None, {"number_key": key, **said}, now)


def hashed(connection: Connection, e164: str) -> str:
    """The hash by which a number is known in `block`."""
    return _hashed(site_key(connection, "block"), e164)


def _hashed(key: bytes, e164: str) -> str:
    return hmac.digest(key, e164.encode(), "sha256").hex()


def is_number(e164: str) -> bool:
    """Whether this is a number still: an erasure puts a word in its place."""
    return e164.startswith("+") and e164[1:].isdecimal()
