"""What an agent says of a callback that the agent's phone took: solved, or not, and what follows from that.

The last word counts, and may be another one for `CHANGES_US`: what the former one did is undone first, or it stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from sqlalchemy import bindparam, or_, select, update

from callback.customers import blocks
from callback.decisions import actions, batch
from callback.decisions.actions import NoSuchReservation
from callback.decisions.care import heard
from callback.errors import CallbackError, Contended, IllegalTransition
from callback.events import Expired
from callback.logs.masking import masked_text
from callback.losses import broken_off, redials
from callback.reservations import moves, promises, slots, successor, times
from callback.reservations.deadlines import LeftWhy
from callback.reservations.reservation import RESERVATIONS, Reservation, lock_open, read, read_one
from callback.reservations.told import ASKED_US, CHANGES_US
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import By
from callback.store.inserting import insert_new
from callback.texts import compose
from scheduler import retry
from scheduler.clock import HOUR, MINUTE
from scheduler.errors import SchedulerError

Outcome = Literal["solved", "voicemail", "wrong-person", "call-again", "cut-off"]
Cause = Literal["line", "sound", "transfer"]
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
"""In the order of the keys 1 to 5."""
CAUSES: Final[tuple[Cause, ...]] = get_args(Cause)
ACTION: Final = "wrap-up"
_UNSAID: Final = "said after the call"
_AS: Final[Mapping[Outcome, str]] = {"voicemail": "machine", "wrong-person": "invalid-number"}
"""What the attempt ended with, where nobody was reached after all."""

_FACTS_OF_ATTEMPT: Final = (
    "id", "reservation_id", "person_id", "number", "agent", "claimed_at", "ring_until_at", "customer_answered_at",
    "ended_at", "outcome",
)  # fmt: skip
_A, _W, _R = t.attempt.c, t.wrap_up.c, t.reservation.c
_ATTEMPT = select(*(_A[one] for one in _FACTS_OF_ATTEMPT)).where(
    _A.pbx == bindparam("of_pbx"), _A.number == bindparam("of_number")
)
_OF_RESERVATION = _ATTEMPT.where(_A.reservation_id == bindparam("of_reservation"))
_OF_WORD = _ATTEMPT.join(t.wrap_up, _W.attempt_id == _A.id).where(_W.reservation_id == bindparam("of_reservation"))
_WORD = (
    select(_W.reservation_id, _W.outcome, _W.cause, _W.note, _W.at, _W.made)
    .where(_W.attempt_id == bindparam("of_attempt"))
    .with_for_update()
)
_OF_PERSON = (
    RESERVATIONS.where(_R.person_id == bindparam("person"), or_(t.OPEN, _R.id == bindparam("reservation")))
    .order_by(_R.id)
    .with_for_update(of=t.reservation)
)
_ALONG = (
    RESERVATIONS.where(_R.person_id == bindparam("person"), _R.queue_group == bindparam("of_group"))
    .where(_R.state == "returned", _R.state_since_at == bindparam("since_at"), t.person.c.shared.is_(False))
    .order_by(_R.id)
    .with_for_update(of=t.reservation)
)
_ENDED_AS = update(t.attempt).where(_A.id == bindparam("of_attempt")).values(outcome=bindparam("as_outcome"))
_SAID = update(t.wrap_up).where(_W.attempt_id == bindparam("of_attempt"))


class TooLate(CallbackError):
    """The word stands: too much time has passed since the first one, or since the call."""


class NotPossible(CallbackError):
    """Nothing was changed; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Teller:
    """Who says it: the person, and by which names the PBX knows the person's phone."""

    user: str
    phones: frozenset[str]


@dataclass(frozen=True, slots=True)
class Word:
    """What is said. `cause` belongs to what was cut off, `again_at` to "call again"; a note to anything."""

    outcome: Outcome
    cause: Cause | None = None
    again_at: int | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if (self.cause is None) == (self.outcome == "cut-off"):
            raise CallbackError(f"say what cut the call off: one of {', '.join(CAUSES)}")
        if (self.again_at is None) == (self.outcome == "call-again"):
            raise CallbackError("say at which time the customer wants to be called again")
        if len(self.note) > t.WHY_ROOM:
            raise CallbackError(f"the note is too long: at most {t.WHY_ROOM} characters")


@dataclass(frozen=True, slots=True)
class Said:
    """What came of it: with which callback it goes on, if with any, and until when another word may be said."""

    outcome: Outcome
    goes_on: int | None
    changes_until_at: int


@dataclass(frozen=True, slots=True)
class _Attempt:
    """The attempt that it is about; the names are those of its columns."""

    id: str
    reservation_id: int
    person_id: int
    number: int
    agent: str | None
    claimed_at: int
    ring_until_at: int
    customer_answered_at: int | None
    ended_at: int | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class _Before:
    """The word that was said before; the names are those of its columns."""

    reservation_id: int
    outcome: str
    cause: str
    note: str
    at: int
    made: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Talk:
    """The attempt that it is about, with the reservation that it was for, locked."""

    attempt: _Attempt
    row: Reservation
    by: By


