"""Which text a caller gets for what happened to him, put into the outbox in the transaction of its cause."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

from sqlalchemy import Connection, select

from callback.shift import Shift
from callback.store import tables as t
from scheduler.clock import local
from scheduler.promise import Promise
from sms import outbox
from sms.gateway import Refused
from sms.text import Templates

US = 1_000_000
_BY_KIND = {"dropped": "lost-dropped", "silent": "lost-silent", "requested": "lost-requested"}
GIVEN_UP_LASTS_S = 3600


@cache
def templates() -> Templates:
    """The packaged texts, checked when they are first needed (the service does so before it starts)."""
    return Templates.load()


def explain(connection: Connection, shift: Shift, reservation: int, kind: str, pledge: Promise, lost_at: int) -> bool:
    """Tell the caller what happened and by when he is called; after a grace, and never past the deadline."""
    template = "lost-carried" if pledge.reason == "carried-over" else _BY_KIND.get(kind, "lost")
    not_before = max(lost_at, pledge.made_at) + round(shift.rules.text_grace_s * US)
    if not_before >= pledge.deadline_at:
        return False  # lost again after his deadline: that time can be promised no more
    made_at = pledge.made_at
    times = {
        "by": _clock_time(pledge.deadline_at, made_at, shift),
        "from_time": _clock_time(pledge.clock_starts_at, made_at, shift),
    }
    text = _Text(template, f"lost/{reservation}/{lost_at}", times, not_before, pledge.deadline_at)
    return _put(connection, shift, reservation, text, made_at)


def give_up(connection: Connection, shift: Shift, reservation: int, tries: int, now: int) -> bool:
    """The second text: we tried and could not reach him."""
    not_before = shift.hours.next_opening(now)  # nor is anybody texted at night
    expires = not_before + GIVEN_UP_LASTS_S * US
    text = _Text("given-up", _given_up(reservation), {"tries": str(tries)}, not_before, expires)
    return _put(connection, shift, reservation, text, now)


def withdraw(connection: Connection, reservation: int, why: str, now: int) -> None:
    """Take back the explaining texts that nobody has begun to send."""
    lost = select(t.loss.c.lost_at).where(t.loss.c.reservation_id == reservation)
    for lost_at in connection.execute(lost).scalars().all():
        outbox.withdraw(connection, f"lost/{reservation}/{lost_at}", why, now)
    outbox.withdraw(connection, _given_up(reservation), why, now)


def _given_up(reservation: int) -> str:
    return f"given-up/{reservation}"


def hold_back(connection: Connection, shift: Shift, on_the_line: Collection[str], now: int) -> None:
    """Let nobody be texted while he rings, waits or talks, also with us: his texts wait for another grace.

    Nor is anything promised to whom a person holds: his text waits until he is resumed, or is too late.
    """
    r = t.reservation.c
    held = select(r.id).where(t.OPEN, r.pbx == shift.pbx, r.state == "held")
    reservations = set(connection.execute(held).scalars())
    called = select(t.attempt.c.person_id).where(t.IN_FLIGHT, t.attempt.c.pbx == shift.pbx)
    people = set(connection.execute(called).scalars())
    if on_the_line:
        people |= set(connection.execute(select(t.person.c.id).where(t.person.c.number.in_(on_the_line))).scalars())
    if people:
        reservations |= set(connection.execute(select(r.id).where(r.person_id.in_(people))).scalars())
    if reservations:
        recipients = [_recipient(reservation) for reservation in sorted(reservations)]
        outbox.hold_back(connection, recipients, now + round(shift.rules.text_grace_s * US))


def number_of(connection: Connection, shift: Shift, recipient: str) -> str:
    """The number behind the outbox's opaque word; raises Refused where texts were switched off meanwhile."""
    row = connection.execute(
        select(t.reservation.c.queue, t.person.c.number)
        .join(t.person)
        .where(t.reservation.c.id == int(recipient.removeprefix("reservation/")))
    ).one()
    if not may_text(shift, row.queue, row.number):
        raise Refused("texts are switched off")
    return str(row.number)


def _recipient(reservation: int) -> str:
    return f"reservation/{reservation}"


def may_text(shift: Shift, queue: str, e164: str) -> bool:
    """Whether texts are switched on for this queue and number."""
    rules = shift.rules.queue(queue)
    return rules.texts == "on" and (not rules.only_numbers or e164 in rules.only_numbers)


@dataclass(frozen=True, slots=True)
class _Text:
    template: str
    cause: str
    values: dict[str, str]
    not_before_at: int
    expires_at: int


def _put(connection: Connection, shift: Shift, reservation: int, text: _Text, now: int) -> bool:
    row = connection.execute(
        select(t.reservation.c.queue, t.person.c.number).join(t.person).where(t.reservation.c.id == reservation)
    ).one()
    if not may_text(shift, row.queue, row.number):
        return False
    queue = shift.rules.queue(row.queue)
    body = templates().render(text.template, queue.language, text.values | {"caller_id": queue.caller_id})
    return outbox.put(
        connection,
        cause=text.cause,
        pbx=shift.pbx,
        recipient=_recipient(reservation),
        template=text.template,
        language=queue.language,
        body=body,
        not_before_at=text.not_before_at,
        expires_at=text.expires_at,
        now=now,
    )


def _clock_time(at: int, now: int, shift: Shift) -> str:
    """Say the time on the site's clock; on another day with that day's date, the same in every language."""
    then, today = local(at, shift.hours.zone), local(now, shift.hours.zone)
    return f"{then:%H:%M}" if then.date() == today.date() else f"{then:%m-%d %H:%M}"
