"""Delivery of texts from the outbox to the gateway: claim and commit, send, settle and commit.

Several texts are sent at once, each as soon as it is claimed and its account lets it, so that no lease runs out behind
a slow one. The results that have come back are settled, and as many new texts are claimed, in one transaction: the
slower the database, the more of them at a time.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from sqlalchemy import Connection

from sms import outbox, pace
from sms.caps import Caps, one_counts
from sms.gateway import CODE_LENGTH, PAUSE_S, OptedOut, Receipt, Refused, Sender, TooFast, Unsent

log = logging.getLogger(__name__)

LINGER_S = 0.01
PATIENCE_S = 0.5  # an account that may be asked later than this is left to the next delivery
_REASON_LENGTH = 500

AddressBook = Callable[[Collection[str]], Mapping[str, str | Exception | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRules:
    """How texts are claimed and tried again: `senders` on their way at once, within the `caps`.

    With `pbx`, the texts of other PBXs are left to their own sender. Each text is sent as soon as it is claimed:
    `lease_s` need only be longer than a gateway takes for one. An account that was asked too fast rests for `pause_s`,
    and twice as long each time that it says so again.
    """

    pbx: str | None = None
    senders: int = 1
    caps: Caps | None = None
    lease_s: float = outbox.LEASE_S
    backoff_s: Sequence[float] = outbox.BACKOFF_S
    pause_s: float = PAUSE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryHooks:
    """What delivery asks and tells its caller.

    No more texts are claimed once `until` holds. `opted_out` is called, in the transaction that settles the text, with
    a recipient to whom the carrier may send nothing, and `refused` with each text that will not be sent, and the
    gateway's code for why. `looked_up` is called with how looking numbers up went: None, or
    an unexpected error; those texts are tried again, and the error comes once for all of them. `came_back` is called,
    in the transaction that settles them, with how many texts came back how: sent, refused, unsent or unknown, and the
    gateway's code.
    """

    until: Callable[[], bool] = lambda: False
    opted_out: Callable[[Connection, str, int], None] | None = None
    refused: Callable[[Connection, outbox.Text, str, int], None] | None = None
    looked_up: Callable[[Exception | None], None] = lambda _fault: None
    came_back: Callable[[Connection, Mapping[tuple[str, str], int]], None] | None = None


_RULES, _HOOKS = DeliveryRules(), DeliveryHooks()


async def deliver(
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
    or the address book works. Transactions and book are used in worker threads, one at a time. The book turns
    recipients into numbers: None where there is none, `Refused` to say why not, another exception where one cannot be
    looked up.

    Where a transaction fails, what is on its way comes back, and is settled if that can be done by then.
    """
    desk = _Desk(open_transaction, gateway, address_book, now, rules, hooks)
    await asyncio.to_thread(desk.lapse)
    taken, done = 0, dict[outbox.Text, _Outcome]()
    in_flight: dict[asyncio.Task[_Outcome], outbox.Text] = {}
    try:
        while True:
            room = 0 if hooks.until() else min(rules.senders - len(in_flight), limit - taken)
            claimed = _Claimed()
            if room or done:
                claimed = await asyncio.to_thread(desk.settle_and_claim, done, room)
            taken += len(claimed.texts)
            done = {}
            for text, number in claimed.numbers.items():
                in_flight[asyncio.create_task(desk.send(text, number, claimed))] = text
            if in_flight:
                done = await _ended(in_flight, claimed.again_in_s)
            elif claimed.again_in_s is None or claimed.again_in_s > PATIENCE_S:
                return taken
            else:
                await asyncio.sleep(claimed.again_in_s)
    except Exception:
        done |= await _ended(in_flight, everything=True)
        if done:
            await asyncio.to_thread(desk.settle_and_claim, done, 0)
        raise
    except BaseException:
        for sending in in_flight:  # as if the process had died: nobody can tell what became of them
            sending.cancel()
        raise


@dataclass(frozen=True, slots=True)
class _Ambiguous:
    """The gateway was asked, and nobody can tell whether it accepted."""

    reason: str


_Outcome = Receipt | Refused | Unsent | _Ambiguous


