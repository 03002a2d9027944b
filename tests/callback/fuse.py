"""A power cut between any two statements: whoever writes dies there, and nobody clears up after him."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from callback.store.engine import Store


class PowerCut(BaseException):
    """The process dies. No `except Exception` of its own lives to see it."""


class Fuse:
    """Blows before the n-th statement, or commit, that a store is given once it is lit."""

    def __init__(self, store: Store) -> None:
        self.blown = False
        self._left: int | None = None
        for what in ("before_cursor_execute", "commit"):
            event.listen(store.engine, what, self._burn)

    def _burn(self, *_: object) -> None:
        if self._left is None:
            return
        self._left -= 1
        if self._left < 0:
            self._left, self.blown = None, True
            raise PowerCut

    @contextmanager
    def lit(self, statements: int) -> Iterator[None]:
        """Cut the power after so many statements; `blown` tells whether it came to that."""
        self._left, self.blown = statements, False
        try:
            yield
        except PowerCut:
            pass
        finally:
            self._left = None
