"""Transactions that wait for each other on a real server."""

from __future__ import annotations

import time
from typing import Final

from sqlalchemy import text

from callback.store.engine import Store

PATIENCE_S: Final = 20


def wait_until_somebody_waits(store: Store) -> None:
    """Return when another transaction stands in front of a lock of this database."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    end_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < end_s:
        with store.read() as connection:
            if connection.execute(waiting).scalar_one():
                return
    raise AssertionError("nobody came to wait for a lock")
