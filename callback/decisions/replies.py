"""What customers answer by text: done in the name of the number it came from, kept for a person where it is not plain.

Nothing in a text is believed but what it asks for. The sender's number says whose it is, and meant is that customer's
newest open reservation. Whatever comes is kept; a text that comes twice changes nothing and gets the same answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import Connection, func, select, update

from callback.campaigns import answers as campaign_answers
from callback.care import callbacks, cases, follow_up, questions, states, surveys
from callback.care.questions import Question
from callback.care.surveys import Survey
from callback.customers import numbers
from callback.customers.blocks import blocked
from callback.customers.persons import person_of
from callback.decisions import actions, limits
from callback.events import Answered
from callback.reservations import slots
from callback.reservations.reservation import RESERVATIONS, Reservation
from callback.reservations.reservation import read as read_reservations
from callback.site.context import Site
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import CUSTOMER, By
from callback.store.inserting import insert_new
from callback.texts import compose
from scheduler.clock import DAY, first, local
from sms.inbound import Choice, Inbound, SaidTime, Wish, read

BY_CUSTOMER: Final = By(CUSTOMER, "answered by text")
PAGE: Final = "/page"  # in place of an account, and no name of one: chosen on the page
ROOM: Final = 1600  # a text of ten segments; carriers take no longer one
REPLIES_A_DAY: Final = 10
SOLVED, NOT_SOLVED = 1, 2  # what a customer answers who is asked about a case
TEXTS_A_DAY: Final = 50  # more of one number are kept, and neither done nor shown to people
SCORED_FOR_US: Final = questions.LASTS_US  # how long after the call the page takes an answer to the question

_a, _r = t.answer.c, t.reservation.c


@dataclass(frozen=True, slots=True)
class _Sender:
    """Who sent it: a person we know, the number, and the only reservation that the text can be about."""

    person: int | None
    e164: str
    row: Reservation | None
    queue: str

    @property
    def open(self) -> Reservation | None:
        """The reservation that the customer may still decide about; what a person holds is that person's."""
        return self.row if self.row is not None and self.row.open and self.row.state != "held" else None


@dataclass(frozen=True, slots=True)
class _Done:
    """What was made of a text: the template that answers it, and whether a person must read it."""

    reply: str | None
    for_people: bool = False
    at: int | None = None
    score: int | None = None
    about: int | None = None  # the reservation whose callback was judged
    in_queue: str = ""  # that the text turned out to be for
    case: int | None = None  # that it was about


_FOR_PEOPLE: Final = _Done("answer-person", for_people=True)


def take(work: Work, inbound: Inbound) -> str | None:
    """Do what a text asks for and give the text to answer with; None where nothing is answered."""
    connection = work.connection
    wish = inbound.taken_for or read(inbound.body)
    named = {"account": inbound.account, "sid": inbound.sid}
    body = _storable(inbound.body)
    kept = {"pbx": work.pbx, "received_at": work.now, "wish": _word(wish), "body": body}
    stored = (_a.account == inbound.account, _a.sid == inbound.sid)
    if not insert_new(connection, t.answer, named | kept | {"state": "open"}):
        said: str | None = connection.execute(select(_a.reply).where(*stored)).scalar_one()
        return said
    sender = _sender(work, inbound)  # only now: who was erased must not come back by a repeat
    silenced = blocked(connection, sender.e164).texts
    done = _do(work, sender, wish, body)
    sender = replace(sender, queue=done.in_queue or sender.queue)
    reply = None if inbound.taken_for else _reply(work, sender, done, silenced=silenced)
    made = {"state": "open" if done.for_people else "done", "reply": reply, "score": done.score}
    about = {"person_id": sender.person, "reservation_id": done.about or (sender.row.id if sender.row else None)}
    connection.execute(update(t.answer).where(*stored).values(**about, **made))
    number = connection.execute(select(_a.id).where(*stored)).scalar_one()
    work.tell(Answered(number, done.for_people, about["reservation_id"]))
    return reply


def done(connection: Connection, pbx: str, answer: int, who: str, now: int) -> bool:
    """Take a text from the list of those to be read; False where it is not there."""
    open_one = update(t.answer).where(_a.id == answer, _a.pbx == pbx, t.FOR_PEOPLE)
    return connection.execute(open_one.values(state="done", done_by=who, done_at=now)).rowcount == 1


