"""Delivery of texts from the outbox to the gateway: claim and commit, send, settle and commit.

Several texts are sent at once, each as soon as it is claimed, so that no lease runs out behind a slow one. The results
that have come back are settled, and as many new texts are claimed, in one transaction.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlalchemy import Connection

from sms import outbox
from sms.caps import Caps
from sms.gateway import OptedOut, Receipt, Refused, Sender, Unsent

log = logging.getLogger(__name__)

LINGER_S = 0.01
_REASON_LENGTH = 500

AddressBook = Callable[[], AbstractContextManager[Callable[[str], str | None]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRules:
    """How texts are claimed and tried again: `senders` at once, within the `caps`.

    With `pbx`, the texts of other PBXs are left to their own sender. Each text is sent as soon as it is claimed:
    `lease_s` need only be longer than a gateway takes for one.
    """

    pbx: str | None = None
    senders: int = 1
    caps: Caps | None = None
    lease_s: float = outbox.LEASE_S
    backoff_s: Sequence[float] = outbox.BACKOFF_S


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryHooks:
    """What delivery asks and tells its caller.

    No more texts are claimed once `until` holds. `opted_out` is called, in the transaction that settles the text, with
    a recipient to whom the carrier may send nothing. `looked_up` is called with how looking numbers up went: None, or
    an unexpected error; those texts are tried again, and the error comes once for all of them.
    """

    until: Callable[[], bool] = lambda: False
    opted_out: Callable[[Connection, str, int], None] | None = None
    looked_up: Callable[[Exception | None], None] = lambda _fault: None


_RULES, _HOOKS = DeliveryRules(), DeliveryHooks()


def deliver(
    open_transaction: Callable[[], AbstractContextManager[Connection]],
    gateway: Sender,
    address_book: AddressBook,
    now: Callable[[], int],
    limit: int,
    rules: DeliveryRules = _RULES,
    hooks: DeliveryHooks = _HOOKS,
) -> int:
    """Send up to `limit` due texts; return how many were claimed, whatever became of them.

    `open_transaction` commits when its block ends and rolls back when it raises; none of ours is open while the gateway
    or the address book works. The book is opened for a handful of texts at a time. It turns a recipient into a number,
    or None if there is none, and may raise `Refused` to say why not.
    """
    at = now()
    with open_transaction() as conn:
        outbox.lapse(conn, at)
    taken, done = 0, dict[outbox.Text, _Outcome]()
    in_flight: dict[Future[_Outcome], outbox.Text] = {}
    with ThreadPoolExecutor(rules.senders, thread_name_prefix="texts") as pool:
        while True:
            free = 0 if hooks.until() else min(rules.senders - len(in_flight), limit - taken)
            claimed = []
            if free or done:
                at = now()
                with open_transaction() as conn:
                    _settle(conn, done, at, rules.backoff_s, hooks.opted_out)
                    if free:
                        claimed = outbox.claim(conn, at, free, rules.lease_s, gateway.name, rules.pbx, rules.caps)
            taken += len(claimed)
            done = {}
            for text, number in _addressed(claimed, address_book, hooks.looked_up, rules.lease_s).items():
                if isinstance(number, str):
                    in_flight[pool.submit(_send, text, number, gateway)] = text
                else:
                    done[text] = number
            if in_flight:
                done |= _ended(in_flight)
            elif not done:
                return taken


@dataclass(frozen=True, slots=True)
class _Ambiguous:
    """The gateway was asked, and nobody can tell whether it accepted."""

    reason: str


_Outcome = Receipt | Refused | Unsent | _Ambiguous


def _ended(in_flight: dict[Future[_Outcome], outbox.Text]) -> dict[outbox.Text, _Outcome]:
    """Wait until a text has come back, and a moment for those beside it: one transaction settles them all."""
    wait(in_flight, return_when=FIRST_COMPLETED)
    ended = wait(in_flight, LINGER_S).done
    return {in_flight.pop(sent): sent.result() for sent in ended}


def _addressed(
    texts: Sequence[outbox.Text],
    address_book: AddressBook,
    looked_up: Callable[[Exception | None], None],
    lease_s: float,
) -> dict[outbox.Text, str | Refused | Unsent]:
    """Look up the number of each text; none is sent once its lease ran out meanwhile.

    Both clocks are looked at: one stands still while the machine sleeps, the other can be set.
    """
    if not texts:
        return {}
    wall, steady = time.time(), time.monotonic()
    faults: list[Exception] = []
    try:
        with address_book() as address:
            numbers = {text: _number(text.recipient, address, faults) for text in texts}
    except Unsent as no:  # whoever keeps the numbers knows why, and says so
        numbers = dict.fromkeys(texts, no)
    except Exception as fault:  # noqa: BLE001 - whatever an address book raises, the texts wait
        numbers = dict.fromkeys(texts, _unforeseen(fault, faults))
    looked_up(faults[0] if faults else None)
    if max(time.time() - wall, time.monotonic() - steady) >= lease_s:
        return dict.fromkeys(texts, Unsent("the lease ran out before the text was sent"))
    return numbers


def _number(recipient: str, address: Callable[[str], str | None], faults: list[Exception]) -> str | Refused | Unsent:
    try:
        return address(recipient) or Refused("no number")
    except (Refused, Unsent) as no:
        return no
    except Exception as fault:  # noqa: BLE001 - as above
        return _unforeseen(fault, faults)


def _unforeseen(fault: Exception, faults: list[Exception]) -> Unsent:
    faults.append(fault)
    return Unsent(f"the number could not be looked up ({type(fault).__name__})")


def _send(text: outbox.Text, to: str, gateway: Sender) -> _Outcome:
    try:
        return gateway.send(to, text.body, text.ref, text.line)
    except Refused as no:
        return type(no)(_without(to, no.reason), no.code)
    except Unsent as no:
        return Unsent(_without(to, no.reason), no.code)
    except Exception as fault:  # noqa: BLE001 - whatever else a gateway raises, the text may be on its way
        return _Ambiguous(_without(to, f"{type(fault).__name__}: {fault}"))


def _without(number: str, reason: str) -> str:
    """Leave the number out of a reason: it must stand in no second table. PostgreSQL's text takes no NUL."""
    return reason.replace(number.removeprefix("+"), "…").replace("\0", "")[:_REASON_LENGTH]


def _settle(
    conn: Connection,
    done: Mapping[outbox.Text, _Outcome],
    now: int,
    backoff_s: Sequence[float],
    opted_out: Callable[[Connection, str, int], None] | None,
) -> None:
    sent = {text: outcome for text, outcome in done.items() if isinstance(outcome, Receipt)}
    if outbox.settle_sent(conn, sent, now) < len(sent):
        log.warning("of these texts some were settled before their sender came back: %s", [t.cause for t in sent])
    for text, outcome in done.items():
        match outcome:
            case Receipt():
                continue
            case Refused():
                kept = outbox.settle_refused(conn, text, outcome.reason, now, outcome.code)
            case Unsent():
                kept = outbox.settle_unsent(conn, text, outcome.reason, now, backoff_s, outcome.code)
            case _Ambiguous():
                kept = outbox.settle_unknown(conn, text, outcome.reason, now)
        if isinstance(outcome, OptedOut) and opted_out is not None:
            opted_out(conn, text.recipient, now)
        if not kept:
            log.warning("text %s was settled before its sender came back (%s)", text.cause, outcome)