Made = dict[str, Any]


def say(work: Work, teller: Teller, reservation: int, number: int, word: Word) -> Said:
    """Keep what an agent says of attempt `number` of a reservation, and do what follows.

    NoSuchReservation where the attempt was another's, or did not reach anybody. TooLate and NotPossible say why the
    former word stands.
    """
    attempt = _attempt(work, reservation, number)
    if attempt is None or not _is_theirs(work, attempt, teller):
        raise NoSuchReservation(actions.no_such(work, reservation))
    before = _said(work, attempt)
    if attempt.outcome != "reached" and before is None:
        raise NoSuchReservation(actions.no_such(work, reservation))
    _must_be_in_time(work, attempt, before)
    by = By(teller.user, masked_text(word.note.strip()) or _UNSAID)
    if before is not None and _is_same(before, word):
        _write_note(work, attempt, by, word)
        return Said(word.outcome, _goes_on(before.made, before.reservation_id), before.at + CHANGES_US)
    talk = _Talk(attempt, _locked(work, attempt, before), by)
    if before is not None and (before.outcome, word.outcome) != ("cut-off", "cut-off"):  # another cause: only a verdict
        _undo(work, talk, before)
        talk = _Talk(attempt, _locked(work, attempt, before), by)
    made = _DO[word.outcome](work, talk, word)
    goes_on = _goes_on(made, talk.row.id)
    if word.outcome != "cut-off" and goes_on is not None:
        heard.goes_on(work, talk.row, goes_on)
    if word.outcome == "wrong-person":
        heard.wrong_person(work, talk.row)
    _keep(work, talk, teller, word, made, before)
    first_at = work.now if before is None else before.at
    return Said(word.outcome, goes_on, first_at + CHANGES_US)


def _attempt(work: Work, reservation: int, number: int) -> _Attempt | None:
    """The attempt: of this reservation, or of the one that went on with it."""
    asked = {"of_pbx": work.pbx, "of_reservation": reservation, "of_number": number}
    found = work.connection.execute(_OF_RESERVATION, asked).first() or work.connection.execute(_OF_WORD, asked).first()
    return None if found is None else _Attempt(*found)


def _said(work: Work, attempt: _Attempt) -> _Before | None:
    """The word that stands, locked."""
    found = work.connection.execute(_WORD, {"of_attempt": attempt.id}).first()
    return None if found is None else _Before(*found)


def _is_theirs(work: Work, attempt: _Attempt, teller: Teller) -> bool:
    if attempt.agent is not None and attempt.agent in teller.phones:
        return True
    row = read_one(work.connection, attempt.reservation_id)
    return row is not None and row.assigned_to == teller.user


def _must_be_in_time(work: Work, attempt: _Attempt, before: _Before | None) -> None:
    if before is not None and work.now > before.at + CHANGES_US:
        raise TooLate(f"what was said stands after {CHANGES_US // MINUTE} min: tell a supervisor")
    if before is None and work.now > (attempt.ended_at or 0) + ASKED_US:
        raise TooLate(f"that callback was more than {ASKED_US // HOUR} h ago: tell a supervisor")


def _is_same(before: _Before, word: Word) -> bool:
    same = (before.outcome, before.cause) == (word.outcome, word.cause or "")
    return same and before.made.get("slot_at") == word.again_at


def _locked(work: Work, attempt: _Attempt, before: _Before | None) -> Reservation:
    """Lock the reservation with all that is owed to its customer, in the order of their ids."""
    reservation = attempt.reservation_id if before is None else before.reservation_id
    asked = {"person": attempt.person_id, "reservation": reservation}
    return next(row for row in read(work.connection, _OF_PERSON, asked) if row.id == reservation)


# What each word does; each gives what undoes it.


def _solved(work: Work, talk: _Talk, _word: Word) -> Made:
    """Nothing is owed any more. Of a call that asked about a case: the customer has confirmed it."""
    case = heard.solved(work, talk.row, talk.attempt.claimed_at, talk.by.who)
    return {} if case is None else {"case": case}


