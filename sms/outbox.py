"""The outbox: a text is a row, written in the transaction that made it necessary and sent at most once.

    waiting --claim--> sending --> sent                accepted by the gateway
       |  ^               |  ----> failed              refused for good, or unsent too many times
       |  |               |  ----> unknown             nobody can tell whether it was accepted
       |  +----unsent-----+
       +--> withdrawn                                  its cause went away
       +--> expired                                    too late to be of use

A row is claimed for a while (the lease), and the claim has a number (the fence) that every later write must
show. A lease that ran out makes a row unknown, never waiting: whoever held it may have sent it. Only a sender
that knows that its text was not accepted gives it back. So at most one text is accepted for a cause, whenever
a process dies; the price is that a text may be lost, and then the row says so. What the holder of the last
claim learns late still settles an unknown row as sent or failed, since that row is never claimed again.

A gateway may report on a text later, also before its own answer came or instead of it: that proves that the text was
accepted, whatever the row says. Caps are counted when a text is claimed: what would be too much is given up.

One of a batch of very many (`text_outbox.batch`) is claimed when no other is due, in each claim anew.

Every function works in the caller's transaction and never commits; `now` is the database's clock in
microseconds UTC. On SQLite that transaction must have begun IMMEDIATE.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Connection,
    Select,
    TextClause,
    Update,
    bindparam,
    case,
    or_,
    select,
    update,
)
from sqlalchemy import text as literal

from sms.caps import Caps, DueText, judge, one_counts
from sms.tables import FIRST, IN_BATCH, LEFT, SENDING, WAITING, insert_unless, metadata, text_outbox

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sms.gateway import Receipt

__all__ = ["metadata", "text_outbox"]

SECOND = 1_000_000  # µs
LEASE_S = 120.0  # longer than any gateway's time-out
BACKOFF_S = (30.0, 120.0, 600.0)  # after each unsent try; given up when they are used up

AGAIN = "/again"  # what the cause of a repetition ends with
_PAGE = 500  # looked at at once where caps stand in the way
_Condition = ColumnElement[bool] | TextClause
_columns = text_outbox.c


@dataclass(frozen=True, slots=True)
class Text:
    """A claimed text. Whoever holds it may send it until `lease_until`, and settles it with its `fence`."""

    id: int
    pbx: str
    cause: str
    recipient: str
    template: str
    language: str
    body: str
    line: str
    tries: int
    fence: int
    lease_until: int

    @property
    def ref(self) -> str:
        """Our name of the text in what a gateway sends us."""
        return str(self.id)


def _first(conditions: Sequence[_Condition], *wanted: Column[Any]) -> Select[Any]:
    """The longest due first, and locked. SQLite has one writer and needs no lock."""
    due = select(*wanted).where(*conditions).order_by(_columns.not_before_at, _columns.id)
    return due.with_for_update(skip_locked=True)


def _settled(states: str, **values: object) -> Update:
    """Change a text's state, if the claim that it was sent under is its last."""
    held = (_columns.id == bindparam("of_id"), _columns.fence == bindparam("of_fence"), literal(f"state IN {states}"))
    return update(text_outbox).where(*held).values(lease_until=None, **values)


