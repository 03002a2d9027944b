"""Which text a customer gets for what happened, put into the outbox in the transaction of its cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    ScalarSelect,
    Select,
    String,
    bindparam,
    cast,
    literal,
    select,
    update,
)

from callback.cluster import line
from callback.customers import blocks, numbers
from callback.customers.loss import Loss
from callback.site import links
from callback.site.context import Site
from callback.site.work import Work
from callback.store import restored
from callback.store import tables as t
from callback.texts import campaigns
from scheduler.clock import SECOND, shown
from scheduler.errors import SchedulerError
from scheduler.promise import CARRIED_OVER, Promise
from sms import outbox, status
from sms.gateway import Refused, Unsent
from sms.status import Backlog, FailedText, TextStatus, WholeText
from sms.text import PROMISES

NoText = Literal["texts-off", "opted-out", "landline"]
"""Why a number gets no text."""
REPLIES: Final = ("answer-held", "answer-person", "answer-none-open", "answer-help")
"""Texts that a person may answer a customer's text with."""
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
_WORDS: Final[Mapping[NoText, str]] = {
    "texts-off": "texts are switched off",
    "opted-out": "the customer opted out",
    "landline": "it is a landline",
}

_r = t.reservation.c
# Made once: to build a statement costs several times what it costs to run it.
_WHOM: Select[Any] = (
    select(_r.id, _r.queue, _r.trunk, _r.person_id, _r.deadline_at, _r.text_refusal, _r.kind, t.person.c.number)
    .join(t.person)
    .where(_r.id == bindparam("reservation"))
)
_WHOSE_CALL: Select[Any] = (
    select(t.call.c.queue, t.call.c.person_id, t.person.c.number)
    .join(t.person)
    .where(t.call.c.pbx == bindparam("of_pbx"), t.call.c.call_id == bindparam("of_call"))
)
_TO = (_r.queue, t.person.c.number)
_WHO_ALL: Select[Any] = select(_r.id, *_TO).join(t.person).where(_r.id.in_(bindparam("reservations", expanding=True)))
_WHOSE_CALLS: Select[Any] = (
    select(t.call.c.call_id, t.call.c.queue, t.person.c.number)
    .join(t.person)
    .where(t.call.c.pbx == bindparam("of_pbx"), t.call.c.call_id.in_(bindparam("of_calls", expanding=True)))
)
_OF_CARE: Final[Mapping[str, Select[Any]]] = {
    kind: select(table.c.id, table.c.queue, t.person.c.number)
    .select_from(table.join(t.person, t.person.c.id == table.c.person_id))
    .where(table.c.pbx == bindparam("of_pbx"), table.c.id.in_(bindparam("ids", expanding=True)))
    for kind, table in (("survey", t.survey), ("case", t.care_case))
}
_AHEAD_US: Final = (line.FRESH_S + 2) * SECOND
"""Texts leave while the picture of who may get none is that fresh, and for a second and a half more."""
_RANG = (
    select(t.attempt.c.id)
    .where(t.attempt.c.reservation_id == bindparam("reservation"), t.attempt.c.customer_dialled_at.is_not(None))
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a text is for: the customer of a reservation, and what decides whether and how it is written."""

    reservation: int
    queue: str
    trunk: str
    person: int
    e164: str
    deadline_at: int
    text_refusal: str | None  # why none was written last, as it stands beside the reservation
    opted_out: bool  # the number is blocked for texts
    follow_up: bool = False  # no lost call made it: nothing explains or excuses it


def recipient(connection: Connection, reservation: int) -> Recipient:
    """The recipient of texts about a reservation."""
    row = connection.execute(_WHOM, {"reservation": reservation}).one()
    about = (row.id, row.queue, row.trunk, row.person_id, row.number, row.deadline_at, row.text_refusal)
    opted_out = blocks.blocked(connection, row.number).texts
    return Recipient(*about, opted_out=opted_out, follow_up=row.kind == t.FOLLOW_UP)


def explain(work: Work, to: Recipient, loss: Loss, pledge: Promise) -> bool:
    """Tell the caller what happened and by when we call; after a grace, and never past the deadline."""
    not_before = told_at(work.site, loss, pledge)
    if not_before is None:
        return False
    made_at = pledge.made_at
    times = {
        "by": clock_time(pledge.deadline_at, made_at, work.site),
        "from_time": clock_time(pledge.clock_starts_at, made_at, work.site),
    }
    template = "lost-carried" if pledge.reason == CARRIED_OVER else template_of(loss)
    text = Text(template, f"lost/{to.reservation}/{loss.lost_at}", times, not_before, pledge.deadline_at)
    return _put(replace(work, now=made_at), to, text)


def told_at(site: Site, loss: Loss, pledge: Promise) -> int | None:
    """When the caller may be told; None: lost again after the deadline, that time can be promised no more."""
    not_before = max(loss.lost_at, pledge.made_at) + _grace(site)
    return not_before if not_before < pledge.deadline_at else None


def template_of(loss: Loss) -> str:
    """The text that says what happened, by name: a broken talk by its cause, where the customer sees a difference."""
    if loss.kind != "dropped":
        return _BY_KIND.get(loss.kind, "lost")
    by_side = "lost-dropped-customer" if loss.side == "customer" else "lost-dropped"
    return _BY_REASON.get(loss.reason or "", by_side)


def apologise(work: Work, reservation: int, new_by: int) -> bool:
    """The promise was not kept: say so with the new time, once for each. At night it waits for the next opening.

    Where the customer's phone rang in vain it does not say that nobody called.
    """
    to = recipient(work.connection, reservation)
    not_before = morning(work, to.e164, to.trunk)
    if not_before >= new_by:
        return False
    times = {"by": clock_time(new_by, not_before, work.site)}
    rang = work.connection.execute(_RANG, {"reservation": reservation}).first() is not None
    template = "overdue-tried" if rang else "overdue"
    text = Text(template, f"overdue/{reservation}/{new_by}", times, not_before, new_by)
    return _put(work, to, text)


def give_up(work: Work, reservation: int, tries: int) -> bool:
    """The second text: we tried and could not reach the customer."""
    to = recipient(work.connection, reservation)
    text = Text("given-up", f"given-up/{reservation}", {"tries": str(tries)}, morning(work, to.e164, to.trunk))
    return _put(work, to, text)


def got_through(work: Work, reservation: int) -> bool:
    """The customer called again and was served: if told that we call, the customer is told that we will not."""
    if not promised(work.connection, reservation):
        return False
    text = Text("returned", f"returned/{reservation}", {}, work.now + _grace(work.site))
    return _put(work, recipient(work.connection, reservation), text)


def confirm(work: Work, reservation: int, slot_at: int) -> bool:
    """Confirm in writing the time that the customer, or a person for the customer, chose."""
    text = Text(
        "slot", f"slot/{reservation}/{slot_at}", {"at": clock_time(slot_at, work.now, work.site)}, work.now, slot_at
    )
    return _put(work, recipient(work.connection, reservation), text)


def ask(work: Work, to: Recipient) -> bool:
    """One question after the customer was reached, where there is a way to answer (`asking.after_callback`)."""
    way = tail(work.site, to.e164)
    if way is None:
        return False
    text = Text("ask" if way == "reply" else "ask-link", _question(to.reservation), {}, after_grace(work))
    return _put(work, to, text)


def answer(work: Work, reservation: int, template: str, cause: str, not_before_at: int) -> str | None:
    """Let a person answer what the customer wrote, by one of REPLIES; say why not where no text may be sent."""
    to = recipient(work.connection, reservation)
    why = why_none(work.connection, work.site, to.queue, to.e164)
    if why is None:
        _put(work, to, Text(template, cause, {}, not_before_at))
    return why


def take_back_answer(work: Work, cause: str) -> None:
    """Take back such an answer, where there is one."""
    outbox.withdraw(work.connection, cause, "a person took the answer back", work.now)


def tell_number(work: Work, call_id: str, served_in: Sequence[str | None]) -> bool:
    """Another desk had to hand the caller on: tell the number of the one that served last, where that queue wants it.

    `served_in` are the queues whose agents spoke to the caller, in that order.
    """
    if len(set(served_in)) <= 1 or not work.site.rules.queue(served_in[-1] or "").tell_number:
        return False
    word = f"call/{call_id}"
    if len(word) > RECIPIENT_ROOM:
        return False
    row = work.connection.execute(_WHOSE_CALL, {"of_pbx": work.pbx, "of_call": call_id}).first()
    if row is None or why_none(work.connection, work.site, row.queue, row.number) is not None:
        return False
    text = Text("wrong-desk", f"wrong-desk/{work.pbx}/{call_id}", {}, work.now + _grace(work.site))
    return write(work, Addressee(word, row.queue, row.person_id, row.number), text)


def promised(connection: Connection, reservation: int) -> bool:
    """Whether a text that promised the customer a callback was sent, or may have been."""
    return status.any_has_left(connection, recipient_word(reservation), PROMISES)


def asked(connection: Connection, reservation: int) -> bool:
    """Whether the question after the callback was sent, or may have been."""
    return status.has_left(connection, _question(reservation))


def withdraw(work: Work, reservation: int, why: str) -> None:
    """Take back the texts that nobody has begun to send; the others are sent no second time, should they come back."""
    outbox.withdraw_all(work.connection, recipient_word(reservation), why, work.now)


def texts_of(
    connection: Connection, person: int | None, reservations: Collection[int]
) -> list[tuple[int | None, WholeText]]:
    """Every text about these reservations, each with its own, and every other to a customer, if one is given."""
    about = {recipient_word(reservation): reservation for reservation in reservations}
    whose = None if person is None else person_word(person)
    return [(about.get(text.recipient), text) for text in status.texts_to(connection, whose, about)]


def newest_texts(connection: Connection, reservations: Collection[int]) -> dict[int, TextStatus]:
    """The newest text about each of these reservations that has one."""
    about = {recipient_word(reservation): reservation for reservation in reservations}
    return {about[name]: text for name, text in status.newest_to(connection, about).items()}


def newest_word(reservation: ColumnElement[int]) -> ScalarSelect[str]:
    """How the newest text about a reservation stands, as a condition of a query; NULL without a text."""
    return status.newest_word(literal("reservation/").concat(cast(reservation, String)))


def failed_texts(work: Work, since_at: int, most: int) -> list[tuple[int | None, FailedText]]:
    """The newest texts that failed since then, each with the reservation that it was about, if it was about one."""
    failed = status.failed(work.connection, work.pbx, since_at, most)
    return [(_reservation_of(text.recipient), text) for text in failed]


def backlog(work: Work, most: int) -> Backlog:
    """What waits in the outbox though it may leave: how many texts, `most` at most, and since when."""
    return status.backlog(work.connection, work.pbx, work.now, most)


def _reservation_of(recipient: str) -> int | None:
    kind, _, name = recipient.partition("/")
    return int(name) if kind == "reservation" and name.isdecimal() else None


def forget(work: Work, person: int) -> None:
    """Take back what waits to be sent to somebody who was erased, and remove what was written in texts both ways."""
    theirs = work.connection.execute(select(_r.id).where(_r.person_id == person)).scalars()
    outbox.forget(work.connection, person_word(person), [recipient_word(one) for one in theirs], "erased", work.now)
    work.connection.execute(update(t.answer).where(t.answer.c.person_id == person).values(body="", reply=None))


def hold_back(work: Work, on_the_line: Collection[str]) -> None:
    """Put off the texts to customers who ring, wait or talk, also with us: they wait for another grace.

    So do those of queues in which a person paused texts.

    They wait longer than the picture of who is on the line counts as known: whoever sends them may be another process.

    Nor is anything promised in a reservation that a person holds: its text waits until that is resumed, or is too late.
    One that an incident holds has no text that waits.
    """
    r = t.reservation.c
    held = select(r.id).where(t.OPEN, r.pbx == work.pbx, r.state == "held", r.incident_id.is_(None))
    recipients = [recipient_word(reservation) for reservation in work.connection.execute(held).scalars()]
    recipients += _paused(work) + _elsewhere(work)
    people = set(work.connection.execute(select(t.attempt.c.person_id).where(t.IN_FLIGHT)).scalars())
    if on_the_line:
        people |= set(
            work.connection.execute(select(t.person.c.id).where(t.person.c.number.in_(on_the_line))).scalars()
        )
    if recipients or people:
        until = work.now + max(_grace(work.site), _AHEAD_US)
        outbox.hold_back(work.connection, recipients, [person_word(person) for person in sorted(people)], until)


def _elsewhere(work: Work) -> list[str]:
    """Who is on the line of another PBX, of those to whom a text is due in a moment."""
    if not line.others(work.connection, work.pbx, work.now):
        return []
    due = set(outbox.recipients(work.connection, work.pbx, work.now + _AHEAD_US))
    numbers = {recipient: number for recipient, (_, number) in _known(work.connection, work.pbx, due).items()}
    there = line.elsewhere(work.connection, work.pbx, set(numbers.values()), work.now)
    return [recipient for recipient, number in numbers.items() if number in there]


def _paused(work: Work) -> list[str]:
    """To whom no text may leave now, of those that are due in a moment."""
    all_of_them = restored.pending(work.connection, work.pbx) is not None
    if not all_of_them and not any(one.what == "text" for one in work.site.pauses):
        return []
    due = set(outbox.recipients(work.connection, work.pbx, work.now + _AHEAD_US))
    if all_of_them:  # before it was compared what happened since the backup, nobody is texted
        return sorted(due)
    known = _known(work.connection, work.pbx, due)
    return [one for one, (queue, _) in known.items() if work.site.paused("text", queue) is not None]


def waiting_by_queue(work: Work) -> Counter[str]:
    """How many texts wait that are due, or are held back for a moment, by queue."""
    words = outbox.recipients(work.connection, work.pbx, work.now + _grace(work.site) + _AHEAD_US)
    known = _known(work.connection, work.pbx, set(words))
    return Counter(known[word][0] for word in words if word in known)


def numbers_of(connection: Connection, site: Site, recipients: Collection[str]) -> dict[str, str | Exception]:
    """The numbers behind the outbox's opaque words.

    Refused says why no text is to go there by now; any other exception, why that one cannot be looked up.
    """
    found = _known(connection, site.pbx, recipients)
    told = campaigns.known(connection, site.pbx, recipients)
    found |= {recipient: (one.queue, one.number) for recipient, one in told.items()}
    opted_out = blocks.no_texts(connection, {number for _, number in found.values()})
    known = {recipient: _number_of(site, found.get(recipient), opted_out) for recipient in recipients}
    return known | campaigns.waits(site, told)


def _known(connection: Connection, pbx: str, recipients: Collection[str]) -> dict[str, tuple[str, str]]:
    """The queue and the number behind each of these words."""
    named = {recipient: recipient.partition("/")[::2] for recipient in recipients}
    ids = [int(name) for kind, name in named.values() if kind == "reservation" and name.isdecimal()]
    calls = [name for kind, name in named.values() if kind == "call"]
    found: dict[str, tuple[str, str]] = {}
    if ids:
        rows = connection.execute(_WHO_ALL, {"reservations": ids})
        found |= {f"reservation/{row.id}": (row.queue, row.number) for row in rows}
    if calls:
        rows = connection.execute(_WHOSE_CALLS, {"of_pbx": pbx, "of_calls": calls})
        found |= {f"call/{row.call_id}": (row.queue, row.number) for row in rows}
    for word, of_care in _OF_CARE.items():
        theirs = [int(name) for kind, name in named.values() if kind == word and name.isdecimal()]
        if theirs:
            rows = connection.execute(of_care, {"of_pbx": pbx, "ids": theirs})
            found |= {f"{word}/{row.id}": (row.queue, row.number) for row in rows}
    return found


def _number_of(site: Site, found: tuple[str, str] | None, opted_out: Collection[str]) -> str | Exception:
    if found is None:
        return LookupError("nobody is kept by this name")
    queue, number = found
    try:
        why = unwanted(site, queue, number, opted_out=number in opted_out)
    except Exception as fault:  # noqa: BLE001 - one that cannot be looked up keeps no other from its text
        return fault
    if why is None and site.paused("text", queue) is not None:
        return Unsent("texts of the queue are paused")
    return number if why is None else Refused(_WORDS[why])


def number_of(connection: Connection, site: Site, recipient: str) -> str:
    """The number behind the outbox's opaque word; raises Refused, and says why, where no text is to go there by now."""
    number = numbers_of(connection, site, [recipient])[recipient]
    if isinstance(number, Exception):
        raise number
    return number


def why_none(connection: Connection, site: Site, queue: str, e164: str) -> NoText | None:
    """Why this number gets no text for this queue; None where it may get one."""
    return unwanted(site, queue, e164, opted_out=blocks.blocked(connection, e164).texts)


def unwanted(site: Site, queue: str, e164: str, *, opted_out: bool) -> NoText | None:
    """The same where it is known whether the customer opted out."""
    return _unwelcome(e164, opted_out=opted_out) if may_text(site, queue, e164) else "texts-off"


def _unwelcome(e164: str, *, opted_out: bool) -> NoText | None:
    if opted_out:
        return "opted-out"
    return None if numbers.takes_texts(e164) else "landline"


def may_text(site: Site, queue: str, e164: str) -> bool:
    """Whether texts are switched on for this queue and number."""
    rules = site.rules.queue(queue)
    return rules.texts == "on" and (not rules.only_numbers or e164 in rules.only_numbers)


def tail(site: Site, e164: str) -> str | None:
    """How a text may be answered: by text where that reaches us, else by a link where there is a page, else no way."""
    if site.texting.two_way(e164):
        return "reply"
    return "link" if site.texting.public_url else None


def clock_time(at: int, now: int, site: Site) -> str:
    """Say the time on the site's clock; on another day with that day's date, the same in every language."""
    return shown(at, now, site.hours.zone)


@dataclass(frozen=True, slots=True)
class Text:
    """What is to be said, by which template, and when; one text for each cause."""

    template: str
    cause: str
    values: dict[str, str]
    not_before_at: int
    expires_at: int | None = None
    batch: str = ""  # of very many, which leave after all others


@dataclass(frozen=True, slots=True)
class Addressee:
    """To whom the outbox sends a text; one about a reservation may lead to that one's page until its deadline."""

    word: str  # the outbox's, which tells nothing
    queue: str
    person: int
    e164: str
    reservation: int | None = None
    deadline_at: int = 0


def _put(work: Work, to: Recipient, text: Text) -> bool:
    """Put a text into the outbox, or keep beside the reservation why there is none; the callback goes on either way."""
    if to.follow_up:
        return False
    why = _unwelcome(to.e164, opted_out=to.opted_out) if may_text(work.site, to.queue, to.e164) else "texts-off"
    if why != to.text_refusal:
        work.connection.execute(update(t.reservation).where(_r.id == to.reservation).values(text_refusal=why))
    whom = Addressee(recipient_word(to.reservation), to.queue, to.person, to.e164, to.reservation, to.deadline_at)
    return why is None and write(work, whom, text)


def write(work: Work, to: Addressee, text: Text) -> bool:
    """Put a text into the outbox for somebody who may be texted; False where its cause has one already."""
    queue = work.site.rules.queue(to.queue)
    way = tail(work.site, to.e164) if text.template in PROMISES else None
    values = text.values | {"caller_id": queue.caller_id}
    if to.reservation is not None and (way == "link" or text.template == "ask-link"):
        token = links.token(work.connection, to.reservation, max(to.deadline_at, work.now) + links.LASTS_US)
        values["link"] = work.site.texting.url(token)
    render = work.site.texting.templates.render
    new = outbox.NewText(
        cause=text.cause,
        pbx=work.pbx,
        recipient=to.word,
        template=text.template,
        language=queue.language,
        body=render(text.template, queue.language, values, queue=to.queue, tail=way),
        not_before_at=text.not_before_at,
        expires_at=text.expires_at or text.not_before_at + LASTS_S * SECOND,
        line=queue.text_from,
        person=person_word(to.person),
        prefix=numbers.block_of(to.e164),
        batch=text.batch,
    )
    return outbox.put(work.connection, new, work.now)


def morning(work: Work, e164: str, trunk: str = "") -> int:
    """When the customer may next be disturbed: nobody is told at night that no call was made."""
    try:
        return work.site.hours_of(e164, trunk).next_opening(work.now)
    except SchedulerError:
        return work.now  # that phone may never ring under these rules: there is no better time


def after_grace(work: Work) -> int:
    """When a text may leave to whom was spoken to just now."""
    return work.now + _grace(work.site)


def _grace(site: Site) -> int:
    return round(site.rules.text_grace_s * SECOND)


def recipient_word(reservation: int) -> str:
    """The outbox's opaque word for the customer of a reservation."""
    return f"reservation/{reservation}"


def _question(reservation: int) -> str:
    """The cause of the question after a callback."""
    return f"ask/{reservation}"


def person_word(person: int) -> str:
    """The outbox's opaque word for a person: on whose caps a text counts."""
    return f"person/{person}"
