"""Texts that may still be taken back as if they were never written: how they stood, and how that is put back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import BindParameter, bindparam, delete, func, insert, or_, select, update

from sms.tables import LEFT, SENDING, WAITING, text_outbox

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection

_columns = text_outbox.c
# Made once: to build a statement costs several times what it costs to run it.
_OF = (
    select(_columns.recipient, _columns.id, _columns.state, _columns.not_before_at, _columns.expires_at)
    .where(_columns.recipient.in_(bindparam("recipients", expanding=True)))
    .order_by(_columns.id)
)
_KNOWN = _columns.id.not_in(bindparam("known", expanding=True))
_WITHHOLD = (
    update(text_outbox)
    .where(_columns.recipient.in_(bindparam("recipients", expanding=True)), WAITING, _KNOWN)
    .where(_columns.not_before_at < bindparam("until_at"))
    .values(not_before_at=bindparam("until_at"))
)
_TIMES: dict[str, BindParameter[int]] = {
    "not_before_at": bindparam("was_not_before_at"),
    "expires_at": bindparam("was_expires_at"),
}
_WAITS_AGAIN = (
    update(text_outbox)
    .where(_columns.id == bindparam("of_id"), _columns.state == "withdrawn")
    .values(state="waiting", reason=None, settled_at=None, **_TIMES)
)
_STANDS = (
    update(text_outbox)
    .where(_columns.id == bindparam("of_id"), LEFT, _columns.expires_at != bindparam("was_expires_at"))
    .values(expires_at=bindparam("was_expires_at"))
)
_NEVER_WRITTEN = delete(text_outbox).where(_columns.id.in_(bindparam("ids", expanding=True)), WAITING)
_LEFT_OPEN = (
    update(text_outbox)
    .where(or_(WAITING, SENDING))
    .values(
        state="unknown", lease_until=None, reason=bindparam("why"), settled_at=bindparam("now"),
        expires_at=bindparam("now"),
    )
)  # fmt: skip
_LAST = select(func.coalesce(func.max(_columns.id), 0))
_HAVE_LEFT: Final = ("sending", "sent", "unknown")


@dataclass(frozen=True, slots=True)
class Standing:
    """How one text stood: its state, and between which instants it may be sent."""

    id: int
    state: str
    not_before_at: int
    expires_at: int


def standing(conn: Connection, recipients: Collection[str]) -> dict[str, list[Standing]]:
    """How every text to these recipients stands; a recipient without one has an empty list."""
    found: dict[str, list[Standing]] = {recipient: [] for recipient in recipients}
    for recipient, *row in conn.execute(_OF, {"recipients": list(recipients)}) if recipients else ():
        found[recipient].append(Standing(*row))
    return found


def withhold(conn: Connection, before: dict[str, list[Standing]], until_at: int) -> None:
    """Let what was written to these recipients since then wait until `until_at` at least."""
    known = [text.id for texts in before.values() for text in texts]
    if before:
        conn.execute(_WITHHOLD, {"recipients": list(before), "known": known, "until_at": until_at})


def put_back(conn: Connection, recipient: str, before: Sequence[Standing]) -> bool:
    """Let the texts to a recipient stand as they did: what was written since is removed, what was taken back waits.

    False, with nothing changed, where a text that was written since has left, or is just being sent.
    """
    known = {text.id for text in before}
    new = [text for text in standing(conn, [recipient])[recipient] if text.id not in known]
    if any(text.state in _HAVE_LEFT for text in new):
        return False
    waiting = [text.id for text in new if text.state == "waiting"]
    if waiting and conn.execute(_NEVER_WRITTEN, {"ids": waiting}).rowcount != len(waiting):
        return False
    for text in before:
        was = {"of_id": text.id, "was_not_before_at": text.not_before_at, "was_expires_at": text.expires_at}
        if text.state == "waiting":
            conn.execute(_WAITS_AGAIN, was)
        elif text.state in _HAVE_LEFT:
            conn.execute(_STANDS, was)
    return True


def count_as_unknown(connection: Connection, why: str, now: int, room: int) -> int:
    """Let every text that has not left count as one that may have; give how many. Nobody sends them any more.

    For a database that was put back from a backup: what became of them since is not known there. Numbers go on `room`
    behind the last one, where a mark stands: a gateway's late report is about a text that was written since.
    """
    moved = connection.execute(_LEFT_OPEN, {"why": why, "now": now})
    last = connection.execute(_LAST).scalar_one()
    mark = {
        "id": last + room,
        "cause": f"restored/{last + room}",
        "state": "withdrawn",
        "reason": why,
        "settled_at": now,
    }
    nobody = {"pbx": "", "recipient": "", "template": "", "language": "", "body": "", "tries": 0, "fence": 0}
    times = {"created_at": now, "not_before_at": now, "expires_at": now}
    connection.execute(insert(text_outbox), mark | nobody | times)
    return moved.rowcount
