"""Which text a caller gets for what happened to him, put into the outbox in the transaction of its cause."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, bindparam, or_, select, update

from callback.customers import blocks, numbers
from callback.site import links
from callback.site.context import Shift
from callback.store import tables as t
from scheduler.clock import SECOND, shown
from scheduler.errors import SchedulerError
from scheduler.promise import CARRIED_OVER, Promise
from sms import outbox
from sms.gateway import Refused
from sms.outbox import text_outbox
from sms.text import PROMISES
from telephony.calls.call import Call, Verdict

LASTS_S: Final = 3600  # a text that promises nothing is of no use later than this
RECIPIENT_ROOM: Final = 64  # of the column in the outbox: a call id may be longer, on a PBX with a long name

_BY_KIND: Final = {
    "blocked": "lost-blocked",
    "dropped": "lost-dropped",
    "silent": "lost-silent",
    "requested": "lost-requested",
}
_BY_REASON: Final = {
    "verification": "lost-dropped-verification",
    "agents-mistake": "lost-dropped-mistake",
    "wrong-answer": "lost-dropped-answer",
}
_WORDS: Final = {"texts-off": "texts are switched off", "opted-out": "he opted out", "landline": "it is a landline"}

_r = t.reservation.c
# Made once: to build a statement costs several times what it costs to run it.
_WHOM: Select[Any] = (
    select(_r.id, _r.queue, _r.trunk, _r.person_id, _r.deadline_at, _r.text_refusal, t.person.c.number)
    .join(t.person)
    .where(_r.id == bindparam("reservation"))
)
_WHOSE_CALL: Select[Any] = (
    select(t.call.c.queue, t.call.c.person_id, t.person.c.number)
    .join(t.person)
    .where(t.call.c.pbx == bindparam("of_pbx"), t.call.c.call_id == bindparam("of_call"))
)
_RANG = (
    select(t.attempt.c.id)
    .where(t.attempt.c.reservation_id == bindparam("reservation"), t.attempt.c.customer_dialled_at.is_not(None))
    .limit(1)
)
_PROMISED = select(text_outbox.c.id).where(
    text_outbox.c.recipient == bindparam("whose"),
    text_outbox.c.template.in_(PROMISES),
    text_outbox.c.state.in_(("sending", "sent", "unknown")),
)


def explain(
    connection: Connection, shift: Shift, reservation: int, verdict: Verdict, pledge: Promise, lost_at: int
) -> bool:
    """Tell the caller what happened and by when he is called; after a grace, and never past the deadline."""
    not_before = max(lost_at, pledge.made_at) + _grace(shift)
    if not_before >= pledge.deadline_at:
        return False  # lost again after his deadline: that time can be promised no more
    made_at = pledge.made_at
    times = {
        "by": clock_time(pledge.deadline_at, made_at, shift),
        "from_time": clock_time(pledge.clock_starts_at, made_at, shift),
    }
    template = "lost-carried" if pledge.reason == CARRIED_OVER else _template(verdict)
    text = _Text(template, f"lost/{reservation}/{lost_at}", times, not_before, pledge.deadline_at)
    return _put(connection, shift, reservation, text, made_at)


def _template(verdict: Verdict) -> str:
    """The text that says what happened: a broken talk by its cause, where the customer would see a difference."""
    if verdict.kind != "dropped":
        return _BY_KIND.get(verdict.kind, "lost")
    on_his_side = "lost-dropped-customer" if verdict.side == "customer" else "lost-dropped"
    return _BY_REASON.get(verdict.reason or "", on_his_side)


def apologise(connection: Connection, shift: Shift, reservation: int, new_by: int, now: int) -> bool:
    """The promise was not kept: say so with the new time, once for each. At night it waits for the next opening.

    To whom rang in vain it does not say that nobody called.
    """
    not_before = morning(connection, shift, reservation, now)
    if not_before >= new_by:
        return False
    times = {"by": clock_time(new_by, not_before, shift)}
    rang = connection.execute(_RANG, {"reservation": reservation}).first() is not None
    template = "overdue-tried" if rang else "overdue"
    text = _Text(template, f"overdue/{reservation}/{new_by}", times, not_before, new_by)
    return _put(connection, shift, reservation, text, now)


def give_up(connection: Connection, shift: Shift, reservation: int, tries: int, now: int) -> bool:
    """The second text: we tried and could not reach him."""
    not_before = morning(connection, shift, reservation, now)
    text = _Text("given-up", f"given-up/{reservation}", {"tries": str(tries)}, not_before)
    return _put(connection, shift, reservation, text, now)


def got_through(connection: Connection, shift: Shift, reservation: int, now: int) -> bool:
    """He was served by himself: who was told that we call him is told that we will not."""
    if not promised(connection, reservation):
        return False
    text = _Text("returned", f"returned/{reservation}", {}, now + _grace(shift))
    return _put(connection, shift, reservation, text, now)


def confirm(connection: Connection, shift: Shift, reservation: int, slot_at: int, now: int) -> bool:
    """He, or a person for him, chose a time: say it again, so that he has it in writing."""
    text = _Text("slot", f"slot/{reservation}/{slot_at}", {"at": clock_time(slot_at, now, shift)}, now, slot_at)
    return _put(connection, shift, reservation, text, now)


def ask(connection: Connection, shift: Shift, reservation: int, now: int) -> bool:
    """One question after he was reached, where the site asks it and he has a way to answer."""
    if not shift.rules.ask_after:
        return False
    way = tail(shift, _whom(connection, reservation).number)
    if way is None:
        return False
    text = _Text("ask" if way == "reply" else "ask-link", f"ask/{reservation}", {}, now + _grace(shift))
    return _put(connection, shift, reservation, text, now)


def tell_number(connection: Connection, shift: Shift, call: Call, now: int) -> bool:
    """Another desk had to hand him on: tell him the number of the one that served him, where that queue wants it."""
    served = [visit.queue for visit in call.visits if visit.connected_at]
    if len(set(served)) <= 1 or not shift.rules.queue(served[-1] or "").tell_number:
        return False
    recipient = f"call/{call.call_id}"
    if len(recipient) > RECIPIENT_ROOM:
        return False
    row = connection.execute(_WHOSE_CALL, {"of_pbx": call.pbx, "of_call": call.call_id}).first()
    if row is None or why_none(connection, shift, row.queue, row.number) is not None:
        return False
    text = _Text("wrong-desk", f"wrong-desk/{call.pbx}/{call.call_id}", {}, now + _grace(shift))
    return _write(connection, shift, row, recipient, text, now)


def promised(connection: Connection, reservation: int) -> bool:
    """Whether a text that promised him a callback was sent, or may have been."""
    return connection.execute(_PROMISED, {"whose": _recipient(reservation)}).first() is not None


def withdraw(connection: Connection, reservation: int, why: str, now: int) -> None:
    """Take back the texts that nobody has begun to send; the others are sent no second time, should they come back."""
    outbox.withdraw_all(connection, _recipient(reservation), why, now)


def texts_of(connection: Connection, person: int, reservations: Collection[int]) -> list[tuple[int | None, Row[Any]]]:
    """Every text to somebody, with the reservation that it was about."""
    about = {_recipient(reservation): reservation for reservation in reservations}
    o = text_outbox.c
    rows = connection.execute(select(text_outbox).where(or_(o.person == _whose(person), o.recipient.in_(about))))
    return [(about.get(row.recipient), row) for row in rows]


def forget(connection: Connection, person: int, now: int) -> None:
    """Take back what waits to be sent to somebody who was erased, and remove what the texts to and from him said."""
    his = connection.execute(select(_r.id).where(_r.person_id == person)).scalars()
    outbox.forget(connection, _whose(person), [_recipient(reservation) for reservation in his], "erased", now)
    connection.execute(update(t.answer).where(t.answer.c.person_id == person).values(body="", reply=None))


def hold_back(connection: Connection, shift: Shift, on_the_line: Collection[str], now: int) -> None:
    """Let nobody be texted while he rings, waits or talks, also with us: his texts wait for another grace.

    Nor is anything promised to whom a person holds: his text waits until he is resumed, or is too late. Whom an
    incident holds has no text that waits.
    """
    r = t.reservation.c
    held = select(r.id).where(t.OPEN, r.pbx == shift.pbx, r.state == "held", r.incident_id.is_(None))
    recipients = [_recipient(reservation) for reservation in connection.execute(held).scalars()]
    called = select(t.attempt.c.person_id).where(t.IN_FLIGHT, t.attempt.c.pbx == shift.pbx)
    people = set(connection.execute(called).scalars())
    if on_the_line:
        people |= set(connection.execute(select(t.person.c.id).where(t.person.c.number.in_(on_the_line))).scalars())
    if recipients or people:
        outbox.hold_back(connection, recipients, [_whose(person) for person in sorted(people)], now + _grace(shift))


def number_of(connection: Connection, shift: Shift, recipient: str) -> str:
    """The number behind the outbox's opaque word; raises Refused where he is to get no text by now, and why."""
    kind, _, name = recipient.partition("/")
    if kind == "call":
        row = connection.execute(_WHOSE_CALL, {"of_pbx": shift.pbx, "of_call": name}).one()
    else:
        row = _whom(connection, int(name))
    why = why_none(connection, shift, row.queue, row.number)
    if why is not None:
        raise Refused(_WORDS[why])
    return str(row.number)


