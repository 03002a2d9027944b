"""Decisions made elsewhere (by a command, a page, a text) are told by the service too, as they come into the audit.

Rows of the audit are committed in the order of their ids, for whoever adds one locks the end of the chain first. So
what comes after the last one that was told is all that is new.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, func, select

from callback.events import News
from callback.store import tables as t
from callback.store.audit import SERVICE

_A = t.audit.c
_SINCE = select(t.audit).where(_A.id > bindparam("last"), _A.pbx == bindparam("of_pbx")).order_by(_A.id).limit(200)
_INCIDENT: Final = "incident-"


class Decided:
    """Remembers which decision was told last, from the start of the service on."""

    def __init__(self, connection: Connection, pbx: str) -> None:
        self._pbx = pbx
        self._seen = self._last = int(connection.execute(select(func.coalesce(func.max(_A.id), 0))).scalar_one())

    def news(self, connection: Connection) -> list[News]:
        """What was decided since the last time that it was told; say `told` then."""
        rows = connection.execute(_SINCE, {"last": self._last, "of_pbx": self._pbx}).all()
        self._seen = rows[-1].id if rows else self._last
        return [_news(row) for row in rows if row.who != SERVICE]  # what the service does it tells itself

    def told(self) -> None:
        """All that `news` gave last was told."""
        self._last = self._seen


def _news(row: Row[Any]) -> News:
    by = {"who": row.who, "why": row.why}
    if row.action.startswith(_INCIDENT):
        return News("incident", row.at, {**row.facts, "state": row.action.removeprefix(_INCIDENT), **by})
    about = {} if row.reservation_id is None else {"reservation": row.reservation_id}
    return News("decided", row.at, {"action": row.action, **by, **about, **row.facts})
