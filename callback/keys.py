"""Keys of this site: each purpose has its own, all from one random root that is made once and stays in the database."""

from __future__ import annotations

import hmac
import secrets
from typing import Final

from sqlalchemy import Connection, select

from callback.store import tables as t
from callback.store.engine import clock
from callback.store.inserting import insert_new

ROOT_BYTES: Final = 32
_ROOT = select(t.site_key.c.root)


def site_key(connection: Connection, purpose: str) -> bytes:
    """Give the site's key for a purpose: 32 bytes, always the same ones.

    A service's start makes the root, or whoever imports before that. Only what is committed stays: keep nothing that
    was made with a key which a transaction that only looks was the first to ask for. HKDF-Expand (RFC 5869) over the
    root, which is random.
    """
    return hmac.digest(bytes.fromhex(make_root(connection)), purpose.encode() + b"\x01", "sha256")


def make_root(connection: Connection) -> str:
    """Give the root of all keys, made where there is none."""
    root: str | None = connection.execute(_ROOT).scalar_one_or_none()
    if root is None:
        fresh = {"id": 1, "root": secrets.token_hex(ROOT_BYTES), "made_at": clock(connection)}
        insert_new(connection, t.site_key, fresh)
        root = connection.execute(_ROOT).scalar_one()  # another may have been quicker
    return root
