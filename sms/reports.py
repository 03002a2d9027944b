"""What gateways say of texts after they accepted them: several times, in any order, or before their own answer came.

A report proves that the text was accepted, so it settles a row whose answer was lost. It never takes a text a step
back, and the same report twice changes nothing. What a phone that was off did not get may be sent once more, later: a
text of its own, whose cause is that the first did not arrive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, and_, bindparam, case, func, or_, select, text, update

from sms import outbox
from sms.gateway import Consequence, Progress, Report
from sms.tables import text_outbox

_ORDER: Final[tuple[Progress, ...]] = ("accepted", "sent", "undelivered", "delivered")
_columns = text_outbox.c
_NOT_THERE = text("delivery = 'undelivered'")
# A repetition that failed too is the last
_LOST = or_(text("state IN ('failed', 'expired')"), and_(_NOT_THERE, _columns.cause.endswith(outbox.AGAIN)))
_STUCK = (
    select(_columns.line, _columns.delivery_code, func.count(), func.sum(case((_LOST, 1), else_=0)))
    .where(_columns.claimed_at > bindparam("since"), _columns.delivery_code.is_not(None))
    .where(_columns.pbx == bindparam("of_pbx"), _columns.gateway == bindparam("by"))
    .where(or_(text("state IN ('waiting', 'failed', 'expired')"), _NOT_THERE))
    .group_by(_columns.line, _columns.delivery_code)
    .order_by(_columns.line, _columns.delivery_code)
)


@dataclass(frozen=True, slots=True)
class Taken:
    """The text that a report was about, whether it told anything new, and what is to be done about it."""

    id: int
    recipient: str
    news: bool
    consequence: Consequence = "none"


@dataclass(frozen=True, slots=True)
class Delivery:
    """How far the newest text to somebody came; `progress` is None while no gateway has told."""

    state: str
    progress: Progress | None
    code: str | None


@dataclass(frozen=True, slots=True)
class Stuck:
    """Texts that did not leave, or did not arrive, with the gateway's word for why; how many of them are lost."""

    line: str
    code: str
    texts: int
    lost: int


def take(conn: Connection, ref: str, gateway: str, report: Report, now: int) -> Taken | None:
    """Write down a report on the text `ref`; None if this gateway never had it, or knows it by another name."""
    row = conn.execute(select(text_outbox).where(_columns.id == _id(ref)).with_for_update()).one_or_none()
    if row is None or row.gateway != gateway or row.gateway_ref not in (None, report.gateway_ref):
        return None
    if not row.body:  # erased with the person; the gateway's name of it must not come back
        return None
    if row.delivery is not None and _ORDER.index(report.progress) <= _ORDER.index(row.delivery):
        return Taken(row.id, row.recipient, news=False)
    values = {"delivery": report.progress, "delivery_code": report.code or None, "delivery_at": now}
    if row.state != "sent":
        values |= {"state": "sent", "sent_at": now, "settled_at": now, "lease_until": None}
    conn.execute(update(text_outbox).where(_columns.id == row.id).values(**values, gateway_ref=report.gateway_ref))
    if report.progress == "delivered":
        outbox.withdraw(conn, row.cause + outbox.AGAIN, "the first one arrived after all", now)
    return Taken(row.id, row.recipient, news=True, consequence=report.consequence)


def send_again(conn: Connection, text_id: int, not_before_at: int, now: int) -> bool:
    """Put the text into the outbox once more; False if that was done before, or would be too late."""
    row = conn.execute(select(text_outbox).where(_columns.id == text_id)).one()
    if row.cause.endswith(outbox.AGAIN) or not_before_at >= row.expires_at:
        return False
    same = ("pbx", "recipient", "template", "language", "body", "expires_at", "line", "person", "prefix")
    copied = {name: getattr(row, name) for name in same}
    again = outbox.NewText(cause=row.cause + outbox.AGAIN, not_before_at=not_before_at, **copied)
    return outbox.put(conn, again, now)


def delivery(conn: Connection, recipient: str) -> Delivery | None:
    """How far the newest text to a recipient came; None if there was none."""
    newest = (
        select(_columns.state, _columns.delivery, _columns.delivery_code)
        .where(_columns.recipient == recipient)
        .order_by(_columns.id.desc())
        .limit(1)
    )
    row = conn.execute(newest).first()
    return None if row is None else Delivery(*row)


def stuck(conn: Connection, pbx: str, gateway: str, since: int) -> list[Stuck]:
    """Count, by line and code, which texts that were tried since then are stuck or lost."""
    found = conn.execute(_STUCK, {"of_pbx": pbx, "by": gateway, "since": since})
    return [Stuck(line, code, texts, int(lost)) for line, code, texts, lost in found]


def _id(ref: str) -> int:
    """Read our name of a text; what is none names no row."""
    return int(ref) if ref.isascii() and ref.isdigit() and len(ref) < len(str(1 << 63)) else -1