def asked(connection: Connection, row: Reservation, now: int) -> bool:
    """Whether this reservation's customer was asked how we did, lately enough to answer."""
    if row.state != "reached" or now - row.state_since_at > SCORED_FOR_US:
        return False
    return compose.asked(connection, row.id)


def score(work: Work, row: Reservation, number: int) -> bool:
    """Keep how the customer judged the callback, on the page; False where nobody asked. The last word counts."""
    if not asked(work.connection, row, work.now):
        return False
    made = {"pbx": work.pbx, "account": PAGE, "sid": str(row.id)}
    rest = {
        "person_id": row.person_id,
        "reservation_id": row.id,
        "wish": f"choice-{number}",
        "body": "",
        "state": "done",
    }
    insert_new(work.connection, t.answer, made | rest | {"received_at": work.now})
    stored = (_a.account == PAGE, _a.sid == str(row.id))
    work.connection.execute(
        update(t.answer).where(*stored).values(score=number, wish=f"choice-{number}", received_at=work.now)
    )
    survey = surveys.about_callback(work, row.id)
    if survey is not None:
        surveys.answered(work, survey, number, str(number))
    return True


def moment(work: Work, row: Reservation, e164: str, said: SaidTime) -> int | None:
    """The likeliest instant that was meant and may be called at; None where there is none, or no room then."""
    at = slots.first_that_rings(work.site, row, e164, _moments(said, work.site, work.now), work.now)
    return at if at is not None and slots.has_room(work, row, at) else None


def _moments(said: SaidTime, site: Site, now: int) -> list[int]:
    """What can have been meant, the likeliest first: 6:30 is 18:30 only where nobody is called at 06:30."""
    zone = site.hours.zone
    today = local(now, zone).date()
    times = [said.at] if said.clear else [said.at, time(said.at.hour + 12, said.at.minute)]
    days = [day for day in _days(said.day, today) if day is not None]
    return [first(datetime.combine(day, at), zone) for at in times for day in days]


def _days(said: int | tuple[int, int] | None, today: date) -> list[date | None]:
    if said is None:
        return [today, today + timedelta(days=1)]
    if isinstance(said, int):
        return [today + timedelta(days=said)]
    return [_date(year, *said) for year in (today.year, today.year + 1)]


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _sender(work: Work, inbound: Inbound) -> _Sender:
    """Look up who it is. A number that nobody has called from is made a person, so that its text can be shown."""
    trunk = next(iter(work.site.trunks.values()))
    e164 = numbers.written(inbound.from_number, trunk).e164
    if e164 is None:
        return _Sender(None, "", None, "")
    person = person_of(work.connection, e164, work.now)
    theirs = RESERVATIONS.where(_r.person_id == person, _r.pbx == work.pbx, _r.state != "refused", t.LOST_ONLY)
    newest = theirs.order_by(_r.open.desc(), _r.last_lost_at.desc()).limit(1)
    row = next(iter(read_reservations(work.connection, newest)), None)
    told = campaign_answers.told(work, person)
    if told is not None and (row is None or (not row.open and told.at > row.state_since_at)):
        return _Sender(person, e164, row, told.queue)
    if row is not None:
        return _Sender(person, e164, row, row.queue)
    return _Sender(person, e164, None, _queue_of(work.site, inbound.to_number))


def _queue_of(site: Site, to_number: str) -> str:
    """The queue whose number was texted; else the first one."""
    trunk = next(iter(site.trunks.values()))
    queues = site.rules.queues
    shown = (name for name, queue in queues.items() if numbers.written(queue.caller_id, trunk).e164 == to_number)
    return next(shown, next(iter(queues), ""))


def _do(work: Work, sender: _Sender, wish: Wish, body: str) -> _Done:
    """Do what is asked for; what cannot be done is for a person. Of very many texts only a STOP still counts."""
    if wish not in ("stop", "stop-and-more") and _too_many(work, sender):
        return _Done(None)
    match wish:
        case "stop" | "stop-and-more":
            done = _stop(work, sender, more=wish == "stop-and-more")
        case "start":
            done = _start(work, sender)
        case "help":
            done = _Done("answer-help")
        case Choice(number):
            done = _number(work, sender, number, body)
        case "call-now":
            done = _call_now(work, sender)
        case SaidTime():
            done = _slot(work, sender, wish)
        case _:
            done = _words(work, sender, body)
    return done