# Made once: to build a statement costs several times what it costs to run it.
_NOW: BindParameter[int] = bindparam("now")
_WHY: BindParameter[str] = bindparam("why")
_CODE: BindParameter[str | None] = bindparam("code")
_CLAIMABLE: tuple[_Condition, ...] = (_columns.not_before_at <= _NOW, _columns.expires_at > _NOW)
_GIVEN = ("id", "pbx", "cause", "recipient", "template", "language", "body", "line")  # to whoever claims it
_READ = (*_GIVEN, "person", "prefix", "batch", "tries", "fence")
_IN_ORDER: tuple[_Condition, ...] = (FIRST, IN_BATCH)
_OF_PBX = _columns.pbx == bindparam("of_pbx")
_OF_LINES = {
    "one": _columns.line == bindparam("of_line"),
    "others": _columns.line.not_in(bindparam("of_lines", expanding=True)),
}
_THESE = _columns.id.in_(bindparam("ids", expanding=True))
_OVER = update(text_outbox).where(_THESE).values(state="failed", reason=_WHY, settled_at=_NOW)
_TAKE = (
    update(text_outbox)
    .where(_THESE)
    .values(
        state="sending",
        tries=_columns.tries + 1,
        fence=_columns.fence + 1,
        lease_until=bindparam("lease"),
        gateway=bindparam("by"),
        claimed_at=_NOW,
    )
)
_SENT = _settled(
    "('sending', 'unknown', 'sent')",
    state="sent",
    sent_at=_NOW,
    settled_at=_NOW,
    gateway_ref=case((_columns.body != "", bindparam("known_as"))),  # not of what was erased meanwhile
    delivery_code=case((_columns.delivery.is_not(None), _columns.delivery_code)),  # of an earlier try: over
)
_REFUSED = _settled("('sending', 'unknown')", state="failed", reason=_WHY, delivery_code=_CODE, settled_at=_NOW)
_GIVEN_UP = _settled("('sending')", state="failed", reason=_WHY, delivery_code=_CODE, settled_at=_NOW)
_GIVEN_BACK = _settled(
    "('sending')", state="waiting", reason=_WHY, delivery_code=_CODE, not_before_at=bindparam("again_at")
)
_UNKNOWN = _settled("('sending')", state="unknown", reason=_WHY, delivery_code=None, settled_at=_NOW)
_TAKEN_BACK = (
    update(text_outbox)
    .where(_columns.recipient == bindparam("whose"), WAITING)
    .values(state="withdrawn", reason=_WHY, settled_at=_NOW)
)
_GONE: tuple[_Condition, ...] = (
    _columns.recipient == bindparam("whose"),
    LEFT,
    _columns.expires_at > _NOW,
)
_OF_NO_USE = (
    update(text_outbox)
    .where(_columns.id.in_(select(_first(_GONE, _columns.id).cte("gone").c.id)))
    .values(expires_at=_NOW)
)


@dataclass(frozen=True, slots=True)
class Share:
    """Which texts a claim is for: of one PBX, or of all; of one line, or of every line but these."""

    pbx: str | None = None
    line: str | None = None
    other_than: Sequence[str] = ()

    def due(self) -> tuple[tuple[Select[Any], ...], dict[str, object]]:
        """The statements that read what is due of it, those of no batch first, and what they have to be told."""
        words: dict[str, object] = {"of_pbx": self.pbx, "of_line": self.line, "of_lines": list(self.other_than)}
        lines = "one" if self.line is not None else "others" if self.other_than else ""
        return _due(lines, one_pbx=self.pbx is not None), words


EVERY_TEXT = Share()


@cache
def _due(lines: str, *, one_pbx: bool) -> tuple[Select[Any], ...]:
    more = ((_OF_PBX,) if one_pbx else ()) + ((_OF_LINES[lines],) if lines else ())
    wanted = [_columns[name] for name in _READ]
    return tuple(_first((waits, *_CLAIMABLE, *more), *wanted).limit(bindparam("room")) for waits in _IN_ORDER)


@dataclass(frozen=True, slots=True)
class Lapsed:
    """How many rows time alone has settled."""

    unknown: int
    expired: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewText:
    """A text to be written, to send from `not_before_at` until `expires_at`; at most one is written for its `cause`.

    `line` is the gateway's sender that it goes out by. `person` and `prefix` say on whose caps it counts; empty: none.
    `batch`: of which batch of very many it is one; empty: of none.
    """

    cause: str
    pbx: str
    recipient: str
    template: str
    language: str
    body: str
    not_before_at: int
    expires_at: int
    line: str = ""
    person: str = ""
    prefix: str = ""
    batch: str = ""


