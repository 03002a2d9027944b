"""Who was lost, dialled twice or texted twice: the phones' and the gateway's own records against the books. Pure.

The phones say what happened. The books may only say why a loss needs no callback, and what was allowed to ring.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeVar

from lab.faults.records import SECOND, Booked, Books, CallIn, Ring, Seen, Terms, Text, Tried

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

Fault = Literal["lost", "double-dial", "double-text"]
_CLOCKS_US: Final = 2 * SECOND  # the PBX names a call when it gets to know it, a moment after the phone placed it
_EARLY_US: Final = SECOND // 2  # instants of phones and of the service are taken a moment apart
_BUSY, _DECLINED = 486, 603
SILENCE_UNHEARD: Final = "silence while nobody listened: the PBX's log calls it served"
REASONS: Final = frozenset({"late-news", "refused", "paused"})
"""Why a loss has no callback, where people see it and decide: these need no proof by a phone."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something that must not be: whose, when, and what it was."""

    fault: Fault
    number: str
    at: int
    why: str


@dataclass(slots=True)
class Account:
    """What was found: `reasons` counts what became of the lost, `wrong` what must not be."""

    reasons: Counter[str] = field(default_factory=Counter)
    wrong: list[Wrong] = field(default_factory=list)

    def count(self, fault: Fault) -> int:
        """How often something went wrong in this way."""
        return sum(one.fault == fault for one in self.wrong)


def account(seen: Seen, books: Books, terms: Terms) -> Account:
    """Hold what phones and gateway saw against the books."""
    found = Account()
    calls, rings = _by(seen.calls, lambda one: one.number), _by(seen.rings, lambda one: one.number)
    texts = _by(seen.texts, lambda one: one.number)
    booked, tried = _by(books.calls, lambda one: one.number), _by(books.attempts, lambda one: one.number)
    for number in {*calls, *rings, *texts}:
        person = _Person(calls[number], rings[number], terms)
        _losses(found, person, booked[number], books.gaps)
        _dials(found, person, tried[number])
        _texts(found, person, texts[number], books.templates or {})
    found.wrong.sort(key=lambda one: one.at)
    return found