@dataclass(frozen=True, slots=True)
class _Claimed:
    """Claimed texts with the instants at which they may leave, and their numbers.

    `again_in_s`: texts that are due may be waiting until then, when their account has room. None: nothing waits for it.
    The clocks are those before the claim.
    """

    texts: Mapping[outbox.Text, int] = field(default_factory=dict)
    numbers: Mapping[outbox.Text, str | Refused | Unsent] = field(default_factory=dict)
    again_in_s: float | None = None
    wall: float = 0.0
    steady: float = 0.0


async def _ended(
    in_flight: dict[asyncio.Task[_Outcome], outbox.Text], within_s: float | None = None, *, everything: bool = False
) -> dict[outbox.Text, _Outcome]:
    """Wait until a text has come back, and a moment for those beside it: one transaction settles them all."""
    if in_flight:
        when = asyncio.ALL_COMPLETED if everything else asyncio.FIRST_COMPLETED
        ended, others = await asyncio.wait(in_flight, timeout=within_s, return_when=when)
        if ended and others:
            await asyncio.wait(others, timeout=LINGER_S)
    return {in_flight.pop(sent): sent.result() for sent in list(in_flight) if sent.done()}


class _Desk:
    """What one delivery does between two of its waits."""

    def __init__(
        self,
        open_transaction: Callable[[], AbstractContextManager[Connection]],
        gateway: Sender,
        address_book: AddressBook,
        now: Callable[[], int],
        rules: DeliveryRules,
        hooks: DeliveryHooks,
    ) -> None:
        self._open_transaction, self._gateway, self._address_book = open_transaction, gateway, address_book
        self._now, self._rules, self._hooks = now, rules, hooks

    def lapse(self) -> None:
        """Settle what time has settled."""
        at = self._now()
        with self._open_transaction() as conn:
            outbox.lapse(conn, at)

    def settle_and_claim(self, done: Mapping[outbox.Text, _Outcome], room: int) -> _Claimed:
        """Settle what came back and claim up to `room` texts in one transaction; then look their numbers up."""
        wall, steady, at = time.time(), time.monotonic(), self._now()
        with self._open_transaction() as conn:
            _settle(conn, done, at, self._rules.backoff_s, self._hooks)
            if room and self._rules.caps is not None:
                one_counts(conn)  # before the accounts are locked, always: two never wait for each other
            accounts = pace.lock(conn, self._gateway.paces, at)
            self._slow_down(conn, accounts, done, at)
            texts, again_at = self._claim(conn, accounts, at, room) if room else ({}, None)
            if done and self._hooks.came_back is not None:  # last: whoever counts waits for others who count
                self._hooks.came_back(conn, Counter(map(_result, done.values())))
        again_in_s = None if again_at is None else max(0.0, (again_at - self._now()) / outbox.SECOND)
        return _Claimed(texts, self._addressed(list(texts)), again_in_s, wall, steady)

    def _slow_down(
        self, conn: Connection, accounts: Sequence[pace.Account], done: Mapping[outbox.Text, _Outcome], now: int
    ) -> None:
        """Let accounts rest that said that they are asked too fast."""
        for line in {text.line for text, outcome in done.items() if isinstance(outcome, TooFast)} if accounts else ():
            of_line = [account for account in accounts if account.pace.line == line]
            (of_line or accounts)[0].slow_down(conn, now, self._rules.pause_s)

    def _claim(
        self, conn: Connection, accounts: Sequence[pace.Account], now: int, room: int
    ) -> tuple[dict[outbox.Text, int], int | None]:
        """Claim what may leave soon, by account; give the instants, and when an account that has texts has room."""
        if not accounts:
            return dict.fromkeys(self._take(conn, outbox.Share(self._rules.pbx), now, room), now), None
        taken: dict[outbox.Text, int] = {}
        again_at: list[int] = []
        others = [account.pace.line for account in accounts[1:]]
        for account in accounts:
            first = account is accounts[0]
            share = outbox.Share(self._rules.pbx, None if first else account.pace.line, others if first else ())
            instants = account.free(now, room - len(taken))
            texts = self._take(conn, share, now, len(instants)) if instants else []
            account.take(conn, instants[: len(texts)])
            taken |= zip(texts, instants, strict=False)
            if len(taken) < room and len(texts) == len(instants) and outbox.any_due(conn, now, share):
                again_at.append(account.claimable_at(now))
        return taken, min(again_at, default=None)

    def _take(self, conn: Connection, share: outbox.Share, now: int, room: int) -> list[outbox.Text]:
        return outbox.claim(conn, now, room, self._rules.lease_s, self._gateway.name, share, self._rules.caps)

    def _addressed(self, texts: Sequence[outbox.Text]) -> dict[outbox.Text, str | Refused | Unsent]:
        """Look up the number of each text; what nobody foresaw is told once for all of them."""
        if not texts:
            return {}
        recipients = {text.recipient for text in texts}
        try:
            found = self._address_book(recipients)
        except Exception as fault:  # noqa: BLE001 - whatever an address book raises, the texts wait
            found = dict.fromkeys(recipients, fault)
        faults = [no for no in found.values() if isinstance(no, Exception) and not isinstance(no, (Refused, Unsent))]
        self._hooks.looked_up(faults[0] if faults else None)
        return {text: _number(found[text.recipient]) for text in texts}

    async def send(self, text: outbox.Text, number: str | Refused | Unsent, claimed: _Claimed) -> _Outcome:
        """Send a text at its instant, if it has a number; not once its lease ran out meanwhile.

        Both clocks are looked at: one stands still while the machine sleeps, the other can be set.
        """
        if not isinstance(number, str):
            return number
        await asyncio.sleep(max(0, claimed.texts[text] - self._now()) / outbox.SECOND)
        if max(time.time() - claimed.wall, time.monotonic() - claimed.steady) >= self._rules.lease_s:
            return Unsent("the lease ran out before the text was sent")
        return await _send(text, number, self._gateway)