def put(conn: Connection, text: NewText, now: int) -> bool:
    """Write a text that waits to be sent; False if its cause has one already, whatever became of it."""
    values = {**asdict(text), "state": "waiting", "created_at": now, "tries": 0, "fence": 0}
    statement = insert_unless(conn, text_outbox, "cause").values(values).returning(_columns.id)
    return conn.execute(statement).first() is not None


def withdraw(conn: Connection, cause: str, why: str, now: int) -> bool:
    """Take back a text that nobody has begun to send, and its repetition; False if there is none or it is too late."""
    statement = (
        update(text_outbox)
        .where(_columns.cause.in_((cause, cause + AGAIN)), WAITING)
        .values(state="withdrawn", reason=why, settled_at=now)
    )
    return conn.execute(statement).rowcount > 0


def withdraw_all(conn: Connection, recipient: str, why: str, now: int) -> None:
    """Take back the texts to this recipient that nobody has begun to send: what they say holds no more.

    Those that are on their way, or have left, are sent no second time; whose sender is just coming back is passed over.
    """
    conn.execute(_TAKEN_BACK, {"whose": recipient, "why": why, "now": now})
    conn.execute(_OF_NO_USE, {"whose": recipient, "now": now})


def forget(conn: Connection, person: str, recipients: Collection[str], why: str, now: int) -> None:
    """Take back the waiting texts of a person, and erase the body and the gateway's name of every text to them."""
    theirs = or_(_columns.person == person, _columns.recipient.in_(recipients))
    taken_back = {"state": "withdrawn", "reason": why, "settled_at": now}
    conn.execute(update(text_outbox).where(theirs, WAITING).values(taken_back))
    conn.execute(update(text_outbox).where(theirs).values(body="", prefix="", gateway_ref=None))


def hold_back(conn: Connection, recipients: Collection[str], people: Collection[str], not_before_at: int) -> int:
    """Let the waiting texts of these recipients and people wait until then at least; return how many were put off."""
    theirs = or_(_columns.recipient.in_(recipients), _columns.person.in_(people))
    statement = (
        update(text_outbox)
        .where(WAITING, theirs, _columns.not_before_at < not_before_at)
        .values(not_before_at=not_before_at)
    )
    return conn.execute(statement).rowcount


def recipients(conn: Connection, pbx: str, before_at: int) -> list[str]:
    """To whom the texts are that wait and are due before then, a word for each text."""
    waiting = select(_columns.recipient).where(WAITING, _columns.pbx == pbx, _columns.not_before_at <= before_at)
    return list(conn.execute(waiting).scalars())


def claim(
    conn: Connection,
    now: int,
    limit: int,
    lease_s: float,
    gateway: str,
    share: Share = EVERY_TEXT,
    caps: Caps | None = None,
) -> list[Text]:
    """Take up to `limit` due texts for sending, the longest due first; no other claim gets them.

    Those of a batch have what room the others leave. Texts that another transaction is claiming are passed over, not
    waited for. With `caps`, what would be more than they allow is given up, so that it holds up nobody else, and claims
    follow one another.
    """
    if caps is not None:
        one_counts(conn)
    statements, of_share = share.due()
    held = _Hold(now, now + round(lease_s * SECOND), gateway, caps)
    taken: list[Text] = []
    for due in statements:
        seen = limit - len(taken)
        while len(taken) < limit:
            page = conn.execute(due, {"now": now, "room": seen, **of_share}).all()
            taken += held.take(conn, page, limit - len(taken))
            if len(page) < seen:
                break
            seen = _PAGE  # many may be over
    return taken