def _number(work: Work, sender: _Sender, number: int, body: str) -> _Done:
    """Take a number alone for the answer to what the customer was asked last; where nobody can tell, it is for people.

    Who was asked nothing and writes 1 asks to be called, as every promise says.
    """
    asked = None if sender.person is None else questions.asked(work, sender.person)
    kind = "call-now" if asked is None else asked.kind
    if asked is None or kind == "call-now":
        return _call_now(work, sender) if number == 1 else _FOR_PEOPLE
    if kind == "callback":
        return _judged(work, asked.about, number, body)
    if kind in {"survey", "repair"} and (survey := surveys.read_one(work, asked.about)) is not None:
        return _surveyed(work, survey, number, body)
    return _solved(work, asked, number, body) if kind == "solved" else _Done("answer-held", for_people=True)


def _words(work: Work, sender: _Sender, body: str) -> _Done:
    """Let people read it. Who was asked how a service was is not told that 1 is a call: there it is "very bad"."""
    asked = None if sender.person is None else questions.asked(work, sender.person)
    if asked is None or asked.kind in {"call-now", "unsure"}:
        return _FOR_PEOPLE
    if asked.kind in {"survey", "repair"} and (survey := surveys.read_one(work, asked.about)) is not None:
        surveys.said(work, survey, body)
    return _Done("answer-held", for_people=True)


def _judged(work: Work, reservation: int, number: int, body: str) -> _Done:
    """The customer judges a callback that reached the customer."""
    survey = surveys.about_callback(work, reservation)
    done = _Done("answer-thanks") if survey is None else _surveyed(work, survey, number, body)
    return replace(done, score=number, about=reservation)


def _surveyed(work: Work, survey: Survey, number: int, body: str) -> _Done:
    """The customer judges a call that was served, or the repair of a case; who is not content after its end: people."""
    case = surveys.answered(work, survey, number, body)
    if survey.kind == "repair" and number <= work.site.rules.care.low and _has_ended(work, case):
        return _Done("answer-held", for_people=True, in_queue=survey.queue)
    return _Done("answer-thanks", in_queue=survey.queue)


def _has_ended(work: Work, case: int | None) -> bool:
    return case is not None and not cases.read_one(work, case).open


def _solved(work: Work, asked: Question, number: int, body: str) -> _Done:
    """The customer says whether a case is solved: 1 closes it, 2 lets it go on; anything else is for people."""
    case = cases.read_one(work, asked.about, lock=True)
    elsewhere = callbacks.is_wrong_person(work, case)  # whoever answers there is not the customer
    if elsewhere or case.state not in states.ASKED or number not in {SOLVED, NOT_SOLVED}:
        return replace(_FOR_PEOPLE, in_queue=case.queue)
    if number == SOLVED:
        follow_up.confirmed(work, case.id, CUSTOMER, f"text: {body}", at_once=True)
        return _Done("case-closed", in_queue=case.queue, case=case.id)
    follow_up.denied(work, case.id, CUSTOMER, f"text: {body}")
    return _Done("case-goes-on", in_queue=case.queue, case=case.id)


def _stop(work: Work, sender: _Sender, *, more: bool) -> _Done:
    if not sender.e164:
        return _Done(None, for_people=True)
    if not blocked(work.connection, sender.e164).texts:
        actions.block(work, sender.e164, calls=False, texts=True, by=BY_CUSTOMER)
    return _Done("answer-stop", for_people=more)  # more may be wanted than no texts


def _start(work: Work, sender: _Sender) -> _Done:
    if sender.e164 and blocked(work.connection, sender.e164).texts:
        actions.unblock(work, sender.e164, calls=False, texts=True, by=BY_CUSTOMER)
    return _Done("answer-start")


