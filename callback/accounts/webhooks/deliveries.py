"""Messages to endpoints: kept until they are delivered, tried again by a fixed row of waits, and listed.

A message has one id at all its tries. While one waits, later ones about the same wait behind it; others go on.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import Connection, RowMapping, bindparam, delete, exists, func, insert, select, text, update

from callback.accounts.change import Change
from callback.accounts.webhooks import endpoints
from callback.accounts.webhooks.endpoints import Endpoint
from callback.errors import CallbackError
from callback.store import tables as t
from callback.store.inserting import insert_all_new
from scheduler.clock import DAY, HOUR, MINUTE, SECOND

State = Literal["waiting", "delivered", "given-up"]
Fault = Literal["", "status", "redirect", "timeout", "unreachable", "certificate", "not-allowed", "bad-url"]
"""Why a message was not taken; empty: it was."""
TEST: Final = "webhook.test"
WAITS: Final = (0, 5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)
"""Before each try of a message."""
KEPT: Final = 30 * DAY
MOST_WAITING: Final = 100_000
"""Messages that wait for one endpoint; with more it is disabled."""

_D: Final = t.hook_delivery.c
_earlier = t.hook_delivery.alias("earlier")
_DUE: Final = (
    select(t.hook_delivery)
    .where(_D.pbx == bindparam("of_pbx"), _D.endpoint_id == bindparam("of_endpoint"), t.TO_DELIVER)
    .where(_D.next_at <= bindparam("now"))
    .where(
        ~exists().where(
            _earlier.c.endpoint_id == _D.endpoint_id,
            _earlier.c.about == _D.about,
            _earlier.c.id < _D.id,
            text("earlier.state = 'waiting'"),  # in the words of its index
        )
    )
    .order_by(_D.next_at, _D.id)
    .limit(bindparam("most"))
)
_WAITING: Final = select(func.count()).where(
    _D.pbx == bindparam("of_pbx"), _D.endpoint_id == bindparam("of_endpoint"), t.TO_DELIVER
)
_ONE: Final = update(t.hook_delivery).where(_D.id == bindparam("of_id"))
_NEWEST: Final = (
    select(t.hook_delivery)
    .where(_D.endpoint_id == bindparam("of_endpoint"), _D.id < bindparam("before"))
    .order_by(_D.id.desc())
    .limit(bindparam("most"))
)
_NEXT: Final = select(func.min(_D.next_at)).where(
    _D.pbx == bindparam("of_pbx"), _D.endpoint_id == bindparam("of_endpoint"), t.TO_DELIVER
)
_OLD: Final = select(_D.id).where(_D.made_at < bindparam("before")).order_by(_D.made_at).limit(bindparam("most"))


@dataclass(frozen=True, slots=True)
class Message:
    """What an endpoint is told: `key` names it among all that it was ever told, `about` whom or what it is about."""

    type: str
    at: int
    about: str
    data: dict[str, Any]
    key: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message to one endpoint, and how its tries went."""

    id: int
    endpoint: int
    message: str
    type: str
    at: int
    data: dict[str, Any]
    made_at: int
    state: State
    next_at: int
    tries: int
    tried_at: int | None
    status: int | None
    fault: Fault

    @property
    def reservation(self) -> int | None:
        """The reservation that it is about."""
        found: int | None = self.data.get("reservation")
        return found


def queue(connection: Connection, pbx: str, endpoint: Endpoint, messages: Sequence[Message], now: int) -> bool:
    """Keep messages for an endpoint, each once; False where too many wait already, and none is kept."""
    asked = {"of_pbx": pbx, "of_endpoint": endpoint.id}
    if connection.execute(_WAITING, asked).scalar_one() + len(messages) > MOST_WAITING:
        return False
    rows = [_row(pbx, endpoint, message, now) for message in messages]
    if rows:
        insert_all_new(connection, t.hook_delivery, rows)
    return True