@dataclass(frozen=True, slots=True)
class _Hold:
    """Under what texts are claimed."""

    now: int
    lease_until: int
    gateway: str
    caps: Caps | None

    def take(self, conn: Connection, page: Sequence[Any], room: int) -> list[Text]:
        """Claim those of these due texts that may leave, and give up what is too much."""
        within, over = [row.id for row in page], dict[str, list[int]]()
        if self.caps and page:
            counted = [DueText(row.id, row.person, row.prefix, row.batch != "") for row in page]
            within, over = judge(conn, counted, room, self.caps, self.now)
        for reason, ids in over.items():
            conn.execute(_OVER, {"ids": ids, "why": f"given up: {reason}", "now": self.now})
        if within:
            conn.execute(_TAKE, {"ids": within, "lease": self.lease_until, "by": self.gateway, "now": self.now})
        claimed = frozenset(within)
        return [self._taken(row) for row in page if row.id in claimed]

    def _taken(self, row: Any) -> Text:  # noqa: ANN401 - a row of what is due
        given = {name: getattr(row, name) for name in _GIVEN}
        return Text(**given, tries=row.tries + 1, fence=row.fence + 1, lease_until=self.lease_until)


def any_due(conn: Connection, now: int, share: Share) -> bool:
    """Whether a text of this share is due, and nobody else is claiming it."""
    statements, of_share = share.due()
    asked = {"now": now, "room": 1, **of_share}
    return any(conn.execute(due, asked).first() is not None for due in statements)


def settle_sent(conn: Connection, sent: Mapping[Text, Receipt], now: int) -> int:
    """Record, in one go, that the gateway accepted these texts; return of how many the claim was the last one.

    A text's report may have come before its answer: then its row is sent already.
    """
    rows = [{"of_id": t.id, "of_fence": t.fence, "now": now, "known_as": r.gateway_ref} for t, r in sent.items()]
    return conn.execute(_SENT, rows).rowcount if rows else 0


def settle_refused(conn: Connection, text: Text, reason: str, now: int, code: str = "") -> bool:
    """Record that the text is never to be sent; False if the claim is not the last one."""
    return _settle(conn, _REFUSED, text, now=now, why=reason, code=code or None)


def settle_unsent(
    conn: Connection, text: Text, reason: str, now: int, backoff_s: Sequence[float] = BACKOFF_S, code: str = ""
) -> bool:
    """Give back a text that was certainly not accepted, for later; after the last backoff it has failed.

    False if the lease has lapsed: the row stays unknown.
    """
    if text.tries > len(backoff_s):
        return _settle(conn, _GIVEN_UP, text, now=now, why=f"given up: {reason}", code=code or None)
    again_at = now + round(backoff_s[text.tries - 1] * SECOND)
    return _settle(conn, _GIVEN_BACK, text, again_at=again_at, why=reason, code=code or None)


def settle_unknown(conn: Connection, text: Text, reason: str, now: int) -> bool:
    """Record that nobody can tell whether the text was accepted; False if the claim is not the last one."""
    return _settle(conn, _UNKNOWN, text, now=now, why=reason)


def lapse(conn: Connection, now: int) -> Lapsed:
    """Settle what time has settled: a lease that ran out is unknown, a text past its time has expired.

    One of a batch does not expire: whoever wrote it takes it back, and writes it anew when it may leave.
    """
    unknown = _locked([SENDING, _columns.lease_until <= now])
    expired = _locked([FIRST, _columns.expires_at <= now])
    return Lapsed(
        unknown=_end(conn, unknown, now, "unknown", "the sender stopped before it could say what happened"),
        expired=_end(conn, expired, now, "expired", "could not be sent in time"),
    )


def _locked(conditions: Sequence[_Condition]) -> Select[Any]:
    """Name the rows to change and lock them: those locked by others are passed over, so that nobody waits."""
    rows = _first(conditions, _columns.id).cte("taken")
    return select(rows.c.id)


def _settle(conn: Connection, statement: Update, text: Text, **values: object) -> bool:
    return conn.execute(statement, {"of_id": text.id, "of_fence": text.fence, **values}).rowcount == 1


def _end(conn: Connection, rows: Select[Any], now: int, state: str, reason: str) -> int:
    """Settle the rows and count them (sqlite3 counts no rows for a statement that begins with WITH)."""
    statement = (
        update(text_outbox)
        .where(_columns.id.in_(rows))
        .values(state=state, reason=reason, lease_until=None, settled_at=now)
        .returning(_columns.id)
    )
    return len(conn.execute(statement).all())