def _call_now(work: Work, sender: _Sender) -> _Done:
    row = sender.open
    if row is None:
        return _nothing_open(sender)
    if not limits.is_next(row, work.now):
        if limits.enough(work.connection, row.id, work.now):
            return _FOR_PEOPLE
        if not _decided(actions.call_now, work, row.id, BY_CUSTOMER):
            return _nothing_open(sender)
    starts_at = work.connection.execute(select(_r.clock_starts_at).where(_r.id == row.id)).scalar_one()  # it says when
    opens_at = work.site.hours_of(sender.e164, row.trunk).next_opening(max(work.now, starts_at))
    return _Done("answer-now") if opens_at == work.now else _Done("answer-later", at=opens_at)


def _slot(work: Work, sender: _Sender, said: SaidTime) -> _Done:
    row = sender.open
    if row is None:
        return _nothing_open(sender)
    at = moment(work, row, sender.e164, said)
    if at is None:
        return _Done("answer-no-slot", at=work.site.hours_of(sender.e164, row.trunk).next_opening(work.now))
    if at != row.slot_at:
        if limits.enough(work.connection, row.id, work.now):
            return _FOR_PEOPLE
        if not _decided(actions.choose_slot, work, row.id, at, BY_CUSTOMER):
            return _nothing_open(sender)
    return _Done("slot", at=at)


def _decided(decide: Callable[..., object], *about: Any) -> bool:  # noqa: ANN401 - what that decision takes
    """Decide in the customer's name; False, with nothing changed, where the reservation was closed meanwhile."""
    try:
        decide(*about)
    except actions.NoSuchReservation:
        return False
    return True


def _nothing_open(sender: _Sender) -> _Done:
    held = sender.row is not None and sender.row.open
    return _Done("answer-held" if held else "answer-none-open", for_people=True)


def _reply(work: Work, sender: _Sender, done: _Done, *, silenced: bool) -> str | None:
    """The text to answer with: none to whom we do not know or may not text, and none too often."""
    if done.reply is None or not _may_text(work, sender, done.reply, silenced=silenced):
        return None
    if not _knows_us(work, sender) or _enough(work, sender, done.reply):
        return None
    site, queue = work.site, work.site.rules.queue(sender.queue)
    values = {"caller_id": queue.caller_id} | ({} if done.case is None else {"case": str(done.case)})
    if done.at is not None:
        said = compose.clock_time(done.at, work.now, site)
        values |= {"at": said, "from_time": said}
    return site.texting.templates.render(done.reply, queue.language, values, queue=sender.queue)


def _may_text(work: Work, sender: _Sender, reply: str, *, silenced: bool) -> bool:
    """Whether texts are on for the sender; an opt-out is confirmed by one, and by none when it is said again."""
    why = compose.why_none(work.connection, work.site, sender.queue, sender.e164) if sender.e164 else "no-number"
    return why is None or (why == "opted-out" and reply == "answer-stop" and not silenced)


def _knows_us(work: Work, sender: _Sender) -> bool:
    """Whether the sender ever called us, or was told by a campaign: forged numbers make us text nobody."""
    if sender.person is None:
        return False
    calls = select(t.call.c.call_id).where(t.call.c.person_id == sender.person).limit(1)
    return work.connection.execute(calls).first() is not None or campaign_answers.told(work, sender.person) is not None


def _too_many(work: Work, sender: _Sender) -> bool:
    today = select(func.count()).where(
        _a.person_id == sender.person, _a.received_at > work.now - DAY, _a.account != PAGE
    )
    return int(work.connection.execute(today).scalar_one()) >= TEXTS_A_DAY


def _enough(work: Work, sender: _Sender, reply: str) -> bool:
    """One polite text a day to what nobody understood, and no endless talk with a machine."""
    since = work.now - DAY
    today = select(func.count()).where(_a.person_id == sender.person, _a.received_at > since, _a.reply.is_not(None))
    if reply == "answer-person" and work.connection.execute(today.where(_a.wish == "unclear")).scalar_one() > 0:
        return True
    return int(work.connection.execute(today).scalar_one()) >= REPLIES_A_DAY


def _word(wish: Wish) -> str:
    match wish:
        case Choice(number):
            return f"choice-{number}"
        case SaidTime():
            return "time"
        case word:
            return word


def _storable(body: str) -> str:
    """What both databases can keep: no NUL, no half of a surrogate pair."""
    return body.replace("\0", "")[:ROOM].encode("utf-8", "replace").decode()
