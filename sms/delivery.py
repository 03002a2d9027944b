"""The walk of a text from the outbox to the gateway: claim and commit, send, settle and commit."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sms import outbox
from sms.gateway import Gateway, Receipt, Refused, Unsent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection

log = logging.getLogger(__name__)

_REASON_LENGTH = 500


def deliver(
    open_transaction: Callable[[], AbstractContextManager[Connection]],
    gateway: Gateway,
    address: Callable[[str], str | None],
    now: Callable[[], int],
    limit: int,
    *,
    pbx: str | None = None,
    lease_s: float = outbox.LEASE_S,
    backoff_s: Sequence[float] = outbox.BACKOFF_S,
) -> int:
    """Send up to `limit` due texts, one by one; return how many were taken up, whatever became of them.

    `open_transaction` commits when its block ends and undoes when it raises; none is open while `gateway`,
    `address` or `now` works. `address` turns a recipient into a number, or None if there is none, and may
    raise `Refused` to say why not. With `pbx`, the texts of other PBXs are left to their own sender. Each text
    has a lease of its own, so `lease_s` need only be longer than the gateway's time-out.
    """
    at = now()
    with open_transaction() as conn:
        outbox.lapse(conn, at)
    for taken in range(limit):
        at = now()
        with open_transaction() as conn:
            claimed = outbox.claim(conn, at, 1, lease_s, gateway.name, pbx)
        if not claimed:
            return taken
        outcome = _send(claimed[0], gateway, address, now)
        at = now()
        with open_transaction() as conn:
            _settle(conn, claimed[0], outcome, at, backoff_s)
    return limit


@dataclass(frozen=True, slots=True)
class _Ambiguous:
    """The gateway was asked, and nobody can tell whether it accepted."""

    reason: str


_Outcome = Receipt | Refused | Unsent | _Ambiguous


def _send(
    text: outbox.Text, gateway: Gateway, address: Callable[[str], str | None], now: Callable[[], int]
) -> _Outcome:
    to = _number(text.recipient, address)
    if not isinstance(to, str):
        return to
    if now() >= text.lease_until:  # this process slept, or the number took long to look up
        return Unsent("the lease ran out before the text was sent")
    try:
        return gateway.send(to, text.body, text.cause)
    except Refused as no:
        return Refused(_without(to, no.reason))
    except Unsent as no:
        return Unsent(_without(to, no.reason))
    except Exception as fault:  # noqa: BLE001 - whatever else a gateway raises, the text may be on its way
        return _Ambiguous(_without(to, f"{type(fault).__name__}: {fault}"))


def _number(recipient: str, address: Callable[[str], str | None]) -> str | Refused | Unsent:
    try:
        return address(recipient) or Refused("no number")
    except (Refused, Unsent) as no:
        return no
    except Exception as fault:
        log.exception("the number of %s could not be looked up", recipient)
        return Unsent(f"the number could not be looked up ({type(fault).__name__})")


def _without(number: str, reason: str) -> str:
    """Leave the number out of a reason: it must stand in no second table. PostgreSQL's text takes no NUL."""
    return reason.replace(number.removeprefix("+"), "…").replace("\0", "")[:_REASON_LENGTH]


def _settle(conn: Connection, text: outbox.Text, outcome: _Outcome, now: int, backoff_s: Sequence[float]) -> None:
    match outcome:
        case Receipt():
            kept = outbox.settle_sent(conn, text, outcome, now)
        case Refused():
            kept = outbox.settle_refused(conn, text, outcome.reason, now)
        case Unsent():
            kept = outbox.settle_unsent(conn, text, outcome.reason, now, backoff_s)
        case _Ambiguous():
            kept = outbox.settle_unknown(conn, text, outcome.reason, now)
    if not kept:
        log.warning("text %s lost its lease before its sender came back (%s)", text.cause, outcome)
