"""The page behind a text's link: what was promised, the times that are free, and a way to say no. No login, no script.

The token in its address opens one reservation; the page shows no number but our own. To look changes nothing, so that
a program which follows links for its owner does no harm; what is chosen is posted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Final, Literal

from callback.customers.blocks import blocked
from callback.decisions import actions, limits, replies
from callback.reservations import slots, successor
from callback.reservations.reservation import Reservation, read_one
from callback.site import links
from callback.site.context import Site
from callback.site.sentences import FALLBACK, sentences
from callback.site.tokens import LinkExpired, NoSuchLink
from callback.site.work import Work
from callback.store.audit import CUSTOMER, By
from callback.texts.compose import clock_time
from scheduler.clock import local
from scheduler.errors import SchedulerError

BY_CUSTOMER: Final = By(CUSTOMER, "the customer chose it on the page")
_FOLDER: Final = Path(__file__).with_name("pages")
Action = Literal["call-now", "slot", "cancel", "stop", "score"]


@dataclass(frozen=True, slots=True)
class Page:
    """What is answered: an HTTP status and a whole HTML document in UTF-8."""

    status: int
    html: str


@dataclass(frozen=True, slots=True)
class _View:
    """A reservation as its customer may see it."""

    work: Work
    row: Reservation

    @property
    def words(self) -> Mapping[str, str]:
        return sentences(_FOLDER, self.work.site.rules.queue(self.row.queue).language)

    def say(self, key: str, **values: str) -> str:
        """A sentence of the page, fit to stand in HTML."""
        caller_id = self.work.site.rules.queue(self.row.queue).caller_id
        return escape(self.words[key].format(caller_id=caller_id, **values))

    def time(self, at: int) -> str:
        return clock_time(at, self.work.now, self.work.site)


def show(work: Work, token: str) -> Page:
    """The page of a link: 404 for one that is not ours, 410 for one whose time is over."""
    try:
        return _page(_opened(work, token))
    except (NoSuchLink, LinkExpired) as error:
        return _refused(error, work.site)


def act(work: Work, token: str, form: Mapping[str, str]) -> Page:
    """Do what was chosen and show what stands then.

    400 for what the page does not offer, 409 for what is too late, 429 where a time was chosen too often.
    """
    try:
        view = _opened(work, token)
    except (NoSuchLink, LinkExpired) as error:
        return _refused(error, work.site)
    try:
        status, notice = _do(view, form)
    except actions.NoSuchReservation:  # it was closed since we looked
        status, notice = 409, ""
    return _page(_opened(work, token), status, notice)


def _opened(work: Work, token: str) -> _View:
    row = read_one(work.connection, links.opened(work.connection, token, work.now))
    if row is None or row.pbx != work.pbx:
        raise NoSuchLink("its reservation is not of this site")
    return _View(work, successor.owed(work.connection, row))


def _do(view: _View, form: Mapping[str, str]) -> tuple[int, str]:
    """Carry out a choice; give the status, and what is said of it."""
    action, value = form.get("do", ""), form.get("value", "")
    work, row = view.work, view.row
    if action == "stop":
        if not blocked(work.connection, row.e164).texts:
            actions.block(work, row.e164, calls=False, texts=True, by=BY_CUSTOMER)
        return 200, view.say("stopped")
    if action == "score" and value in {"1", "2", "3", "4", "5"}:
        kept = replies.score(work, row, int(value))
        return (200, view.say("thanked")) if kept else (409, "")
    if action not in {"call-now", "slot", "cancel"}:
        return 400, ""
    if row.state != "waiting":
        return 409, ""
    return _decide(view, action, value)


def _decide(view: _View, action: str, value: str) -> tuple[int, str]:
    """When the customer is called, or that nobody calls: to call it off is never too often."""
    work, row = view.work, view.row
    if action == "cancel":
        actions.cancel(work, row.id, BY_CUSTOMER)
        return 200, view.say("cancelled")
    if limits.enough(work.connection, row.id, work.now):
        return 429, view.say("enough")
    if action == "slot":
        return _choose(view, value)
    if not limits.is_next(row, work.now):
        actions.call_now(work, row.id, BY_CUSTOMER)
    return 200, ""


def _choose(view: _View, value: str) -> tuple[int, str]:
    at = int(value) if value.isascii() and value.isdigit() and len(value) < len(str(1 << 63)) else 0
    if at == view.row.slot_at:
        return 200, ""
    try:
        actions.choose_slot(view.work, view.row.id, at, BY_CUSTOMER)
    except (SchedulerError, slots.NotFree):
        return 409, view.say("failed")
    return 200, ""


def _page(view: _View, status: int = 200, notice: str = "") -> Page:
    body = [f'<p class="notice">{notice}</p>'] if notice else []
    if not notice or view.row.open:
        body.append(f'<p class="promise">{_promise(view)}</p>')
    if view.row.state == "waiting":
        body += _choices(view)
    elif status == 200 and not notice and replies.asked(view.work.connection, view.row, view.work.now):  # noqa: PLR2004
        body += _question(view)
    if not blocked(view.work.connection, view.row.e164).texts:
        body.append(_button("stop", "", view.say("stop"), "quiet"))
    return document(status, view.work.site.rules.queue(view.row.queue).language, view.say("title"), body)


def _promise(view: _View) -> str:
    row, now = view.row, view.work.now
    if row.state != "waiting":
        return view.say({"calling": "calling", "held": "held"}.get(row.state, "closed"))
    by_at = row.told_by_at
    if now > by_at:
        return view.say("late")
    if row.slot_at is not None and row.slot_at > now:
        return view.say("chosen", at=view.time(row.slot_at))
    if row.clock_starts_at > now:
        return view.say("promised_later", from_time=view.time(row.clock_starts_at), by=view.time(by_at))
    return view.say("promised", by=view.time(by_at))


def _choices(view: _View) -> list[str]:
    """Buttons for the times that are free, by day; another for at once, and one for not at all."""
    parts = [f"<h2>{view.say('choose')}</h2>", _button("call-now", "", view.say("now"), "first")]
    days: dict[str, list[str]] = {}
    zone = view.work.site.hours.zone
    for at in slots.free(view.work, view.row, view.row.e164):
        then = local(at, zone)
        days.setdefault(f"{then:%m-%d}", []).append(_button("slot", str(at), f"{then:%H:%M}"))
    for day, buttons in days.items():
        parts.append(f'<h3>{day}</h3><div class="times">{"".join(buttons)}</div>')
    if not days:
        parts.append(f"<p>{view.say('none_free')}</p>")
    return [*parts, _button("cancel", "", view.say("cancel"), "quiet")]


def _question(view: _View) -> list[str]:
    scores = "".join(_button("score", str(score), str(score)) for score in range(1, 6))
    ends = f"<p>1: {view.say('worst')} · 5: {view.say('best')}</p>"
    return [f"<h2>{view.say('question')}</h2>", f'<div class="times">{scores}</div>', ends]


def _button(action: Action, value: str, label: str, kind: str = "") -> str:
    """A form of one button; it is posted to the address of the page itself."""
    hidden = f'<input type="hidden" name="do" value="{action}"><input type="hidden" name="value" value="{value}">'
    return f'<form method="post">{hidden}<button class="{kind}">{label}</button></form>'


def _refused(error: NoSuchLink | LinkExpired, site: Site) -> Page:
    """Say no in every language that this site speaks: whose the link was is not known."""
    status, key = (410, "expired") if isinstance(error, LinkExpired) else (404, "unknown")
    spoken = {queue.language for queue in site.rules.queues.values()} or {FALLBACK}
    languages = sorted(spoken)
    told = [f'<p lang="{escape(language)}">{escape(sentences(_FOLDER, language)[key])}</p>' for language in languages]
    return document(status, languages[0], escape(sentences(_FOLDER, languages[0])["title"]), told)


def document(status: int, language: str, title: str, body: list[str]) -> Page:
    """A whole page of what is fit to stand in HTML."""
    frame = _frame()
    return Page(status, frame.format(language=escape(language), title=title, body="\n".join(body)))


@cache
def _frame() -> str:
    return (_FOLDER / "page.html").read_text(encoding="utf-8")