def due(connection: Connection, pbx: str, endpoint: int, now: int, most: int) -> list[Delivery]:
    """Give messages that may be sent to an endpoint now, in order."""
    asked = {"of_pbx": pbx, "of_endpoint": endpoint, "now": now, "most": most}
    return [_delivery(row) for row in connection.execute(_DUE, asked).mappings()]


def tried(connection: Connection, one: Delivery, now: int, fault: Fault, status: int | None, wait: int) -> None:
    """Keep how a try went; `wait` before the next one is that after a failure."""
    tries = one.tries + 1
    state = "delivered" if not fault else "given-up" if tries >= len(WAITS) else "waiting"
    values = {"state": state, "tries": tries, "tried_at": now, "status": status, "fault": fault, "next_at": now + wait}
    connection.execute(_ONE.values(**values), {"of_id": one.id})


def newest(connection: Connection, endpoint: int, most: int, before: int | None = None) -> list[Delivery]:
    """Give an endpoint's messages, the newest first; `before` that one."""
    asked = {"of_endpoint": endpoint, "most": most, "before": before or 2**62}
    return [_delivery(row) for row in connection.execute(_NEWEST, asked).mappings()]


def waiting(connection: Connection, pbx: str, endpoint: int) -> tuple[int, int | None]:
    """Give how many messages wait for an endpoint, and when the next one may be tried."""
    asked = {"of_pbx": pbx, "of_endpoint": endpoint}
    return connection.execute(_WAITING, asked).scalar_one(), connection.execute(_NEXT, asked).scalar_one()


def test(change: Change, endpoint: int) -> None:
    """Let an endpoint be sent a message that tells of nothing."""
    to = endpoints.find(change.connection, endpoint)
    if to.disabled:
        raise CallbackError(f"endpoint {endpoint} is disabled: enable it first")
    message = Message(TEST, change.now, f"test/{secrets.token_hex(8)}", {"test": True}, secrets.token_hex(16))
    change.connection.execute(insert(t.hook_delivery), _row(change.pbx, to, message, change.now))
    change.audit("webhook-tested", endpoint=endpoint)


def replay(change: Change, endpoint: int, delivery: int) -> None:
    """Send a message once more, with the id that it had. CallbackError where the endpoint has no such message."""
    again = {"state": "waiting", "next_at": change.now, "tries": 0, "fault": ""}
    of_endpoint = _ONE.where(_D.endpoint_id == endpoint).values(**again)
    if not change.connection.execute(of_endpoint, {"of_id": delivery}).rowcount:
        raise CallbackError(f"endpoint {endpoint} has no message {delivery}")
    change.audit("webhook-replayed", endpoint=endpoint, delivery=delivery)


def forget(connection: Connection, now: int, most: int) -> int:
    """Delete messages that were made long ago, at most so many; give how many."""
    ids = connection.execute(_OLD, {"before": now - KEPT, "most": most}).scalars().all()
    if ids:
        connection.execute(delete(t.hook_delivery).where(_D.id.in_(ids)))
    return len(ids)


def _row(pbx: str, to: Endpoint, message: Message, now: int) -> dict[str, Any]:
    named = hashlib.sha256(f"{to.made_at}/{to.id}/{pbx}/{message.key}".encode()).hexdigest()[:32]
    return {
        "pbx": pbx,
        "endpoint_id": to.id,
        "message": f"msg_{named}",
        "type": message.type,
        "happened_at": message.at,
        "about": message.about,
        "data": message.data,
        "made_at": now,
        "state": "waiting",
        "next_at": now,
        "tries": 0,
        "fault": "",
    }


def _delivery(row: RowMapping) -> Delivery:
    same = ("id", "message", "type", "data", "made_at", "state", "next_at", "tries", "tried_at", "status", "fault")
    return Delivery(endpoint=row["endpoint_id"], at=row["happened_at"], **{name: row[name] for name in same})
