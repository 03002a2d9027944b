"""What the outbox tells about its texts: whether one has left, and how all those to somebody stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy import text as literal

from sms.tables import FAILED, LEFT, WAITING, text_outbox

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import ColumnElement, Connection, ScalarSelect

_columns = text_outbox.c
# Made once: to build a statement costs several times what it costs to run it.
_OF_CAUSE = select(_columns.id).where(_columns.cause == bindparam("of_cause"), LEFT)
_newer = text_outbox.alias()
_OF_TEMPLATES = select(_columns.id).where(
    _columns.recipient == bindparam("whose"), _columns.template.in_(bindparam("templates", expanding=True)), LEFT
)


_FAILED = (
    select(
        _columns.id,
        _columns.recipient,
        _columns.template,
        _columns.settled_at,
        func.coalesce(_columns.delivery_code, _columns.reason),
    )
    .where(_columns.pbx == bindparam("of_pbx"), FAILED, _columns.settled_at >= bindparam("since"))
    .order_by(_columns.settled_at.desc(), _columns.id)
    .limit(bindparam("most"))
)
_DUE = select(_columns.not_before_at).where(WAITING, _columns.not_before_at <= bindparam("now"))
_OVERDUE = _DUE.where(_columns.pbx == bindparam("of_pbx")).order_by(_columns.not_before_at).limit(bindparam("most"))


@dataclass(frozen=True, slots=True)
class FailedText:
    """A text that the gateway refused, or that did not arrive; `at` is when it was settled, microseconds UTC."""

    id: int
    recipient: str
    template: str
    at: int
    reason: str | None  # the gateway's word, else ours


@dataclass(frozen=True, slots=True)
class Backlog:
    """Texts that may leave and have not left: how many (`most` at most), and since when the first could have."""

    texts: int
    since_at: int | None


@dataclass(frozen=True, slots=True)
class TextStatus:
    """How one text stands; instants in microseconds UTC."""

    recipient: str
    template: str
    state: str
    reason: str | None  # why it is so, where that is to be said
    delivery: str | None  # how far the gateway says that it came
    not_before_at: int
    sent_at: int | None
    settled_at: int | None

    @property
    def at(self) -> int:
        """When it was sent, else settled; of one that still waits, before when it is not sent."""
        return self.sent_at or self.settled_at or self.not_before_at

    @property
    def word(self) -> str:
        """The gateway's word for how far it came, else ours."""
        return self.delivery or self.state


@dataclass(frozen=True, slots=True)
class WholeText(TextStatus):
    """A text with what it says: its body may lead whoever reads it to the recipient's own page."""

    delivery_at: int | None  # when the gateway said how far it came
    created_at: int
    language: str
    body: str


def has_left(conn: Connection, cause: str) -> bool:
    """Whether the text of this cause was sent, or may have been."""
    return conn.execute(_OF_CAUSE, {"of_cause": cause}).first() is not None


def any_has_left(conn: Connection, recipient: str, templates: Collection[str]) -> bool:
    """Whether a text to this recipient by one of these templates was sent, or may have been."""
    return conn.execute(_OF_TEMPLATES, {"whose": recipient, "templates": list(templates)}).first() is not None


_NOTHING = literal("state IN ('failed', 'withdrawn', 'expired')")
_CAME_TO_NOTHING = select(_columns.cause).where(_columns.cause.in_(bindparam("causes", expanding=True)), _NOTHING)
_NEWEST_LEFT = (
    select(_columns.cause, _columns.recipient, _columns.template, _columns.claimed_at)
    .where(_columns.person == bindparam("whose"), _columns.pbx == bindparam("of_pbx"), LEFT)
    .where(_columns.template.in_(bindparam("templates", expanding=True)))
    .where(func.coalesce(_columns.delivery, "") != "undelivered")
    .order_by(_columns.claimed_at.desc(), _columns.id.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class LeftText:
    """A text that was sent, or may have been, at `at` (microseconds UTC)."""

    cause: str
    recipient: str
    template: str
    at: int


def newest_that_left(conn: Connection, pbx: str, person: str, templates: Collection[str]) -> LeftText | None:
    """The newest text to a person by one of these templates that was sent, or may have been, and may have arrived."""
    asked = {"of_pbx": pbx, "whose": person, "templates": list(templates)}
    row = conn.execute(_NEWEST_LEFT, asked).first()
    return None if row is None else LeftText(*row)


def came_to_nothing(conn: Connection, causes: Collection[str]) -> set[str]:
    """Those of these causes whose text never reached anybody, and never will."""
    return set(conn.execute(_CAME_TO_NOTHING, {"causes": list(causes)}).scalars()) if causes else set()


_RECIPIENTS = _columns.recipient.in_(bindparam("recipients", expanding=True))
_WHOLE = select(*(_columns[name] for name in WholeText.__dataclass_fields__))
_TO_RECIPIENTS = _WHOLE.where(_RECIPIENTS)
_TO_PERSON = _WHOLE.where(or_(_columns.person == bindparam("of_person"), _RECIPIENTS))


def texts_to(conn: Connection, person: str | None, recipients: Collection[str]) -> list[WholeText]:
    """Every text to any of these recipients, and every one that counts for a person, if one is given."""
    if person is None:
        rows = conn.execute(_TO_RECIPIENTS, {"recipients": list(recipients)})
    else:
        rows = conn.execute(_TO_PERSON, {"recipients": list(recipients), "of_person": person})
    return [WholeText(*row) for row in rows]


_STATUS = [_columns[name] for name in TextStatus.__dataclass_fields__]
_NEWEST = select(*_STATUS).where(
    _columns.recipient.in_(bindparam("recipients", expanding=True)),
    _columns.id == select(func.max(_newer.c.id)).where(_newer.c.recipient == _columns.recipient).scalar_subquery(),
)


def newest_to(conn: Connection, recipients: Collection[str]) -> dict[str, TextStatus]:
    """The newest text to each of these recipients who has one."""
    rows = conn.execute(_NEWEST, {"recipients": list(recipients)}) if recipients else ()
    return {row.recipient: TextStatus(*row) for row in rows}


def newest_word(recipient: ColumnElement[str]) -> ScalarSelect[str]:
    """The word of the newest text to a recipient, as a condition of another query; NULL without a text."""
    word = select(func.coalesce(_newer.c.delivery, _newer.c.state)).where(_newer.c.recipient == recipient)
    return word.order_by(_newer.c.id.desc()).limit(1).scalar_subquery()


def failed(conn: Connection, pbx: str, since_at: int, most: int) -> list[FailedText]:
    """The texts of a PBX that failed since then, the newest first."""
    rows = conn.execute(_FAILED, {"of_pbx": pbx, "since": since_at, "most": most})
    return [FailedText(*row) for row in rows]


def backlog(conn: Connection, pbx: str, now: int, most: int) -> Backlog:
    """What waits in the outbox of a PBX though it may leave."""
    since = conn.execute(_OVERDUE, {"of_pbx": pbx, "now": now, "most": most}).scalars().all()
    return Backlog(len(since), since[0] if since else None)
