"""Whether anything was committed since one asked last: cheap enough to be asked several times a second."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import PoolProxiedConnection

from callback.errors import StoreAway, StoreError
from callback.store.engine import Store

_VERSION: Final = "PRAGMA data_version"


class Changes:
    """Asks SQLite by a connection of its own; one that stays with the thread that asks.

    A server has no such word: there a change may always have been, and reading the feed on costs as little.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._connection: PoolProxiedConnection | None = None
        self._version: int | None = None

    def may_have_been(self) -> bool:
        """Whether another connection may have committed since the last call. StoreError where nobody can tell."""
        if not self._store.is_there:
            self.close()
            raise StoreError(f"{self._store.where} is empty: start `callback run` with these settings first")
        if self._store.dialect != "sqlite":
            return True
        try:
            version = self._ask()
        except (DBAPIError, OSError) as error:
            self.close()
            raise StoreAway(f"{self._store.where} cannot be read: {error}") from error
        changed = version != self._version
        self._version = version
        return changed

    def _ask(self) -> int:
        if self._connection is None:
            self._connection = self._store.engine.raw_connection()
            self._connection.detach()  # no reader gets it: the word is about other connections than this
        cursor: Any = self._connection.cursor()
        (version,) = cursor.execute(_VERSION).fetchone()
        cursor.close()
        return int(version)

    def close(self) -> None:
        """Give the connection up; the next call makes another."""
        if self._connection is not None:
            with suppress(DBAPIError):
                self._connection.close()
        self._connection, self._version = None, None