def _by(rows: Iterable[T], key: Callable[[T], K]) -> defaultdict[K, list[T]]:
    found: defaultdict[K, list[T]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return found


class _Person:
    """One customer, as the phone knows."""

    def __init__(self, calls: Sequence[CallIn], rings: Sequence[Ring], terms: Terms) -> None:
        self.calls = sorted(calls, key=lambda call: call.at)
        self.rings = sorted(rings, key=lambda ring: ring.at)
        self.terms = terms

    @property
    def lost_calls(self) -> list[CallIn]:
        return [call for call in self.calls if call.lost]

    def reached(self, ring: Ring) -> bool:
        return ring.heard_s >= self.terms.reached_after_s and not ring.lost

    def lost_between(self, since: int, until: int) -> bool:
        """Whether a new loss came in between: then another ring is due."""
        return any(since - _EARLY_US < call.ended_at < until for call in self.lost_calls)

    def spoke_after(self, at: int, *, by_ring: bool) -> bool:
        """Whether the customer spoke to an agent after that instant: on our ring, or by calling again."""
        if by_ring:
            return any(ring.heard_s > 0 and ring.ended_at > at for ring in self.rings)
        return any(call.course == "served" and call.ended_at > at for call in self.calls)


# Lost calls


Gaps = Sequence[tuple[int, int]]


def _losses(found: Account, person: _Person, booked: Sequence[Booked], gaps: Gaps) -> None:
    left = sorted(booked, key=lambda row: row.started_at)
    for call in person.calls:
        row = next((one for one in left if call.at - _CLOCKS_US <= one.started_at <= call.ended_at + _CLOCKS_US), None)
        if row is not None:
            left.remove(row)
        if call.course == "no-line":
            found.reasons["the PBX was away: it never heard of the call"] += 1
        elif call.lost:
            _lost(found, person, call, row, gaps)
    for ring in person.rings:
        if ring.lost and not _goes_on(person, ring, booked):
            found.wrong.append(Wrong("lost", ring.number, ring.ended_at, "lost in a callback, and nothing is owed"))


def _lost(found: Account, person: _Person, call: CallIn, row: Booked | None, gaps: Gaps) -> None:
    reason = None if row is None else _reason(person, call, row) or _unheard(call, row, gaps)
    if reason is not None:
        found.reasons[reason] += 1
        return
    what = "no such call in the books" if row is None else f"{row.kind}, {row.recovery}, {row.state or 'no callback'}"
    found.wrong.append(Wrong("lost", call.number, call.ended_at, f"{call.course} after {call.waited_s:.1f} s: {what}"))


def _reason(person: _Person, call: CallIn, row: Booked) -> str | None:
    """What became of a lost call, as the books say and the phones do not contradict; None: it was lost."""
    if row.reservation is None:
        short = row.recovery == "short-abandon" and call.waited_s < person.terms.short_abandon_s + 1
        since = row.recovery == "answered-since" and person.spoke_after(call.ended_at, by_ring=False)
        return row.recovery if short or since or row.recovery in REASONS else None
    backed = {
        "withdrawn": False,
        "returned": person.spoke_after(call.ended_at, by_ring=False),
        "reached": person.spoke_after(call.ended_at, by_ring=True),
    }
    return f"reserved: {row.state}" if backed.get(row.state, True) else None


def _unheard(call: CallIn, row: Booked, gaps: Gaps) -> str | None:
    """Whether the caller talked to a mute phone while the service says that it did not listen: no log tells of that."""
    deaf = any(since < call.ended_at and call.at < until for since, until in gaps)
    return SILENCE_UNHEARD if call.silence and row.kind == "served" and deaf else None


def _goes_on(person: _Person, cut: Ring, booked: Sequence[Booked]) -> bool:
    """Whether more is done for a customer whose callback was cut off: another ring, or something still open."""
    if any(ring.at > cut.at for ring in person.rings):
        return True
    return any(row.state not in {"reached", "returned", "withdrawn", ""} for row in booked)


# Rings


def _dials(found: Account, person: _Person, tried: Sequence[Tried]) -> None:
    left = sorted(tried, key=lambda row: row.claimed_at)
    before: Ring | None = None
    for ring in person.rings:
        attempt = next((one for one in left if _allowed(one, ring)), None)
        if attempt is not None:
            left.remove(attempt)
        why = "a ring more than attempts" if attempt is None else _served_since(person, attempt)
        if why is None and before is not None:
            why = _too_much(person, before, ring)
        if why is not None:
            found.wrong.append(Wrong("double-dial", ring.number, ring.at, why))
        before = ring


def _allowed(attempt: Tried, ring: Ring) -> bool:
    return attempt.claimed_at - _EARLY_US <= ring.at <= attempt.ring_until_at + _EARLY_US


def _served_since(person: _Person, attempt: Tried) -> str | None:
    """Whether the customer had been served already when it was decided to ring."""
    last = max((call.ended_at for call in person.lost_calls if call.ended_at <= attempt.claimed_at), default=0)
    for call in person.calls:
        if call.course == "served" and last < call.ended_at < attempt.claimed_at - 3 * SECOND:
            return "rung though served since the loss"
    return None


def _too_much(person: _Person, before: Ring, ring: Ring) -> str | None:
    """Why the second of two rings must not have been."""
    if before.ended_at > ring.at:
        return "two rings at once"
    if person.lost_between(before.at, ring.at):
        return None
    if person.reached(before):
        return "rung after being reached"
    apart_s = (ring.at - before.ended_at) / SECOND
    least_s = 0.0 if before.cut else _least_s(before, person.terms)
    if apart_s < least_s - _EARLY_US / SECOND:
        return f"rung again after {apart_s:.1f} s, {least_s:g} s is the least"
    return None


def _least_s(before: Ring, terms: Terms) -> float:
    """The least rest after a ring that ended so."""
    if before.code == _BUSY:
        return terms.retry_busy_s
    if before.code == _DECLINED:
        return terms.retry_declined_s
    return terms.retry_our_fault_s if before.answered else min(terms.retry_no_answer_s, terms.retry_our_fault_s)


# Texts


def _texts(found: Account, person: _Person, texts: Sequence[Text], kinds: Mapping[str, str]) -> None:
    refs, bodies = Counter[str](), Counter[str]()
    explained = 0
    for text in sorted(texts, key=lambda one: one.at):
        ends = [call.ended_at for call in person.lost_calls] + [ring.ended_at for ring in person.rings if ring.lost]
        lost = sum(ended_at < text.at + _EARLY_US for ended_at in ends)
        refs[text.ref] += 1
        bodies[text.body] += 1
        explained += kinds.get(text.ref, "").startswith("lost")
        why = None
        if refs[text.ref] > 1:
            why = "the same text twice"
        elif text.ref not in kinds:
            why = "a text without a cause in the books"
        elif bodies[text.body] > max(1, lost):
            why = "the same words twice"
        elif explained > lost:
            why = "explained more often than lost"
        if why is not None:
            found.wrong.append(Wrong("double-text", text.number, text.at, f"{why}: {text.body}"))