def _voicemail(work: Work, talk: _Talk, word: Word) -> Made:
    """A machine answered: each is tried again as after any machine, with what was promised first, or given up.

    Who lost calls and was spoken to since is owed nothing for them: as if the customer had got through while nobody was
    reached.
    """
    row = talk.row
    got_through = redials.spoken_to_since(work, row.person_id, row.queue, talk.attempt.ended_at or work.now)
    made: Made = {"goes_on": [], "ended": []}
    for one in _end_as(work, talk, word.outcome):
        following = _following(work, talk, one)
        if got_through and one.kind != t.FOLLOW_UP:
            if one.id == row.id:  # the others are so already
                made["ended"].append(_close_as(work, one, "returned"))
        elif isinstance(following, retry.Retry) and _may_be_called(work, one):
            retry_at = _retry_at(work, talk, following)
            chosen = one.slot_at if one.slot_at is not None and one.slot_at > work.now else None
            made["goes_on"].append(successor.go_on(work, one, retry_at, chosen).as_json())
        else:  # nothing is owed any more; the agent has spoken to the machine, and no text says more
            made["ended"].append(_close_as(work, one, "given-up"))
    return made


def _wrong_person(work: Work, talk: _Talk, word: Word) -> Made:
    """The number is not the customer's: nobody is called or texted there about this, and people look at it."""
    made: Made = {"ended": []}
    why: LeftWhy = "wrong-person"
    for one in _end_as(work, talk, word.outcome):
        made["ended"].append(_close_as(work, one, "expired"))
        work.tell(Expired(one.id, one.queue, why))
    return made


def _call_again(work: Work, talk: _Talk, word: Word) -> Made:
    """The customer chose a time: a callback of its own, promised for then. The first one was kept."""
    row, at = talk.row, word.again_at
    if at is None:
        raise CallbackError("say at which time the customer wants to be called again")
    if not _may_be_called(work, row):
        raise NotPossible("that number may not be called any more")
    try:
        pledge = slots.chosen(work, row, row.e164, at)
    except (SchedulerError, slots.NotFree) as error:
        raise NotPossible(str(error)) from error
    standing = lock_open(work.connection, row.pbx, row.queue, row.person_id, row.apart)
    if standing is None:
        again = successor.call_again(work, row, pledge)
    elif standing.state == "waiting":
        again = standing.id
        promises.add(work, again, pledge)
        times.change(work.connection, again, slot_at=at, **times.NO_WAIT)
        compose.withdraw(work, again, "the customer chose another time")
    else:
        raise NotPossible(f"callback {standing.id} of this customer is '{standing.state}': decide about that one")
    decided = successor.decided_of(work.connection, again)
    return {"again": again, "stood": standing is not None, "slot_at": at, "decided": decided}


def _cut_off(work: Work, talk: _Talk, word: Word) -> Made:
    """The customer was lost again, in our own call."""
    began_at = talk.attempt.customer_answered_at or talk.attempt.claimed_at
    cause = word.cause or "line"
    ended_at = talk.attempt.ended_at or work.now
    try:
        lost = broken_off.lose(work, talk.row, talk.attempt.id, cause, began_at, ended_at)
    except IllegalTransition as error:
        raise NotPossible(f"what was said first stands: {error}") from error
    return {"lost": lost, "decided": [] if lost is None else successor.decided_of(work.connection, lost)}


_DO: Final[Mapping[Outcome, Callable[[Work, _Talk, Word], Made]]] = {
    "solved": _solved,
    "voicemail": _voicemail,
    "wrong-person": _wrong_person,
    "call-again": _call_again,
    "cut-off": _cut_off,
}


def _end_as(work: Work, talk: _Talk, outcome: Outcome) -> list[Reservation]:
    """Let the attempt have ended so; give what it had settled: its reservation, and others of the customer."""
    work.connection.execute(_ENDED_AS, {"of_attempt": talk.attempt.id, "as_outcome": _AS[outcome]})
    row = talk.row
    if row.state != "reached":
        return []  # closed before, by the customer or by people: nothing was owed then either
    about = {"person": row.person_id, "of_group": row.queue_group, "since_at": row.state_since_at}
    return [row, *read(work.connection, _ALONG, about)]


def _close_as(work: Work, row: Reservation, state: Literal["given-up", "expired", "returned"]) -> dict[str, Any]:
    moves.put_back(work, row.id, state, {"state_since_at": work.now})
    compose.withdraw(work, row.id, "nobody was reached after all")
    return {"reservation": row.id, "as": state, "state": row.state, "state_since_at": row.state_since_at}


def _following(work: Work, talk: _Talk, row: Reservation) -> retry.Next:
    """What follows a machine, by the tries that a reservation has by now: this one is among those of its own alone."""
    ahead = row.slot_at is not None and talk.attempt.claimed_at < row.slot_at
    return retry.after(_AS["voicemail"], row.tries - 1, work.site.rules.retry_policy(), chosen_ahead=ahead)


def _retry_at(work: Work, talk: _Talk, following: retry.Retry) -> int:
    hours = work.site.hours_of(talk.row.e164, talk.row.trunk)
    attempt = talk.attempt
    try:
        return retry.due_at(
            following, hours, attempt.ended_at or work.now, attempt.ring_until_at, work.site.rules.ring_s
        )
    except SchedulerError:  # by the rules of today no phone may ever ring: the deadline leaves it to people
        return work.now