def _number(found: str | Exception | None) -> str | Refused | Unsent:
    match found:
        case None | "":
            return Refused("no number")
        case str() | Refused() | Unsent():
            return found
        case _:
            return Unsent(f"the number could not be looked up ({type(found).__name__})")


async def _send(text: outbox.Text, to: str, gateway: Sender) -> _Outcome:
    try:
        return Receipt(_kept((await gateway.send(to, text.body, text.ref, text.line)).gateway_ref))
    except (Refused, Unsent) as no:
        return type(no)(_without(to, no.reason), _kept(no.code)[:CODE_LENGTH])
    except Exception as fault:  # noqa: BLE001 - whatever else a gateway raises, the text may be on its way
        return _Ambiguous(_without(to, f"{type(fault).__name__}: {fault}"))


def _without(number: str, reason: str) -> str:
    """Leave the number out of a reason: it must stand in no second table."""
    return _kept(reason).replace(number.removeprefix("+"), "…")[:_REASON_LENGTH]


def _kept(said: str) -> str:
    """A gateway's words as any database keeps them: what it refused would leave all texts beside this one unknown."""
    return said.replace("\0", "").encode("utf-8", "replace").decode()


def _settle(
    conn: Connection,
    done: Mapping[outbox.Text, _Outcome],
    now: int,
    backoff_s: Sequence[float],
    hooks: DeliveryHooks,
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
                if kept and hooks.refused is not None:
                    hooks.refused(conn, text, outcome.code, now)
            case Unsent():
                kept = outbox.settle_unsent(conn, text, outcome.reason, now, backoff_s, outcome.code)
            case _Ambiguous():
                kept = outbox.settle_unknown(conn, text, outcome.reason, now)
        if isinstance(outcome, OptedOut) and hooks.opted_out is not None:
            hooks.opted_out(conn, text.recipient, now)
        if not kept:
            log.warning("text %s was settled before its sender came back (%s)", text.cause, outcome)


def _result(outcome: _Outcome) -> tuple[str, str]:
    """How a text came back, in a word, and the gateway's code for it."""
    match outcome:
        case Receipt():
            return "sent", ""
        case Refused():
            return "refused", outcome.code
        case Unsent():
            return "unsent", outcome.code
        case _Ambiguous():
            return "unknown", ""
