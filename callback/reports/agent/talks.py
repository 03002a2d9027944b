"""The callbacks that an agent's phone took: what the agent has said of each, and what is still to be said."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, select

from callback.reservations.told import ASKED_US, CHANGES_US
from callback.site.work import Work
from callback.store import tables as t

MOST: Final = 300
"""Callbacks of one phone in a shift: no agent talks to more."""
REACHED: Final = ("reached", "machine", "invalid-number")
"""How an attempt ends that an agent can tell of; the last two also by what the agent said."""

_A, _W, _R = t.attempt.c, t.wrap_up.c, t.reservation.c
_TALKS = (
    select(
        _A.reservation_id,
        _A.number,
        _A.customer_answered_at,
        _A.agent_connected_at,
        _A.ended_at,
        _A.outcome,
        _R.queue,
        _R.queue_group,
        t.person.c.number.label("e164"),
        _W.outcome.label("word"),
        _W.cause,
        _W.note,
        _W.at,
    )
    .join(t.reservation, _R.id == _A.reservation_id)
    .join(t.person, t.person.c.id == _A.person_id)
    .outerjoin(t.wrap_up, _W.attempt_id == _A.id)
    .where(_A.pbx == bindparam("of_pbx"), t.BY_AGENT, _A.agent.in_(bindparam("phones", expanding=True)))
    .where(_A.claimed_at >= bindparam("since_at"), _A.outcome.in_(REACHED))
    .order_by(_A.claimed_at.desc())
    .limit(MOST)
)
_IN_FLIGHT = select(_A.agent, _A.reservation_id, _A.person_id).where(t.IN_FLIGHT, _A.pbx == bindparam("of_pbx"))
_LAST = (
    select(_W.at, _W.who, _W.outcome, _W.cause, _W.note)
    .where(_W.person_id == bindparam("person"))
    .order_by(_W.at.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Talk:
    """One callback of the phone that reached somebody; `word` is what the agent said of it, if anything yet."""

    reservation: int
    number: int
    ended_at: int
    talked_us: int
    e164: str
    queue: str
    group: str
    word: str | None
    cause: str
    note: str
    said_at: int | None

    @property
    def key(self) -> str:
        """By what a form names it."""
        return f"{self.reservation}:{self.number}"

    def may_be_changed(self, now: int) -> bool:
        """Whether another word may still be said."""
        return self.said_at is not None and now <= self.said_at + CHANGES_US

    def is_asked(self, now: int) -> bool:
        """Whether it is still to be said how it went."""
        return self.word is None and now <= self.ended_at + ASKED_US


@dataclass(frozen=True, slots=True)
class LastTalk:
    """What an agent said when the customer was spoken to last."""

    at: int
    who: str
    outcome: str
    cause: str
    note: str


def since(work: Work, phones: Collection[str], since_at: int) -> list[Talk]:
    """The talks of these phones since then, the newest first."""
    asked = {"of_pbx": work.pbx, "phones": sorted(phones), "since_at": since_at}
    found = (work.connection.execute(_TALKS, asked)) if phones else ()
    return [_talk(row) for row in found if row.word is not None or row.outcome == "reached"]


def on_the_line(work: Work, phones: Collection[str]) -> tuple[int, int] | None:
    """The reservation, and the person, that one of these phones is in a callback with now."""
    flights = work.connection.execute(_IN_FLIGHT, {"of_pbx": work.pbx})  # as many as agents at most
    return next(((row.reservation_id, row.person_id) for row in flights if row.agent in phones), None)


def last_with(work: Work, person: int) -> LastTalk | None:
    """What was said of the last callback that reached a person."""
    row = work.connection.execute(_LAST, {"person": person}).first()
    return None if row is None else LastTalk(*row)


def counted(every: Sequence[Talk], now: int) -> dict[str, int]:
    """How many there were, by word; "untold" are those that are still asked for."""
    words = [talk.word for talk in every]
    return {
        "callbacks": len(every),
        "solved": words.count("solved"),
        "voicemail": words.count("voicemail"),
        "untold": sum(talk.is_asked(now) for talk in every),
    }


def _talk(row: Any) -> Talk:  # noqa: ANN401 - a row of a join
    begun_at = max((at for at in (row.customer_answered_at, row.agent_connected_at) if at is not None), default=0)
    ended_at = row.ended_at or 0
    return Talk(
        reservation=row.reservation_id,
        number=row.number,
        ended_at=ended_at,
        talked_us=max(0, ended_at - begun_at) if begun_at else 0,
        e164=row.e164,
        queue=row.queue,
        group=row.queue_group,
        word=row.word,
        cause=row.cause or "",
        note=row.note or "",
        said_at=row.at,
    )
