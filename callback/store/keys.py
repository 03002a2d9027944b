"""Keys of this site: each purpose has its own, all from one random root that is made once.

The root stays in the database unless the settings keep it outside: then only its fingerprint is there, so that a copy
of the database opens nothing, and a key that is not this site's is found at once.
"""

from __future__ import annotations

import hmac
from typing import Final

from sqlalchemy import Connection, select, update

from callback.errors import StoreError
from callback.events import SiteKey
from callback.settings.sections import Database
from callback.store import schema
from callback.store import tables as t
from callback.store.engine import Store, clock
from callback.store.inserting import insert_new
from callback.store.outside import Outside, fresh_root

_KEPT = select(t.site_key.c.root)
_MARK: Final = "outside "
"""Before a fingerprint, in the place of the root: a version that knows no keys outside fails instead of using it."""
_ROOM: Final = 64
INSIDE: Final = "the site's key is in the database: whoever copies it can find blocked numbers out"
REMEDY: Final = "[database] key_file = a file in another folder, and a restart, takes it out: docs/privacy.md"


def store_of(database: Database) -> Store:
    """Give the database of the settings, with its key wherever that is kept."""
    outside = Outside(database.key_file, database.key) if database.key_file or database.key else None
    return Store(database.url, outside)


def site_key(connection: Connection, purpose: str) -> bytes:
    """Give the site's key for a purpose: 32 bytes, always the same ones.

    A service's start makes the root, or whoever imports before that. Only what is committed stays: keep nothing that
    was made with a key which a transaction that only looks was the first to ask for. HKDF-Expand (RFC 5869) over the
    root, which is random.
    """
    return _expanded(make_root(connection), purpose)


def make_root(connection: Connection) -> str:
    """Give the root of all keys, made where there is none. StoreError where it is not to be had, or another site's."""
    options = connection.get_execution_options()
    known: str = options["lcr_root"]
    return known or _proved(_kept(connection) or _made(connection), options["lcr_outside"])


def check(store: Store) -> None:
    """Let a process go on with the key that it has now, or raise StoreError; the key stays where it is."""
    kept = _stored(store)
    if kept is not None:
        store.root = _proved(kept, store.outside)
    elif store.outside is not None:
        store.outside.read()  # a new database: whoever takes it over makes the key, where there is none


def take_out(store: Store) -> list[SiteKey]:
    """Take the root out of the database, where the settings say so. Only its service may: others would go on without.

    Whatever ends this half way, the root stands in the database, in the file, or in both; the next start goes on.
    """
    with store.write() as connection:
        root = make_root(connection)
        inside = not _is_fingerprint(_kept(connection))
    if store.outside is None:
        store.root = root
        return [SiteKey(inside=True, why=f"{INSIDE}; {REMEDY}")]
    moved = store.transact(_moved) if inside else False
    store.forget_overwritten()
    store.root = root
    why = f"it was taken out of the database into {store.outside}: keep a copy of it, apart from the database's"
    return [SiteKey(inside=False, why=why)] if moved else []


def is_inside(store: Store) -> bool:
    """Whether the root stands in the database."""
    kept = _stored(store)
    return kept is not None and not _is_fingerprint(kept)


def _stored(store: Store) -> str | None:
    """Give what a database keeps; None for a new one."""
    with store.read() as connection:
        return _kept(connection) if schema.revision_of(connection) else None


def _kept(connection: Connection) -> str | None:
    kept: str | None = connection.execute(_KEPT).scalar_one_or_none()
    return kept


def _made(connection: Connection) -> str:
    outside: Outside | None = connection.get_execution_options()["lcr_outside"]
    made = fresh_root() if outside is None else _fingerprint(outside.read() or outside.keep(fresh_root()))
    insert_new(connection, t.site_key, {"id": 1, "root": made, "made_at": clock(connection)})
    kept: str = connection.execute(_KEPT).scalar_one()  # another may have been quicker
    return kept


def _moved(connection: Connection) -> bool:
    """Put the fingerprint in the root's place, once the root is on the disk outside; one process at a time."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE site_key IN ACCESS EXCLUSIVE MODE")
    outside: Outside = connection.get_execution_options()["lcr_outside"]
    row = connection.execute(select(t.site_key)).one()
    if _is_fingerprint(row.root):
        return False  # another was quicker
    root = _proved(row.root, outside)
    if outside.keep(root) != root:
        raise _differs(outside)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("TRUNCATE site_key")  # a new file: an update leaves the old row in the old one
        connection.execute(t.site_key.insert().values(id=row.id, root=_fingerprint(root), made_at=row.made_at))
    else:
        connection.exec_driver_sql("PRAGMA secure_delete = ON")  # what is freed is overwritten
        connection.execute(update(t.site_key).values(root=_fingerprint(root)))
    return True


def _proved(kept: str, outside: Outside | None) -> str:
    """Give the root, by what the database keeps and what is outside of it."""
    if outside is None:
        if _is_fingerprint(kept):
            raise StoreError(
                "the site's key is not in this database any more: say where it is, by [database] key_file or"
                " CALLBACK_DATABASE__KEY in the environment, as where the service ran before"
            )
        return kept
    given = outside.read()
    if not _is_fingerprint(kept):
        if given not in (None, kept):
            raise _differs(outside)
        return kept
    if given is None:
        raise StoreError(
            f"{outside} is not there, and without the site's key no block is known and no link opens: put it back"
            " from its backup, or from another host of this site"
        )
    if _fingerprint(given) != kept:
        raise StoreError(f"{outside} is the key of another site: name that of the site whose database this is")
    return given


def _differs(outside: Outside) -> StoreError:
    return StoreError(
        f"{outside} is not the key that stands in this database: name a key_file that is not there yet, and"
        " `callback run` moves the key into it"
    )


def _is_fingerprint(kept: str | None) -> bool:
    return kept is not None and kept.startswith(_MARK)


def _fingerprint(root: str) -> str:
    return (_MARK + _expanded(root, "fingerprint").hex())[:_ROOM]


def _expanded(root: str, purpose: str) -> bytes:
    return hmac.digest(bytes.fromhex(root), purpose.encode() + b"\x01", "sha256")