def why_none(connection: Connection, shift: Shift, queue: str, e164: str) -> str | None:
    """Why this number gets no text for this queue, in hyphenated words; None where it may get one."""
    if not may_text(shift, queue, e164):
        return "texts-off"
    if blocks.standing(connection, e164).texts:
        return "opted-out"
    return None if numbers.takes_texts(e164) else "landline"


def may_text(shift: Shift, queue: str, e164: str) -> bool:
    """Whether texts are switched on for this queue and number."""
    rules = shift.rules.queue(queue)
    return rules.texts == "on" and (not rules.only_numbers or e164 in rules.only_numbers)


def tail(shift: Shift, e164: str) -> str | None:
    """How he may answer: by text where that reaches us, else by a link where there is a page, else not at all."""
    if shift.texting.two_way(e164):
        return "reply"
    return "link" if shift.texting.public_url else None


def clock_time(at: int, now: int, shift: Shift) -> str:
    """Say the time on the site's clock; on another day with that day's date, the same in every language."""
    return shown(at, now, shift.hours.zone)


@dataclass(frozen=True, slots=True)
class _Text:
    template: str
    cause: str
    values: dict[str, str]
    not_before_at: int
    expires_at: int | None = None


def _put(connection: Connection, shift: Shift, reservation: int, text: _Text, now: int) -> bool:
    """Put it into the outbox, or keep beside the reservation why he gets none; the callback goes on either way."""
    whom = _whom(connection, reservation)
    why = why_none(connection, shift, whom.queue, whom.number)
    if why != whom.text_refusal:
        connection.execute(update(t.reservation).where(_r.id == reservation).values(text_refusal=why))
    return why is None and _write(connection, shift, whom, _recipient(reservation), text, now)


