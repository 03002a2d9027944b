"""How long agents are asked how a callback went, how long they may change what they said, and when it stands."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, bindparam, exists

from callback.store import tables as t
from scheduler.clock import HOUR, MINUTE

CHANGES_US: Final = 10 * MINUTE
"""So long after the first word another one may be said."""
ASKED_US: Final = 12 * HOUR
"""So long after a callback it is asked how it went: a shift."""

_R, _W = t.reservation.c, t.wrap_up.c
_SINCE: Final[Any] = bindparam("words_since")
_OF_IT = _W.reservation_id == _R.id
STANDS: Final[ColumnElement[bool]] = (
    ~_R.open
    & ~exists().where(_OF_IT, _W.at > _SINCE)
    & ((_R.state != "reached") | (_R.state_since_at <= _SINCE) | exists().where(_OF_IT))
)
"""Of a reservation: how it ended is sure. Where somebody was reached, or its agent has said how it went, that may turn
out otherwise for `CHANGES_US`. Asked with `since(now)`."""


def since(now: int) -> dict[str, int]:
    """What `STANDS` is asked with."""
    return {"words_since": now - CHANGES_US}
