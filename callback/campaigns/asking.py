"""Who was drawn for a sample is called back, and a score is kept, or why there is none.

The reservation of each is made when its time has come: the calls are spread over opening hours, and few of them are
open at once, so that those who are owed a callback do not wait for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, get_args

from sqlalchemy import ColumnElement, func, select, update

from callback.accounts.roles import Groups
from callback.campaigns import campaign as campaigns
from callback.errors import CallbackError
from callback.reservations import follow_up, moves, successor
from callback.reservations.follow_up import FollowUp, NotToBeCalled
from callback.reservations.reservation import Reservation, read_one
from callback.reservations.states import Event
from callback.reservations.told import STANDS, since
from callback.site.work import Work
from callback.store import tables as t
from scheduler import sampling
from scheduler.clock import DAY

Key = tuple[int, int, int]
"""Campaign, round, person."""
Blank = Literal["refused", "wrong-person", "hung-up", "does-not-know", "other"]
WHY_BLANK: Final[tuple[Blank, ...]] = get_args(Blank)
"""Why people leave a score blank; the machine knows more: not-reached, called-off, and what a number may not be."""
OPEN_AT_ONCE: Final = 20
"""Callbacks of samples that wait or are made at the same time; the next ones are reserved as these end."""
AT_ONCE: Final = 20
_UNREACHED: Final = ("given-up", "expired", "refused", "withdrawn", "cancelled", "continued")
_C, _A, _R = t.campaign.c, t.campaign_asked.c, t.reservation.c


class NotAsked(CallbackError):
    """This person is not in that sample."""


def apart(campaign: int, number: int) -> str:
    """What keeps the callbacks of a sample apart from others of the same person."""
    return f"sample/{campaign}/{number}"


def of_apart(word: str) -> tuple[int, int] | None:
    """Which campaign and round a reservation is about; None: none."""
    kind, _, rest = word.partition("/")
    campaign, _, number = rest.partition("/")
    return (int(campaign), int(number)) if kind == "sample" and campaign.isdecimal() and number.isdecimal() else None


def reserve_due(work: Work) -> int:
    """Reserve the callbacks whose time has come, some at a time, and give how many were looked at."""
    due = (
        select(_A.campaign_id, _A.round, _A.person_id, _C.queue)
        .join(t.campaign, _C.id == _A.campaign_id)
        .where(t.TO_BE_ASKED, _A.call_from_at <= work.now, _C.pbx == work.pbx)
        .order_by(_A.call_from_at, _A.person_id)
        .limit(min(AT_ONCE, max(0, OPEN_AT_ONCE - _open_now(work))))
        .with_for_update(of=t.campaign_asked, skip_locked=True)  # somebody scores that person, or calls it off
    )
    rows = work.connection.execute(due).all()
    for row in rows:
        _reserve(work, (row.campaign_id, row.round, row.person_id), row.queue)
    return len(rows)


def settle_unreached(work: Work) -> int:
    """Leave those blank whose callback ended without a talk, and give how many there were.

    One that goes on as another callback is followed instead.
    """
    ended = (
        select(_A.campaign_id, _A.round, _A.person_id, _A.reservation_id)
        .join(t.campaign, _C.id == _A.campaign_id)
        .join(t.reservation, _R.id == _A.reservation_id)
        .where(t.ASKED_NOW, _C.pbx == work.pbx, _R.state.in_(_UNREACHED), STANDS)
        .limit(AT_ONCE)
        .with_for_update(of=t.campaign_asked, skip_locked=True)
    )
    rows = work.connection.execute(ended, since(work.now)).all()
    for row in rows:
        key, goes_on = (row.campaign_id, row.round, row.person_id), _goes_on(work, row.reservation_id)
        if goes_on is None:
            _write(work, key, state="blank", why_not="not-reached")
        else:
            _write(work, key, reservation_id=goes_on)
    return len(rows)


def score(work: Work, key: Key, said: int | Blank, by: str) -> int | None:
    """Keep what a person of a sample said, or why nothing, and give the number of the callback; the last word holds.

    A callback that still waits is not made any more. Raises NotAsked.
    """
    reservation = _reservation_of(work, key)
    if isinstance(said, int):
        if not sampling.LOWEST <= said <= sampling.HIGHEST:
            raise CallbackError("a score is a whole number from 0 to 10")
        _write(work, key, state="scored", score=said, why_not="", score_at=work.now, who=by)
    elif said not in WHY_BLANK:
        raise CallbackError(f"a blank score needs a reason: {', '.join(WHY_BLANK)}")
    else:
        _write(work, key, state="blank", score=None, why_not=said, score_at=work.now, who=by)
    if reservation is not None:
        _end(work, [reservation], "done-elsewhere")
    return reservation


def follow(work: Work, row: Reservation, goes_on: int) -> None:
    """Look after callback `goes_on` as the one that asks somebody of a sample, where `row` was it.

    Whom somebody has scored already is not called once more, but at a time that the customer chose.
    """
    of = of_apart(row.apart)
    if of is None:
        return
    key = (*of, row.person_id)
    _write(work, key, reservation_id=goes_on)
    follows = read_one(work.connection, goes_on)
    settled = work.connection.execute(select(_A.state).where(*_of(key))).scalar() != "called"
    if settled and follows is not None and follows.slot_at is None:
        _end(work, [goes_on], "done-elsewhere")


def call_off(work: Work, campaign: int, number: int, groups: Groups = None) -> int:
    """Call nobody of a sample any more who was not called yet, and give how many that are."""
    campaigns.lock(work, campaign, groups)
    standing = select(_A.person_id, _A.reservation_id, _R.state).outerjoin(t.reservation, _R.id == _A.reservation_id)
    standing = standing.where(_A.campaign_id == campaign, _A.round == number, _A.state.in_(("waiting", "called")))
    _lock(work, campaign, number)
    rows = [
        row
        for row in work.connection.execute(standing.order_by(_A.reservation_id))
        if row.reservation_id is None or row.state in {"waiting", "held"}
    ]
    for row in rows:
        _write(work, (campaign, number, row.person_id), state="blank", why_not="called-off")
    _end(work, [row.reservation_id for row in rows if row.reservation_id is not None], "cancelled")
    return len(rows)


def _lock(work: Work, campaign: int, number: int) -> None:
    """Wait for whoever reserves a callback of this round, or keeps a score, and let nobody begin to."""
    theirs = select(_A.person_id).where(_A.campaign_id == campaign, _A.round == number)
    work.connection.execute(theirs.order_by(_A.person_id).with_for_update()).all()


def _open_now(work: Work) -> int:
    """How many callbacks of samples are open."""
    called = select(func.count()).select_from(t.campaign_asked).join(t.reservation, _R.id == _A.reservation_id)
    return int(work.connection.execute(called.where(t.ASKED_NOW, t.OPEN, _R.pbx == work.pbx)).scalar_one())


def _reserve(work: Work, key: Key, queue: str) -> None:
    wanted = FollowUp(person=key[2], queue=queue, apart=apart(*key[:2]), by_at=work.now + DAY)
    try:
        row = follow_up.reserve(work, wanted)
    except NotToBeCalled as error:
        _write(work, key, state="blank", why_not=error.why)
    else:
        _write(work, key, state="called", reservation_id=row)


def _goes_on(work: Work, reservation: int) -> int | None:
    """The open callback as which one that ended goes on."""
    row = read_one(work.connection, reservation)
    follows = None if row is None else successor.owed(work.connection, row)
    return follows.id if follows is not None and follows.open else None


def _reservation_of(work: Work, key: Key) -> int | None:
    """The callback of somebody who was drawn, locked for a change of the score. NotAsked."""
    row = work.connection.execute(select(_A.reservation_id).where(*_of(key)).with_for_update()).first()
    if row is None:
        raise NotAsked("this person is not in that sample")
    found: int | None = row.reservation_id
    return found


def _write(work: Work, key: Key, **values: object) -> None:
    work.connection.execute(update(t.campaign_asked).where(*_of(key)).values(values))


def _of(key: Key) -> tuple[ColumnElement[bool], ...]:
    return _A.campaign_id == key[0], _A.round == key[1], _A.person_id == key[2]


def _end(work: Work, reservations: Sequence[int], event: Event) -> None:
    """End those that still wait, in the order of their numbers; one that is being made goes on."""
    waits = select(_R.id).where(_R.id.in_(reservations), _R.state.in_(("waiting", "held"))).order_by(_R.id)
    for row in work.connection.execute(waits.with_for_update()).scalars().all():
        moves.move(work, row, event)