def _write(connection: Connection, shift: Shift, whom: Row[Any], recipient: str, text: _Text, now: int) -> bool:
    queue = shift.rules.queue(whom.queue)
    way = tail(shift, whom.number) if text.template in PROMISES else None
    values = text.values | {"caller_id": queue.caller_id}
    if way == "link" or text.template == "ask-link":
        token = links.token(connection, whom.id, max(whom.deadline_at, now) + links.LASTS_US)
        values["link"] = shift.texting.url(token)
    render = shift.texting.templates.render
    return outbox.put(
        connection,
        cause=text.cause,
        pbx=shift.pbx,
        recipient=recipient,
        template=text.template,
        language=queue.language,
        body=render(text.template, queue.language, values, queue=whom.queue, tail=way),
        not_before_at=text.not_before_at,
        expires_at=text.expires_at or text.not_before_at + LASTS_S * SECOND,
        now=now,
        line=queue.text_from,
        person=_whose(whom.person_id),
        prefix=numbers.block_of(whom.number),
    )


def _whom(connection: Connection, reservation: int) -> Row[Any]:
    return connection.execute(_WHOM, {"reservation": reservation}).one()


def morning(connection: Connection, shift: Shift, reservation: int, now: int) -> int:
    """When he may next be disturbed: nobody is told at night that he was not called."""
    whom = _whom(connection, reservation)
    try:
        return shift.hours_of(whom.number, whom.trunk).next_opening(now)
    except SchedulerError:
        return now  # his phone may never ring under these rules: there is no better time


def _grace(shift: Shift) -> int:
    return round(shift.rules.text_grace_s * SECOND)


def _recipient(reservation: int) -> str:
    return f"reservation/{reservation}"


def _whose(person: int) -> str:
    return f"person/{person}"