def _may_be_called(work: Work, row: Reservation) -> bool:
    """Whether the customer is known still, and nobody blocked the number since."""
    return row.e164.startswith("+") and not blocks.blocked(work.connection, row.e164).calls


# Another word


def _undo(work: Work, talk: _Talk, before: _Before) -> None:
    """Undo what the former word did. NotPossible where it cannot be."""
    made, attempt = before.made, talk.attempt
    if "case" in made and heard.stands(work, made["case"]):
        raise NotPossible(f"case {made['case']} was confirmed by that: say in the case that it is not solved")
    if ("again" in made or made.get("goes_on")) and heard.moved_on(work, talk.row, before.at):
        raise NotPossible("what was said first stands: its case has gone on since; say it in the case")
    try:
        for kept in reversed(made.get("goes_on", ())):
            successor.take_back(work, successor.restored(kept))
        if before.outcome == "cut-off":
            _must_not_be_promised(work, made)
            broken_off.take_back(work, attempt.id)
    except IllegalTransition as error:
        raise NotPossible(f"what was said first stands: {error}") from error
    for one in made.get("ended", ()):
        _open_no_more(work, one)
    if "again" in made:
        _no_more_again(work, made)
    if before.outcome != "cut-off":
        heard.went_no_further(work, talk.row, _goes_on(made, talk.row.id))
    work.connection.execute(_ENDED_AS, {"of_attempt": attempt.id, "as_outcome": "reached"})


def _must_not_be_promised(work: Work, made: Mapping[str, Any]) -> None:
    """IllegalTransition where the callback for this loss alone, which would be withdrawn, has another time by now."""
    row = None if made["lost"] is None else read_one(work.connection, made["lost"], lock=True)
    if row is not None and row.open and row.losses == 1:
        successor.must_be_as_decided(row, made["decided"])


def _open_no_more(work: Work, ended: Mapping[str, Any]) -> None:
    """Let a reservation be closed as it was before."""
    row = read_one(work.connection, ended["reservation"], lock=True)
    if row is None or row.state != ended["as"] or row.handled_at is not None:
        raise NotPossible(f"what was said first stands: somebody has dealt with callback {ended['reservation']}")
    moves.put_back(work, row.id, ended["state"], {"state_since_at": ended["state_since_at"]})


def _no_more_again(work: Work, made: Mapping[str, Any]) -> None:
    row = read_one(work.connection, made["again"], lock=True)
    stands = row is not None and row.state in {"waiting", "held"} and times.decided(row) == made["decided"]
    if made["stood"] or not stands or row is None or row.losses or row.tries:
        raise NotPossible(f"what was said first stands: decide about callback {made['again']}")
    moves.move(work, row.id, "withdrawn")


# What is kept


def _keep(work: Work, talk: _Talk, teller: Teller, word: Word, made: Made, before: _Before | None) -> None:
    note = masked_text(word.note.strip()) or ("" if before is None else before.note)
    said = {"who": teller.user, "outcome": word.outcome, "cause": word.cause or "", "note": note, "made": made}
    values: dict[str, Any] = said | {"changed_at": work.now}
    if before is not None:
        work.connection.execute(_SAID.values(values), {"of_attempt": talk.attempt.id})
    else:
        key = {"attempt_id": talk.attempt.id, "pbx": work.pbx, "reservation_id": talk.row.id}
        values |= key | {"person_id": talk.row.person_id, "at": work.now}
        if not insert_new(work.connection, t.wrap_up, values):
            raise Contended(f"attempt {talk.attempt.id} was told of in the same moment")
    facts: dict[str, Any] = {"outcome": word.outcome, "cause": word.cause, "number": talk.attempt.number}
    goes_on = _goes_on(made, talk.row.id)
    about = {talk.row.id: facts if goes_on is None else facts | {"goes_on": goes_on}}
    if goes_on is not None:
        about[goes_on] = facts | {"instead_of": talk.row.id}
    batch.tell(work, talk.by, ACTION, about)


def _write_note(work: Work, attempt: _Attempt, by: By, word: Word) -> None:
    """The word is the same: only a note, if there is one, is new."""
    if not word.note.strip():
        return
    values = {"note": by.why, "changed_at": work.now}
    work.connection.execute(_SAID.values(values), {"of_attempt": attempt.id})
    batch.tell(work, by, "note", {attempt.reservation_id: {}})


def _goes_on(made: Mapping[str, Any], reservation: int) -> int | None:
    """The callback that is owed after this word instead of that reservation; not of one that was settled along."""
    carried = next((one for one in made.get("goes_on") or () if one["reservation"] == reservation), None)
    found = made.get("again", made.get("lost")) if carried is None else carried["successor"]
    return None if found is None else int(found)
