"""The texts of reservations that people decided about: withheld while that can be undone, and put back with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from callback.site.work import Work
from callback.store import tables as t
from callback.store.engine import HIGHEST
from callback.texts.compose import recipient_word
from sms import outbox, withheld
from sms.withheld import Standing

Texts = Mapping[int, Sequence[Standing]]
"""By reservation."""


def standing(connection: Connection, reservations: Collection[int]) -> dict[int, list[Standing]]:
    """How every text about these reservations stands."""
    words = {recipient_word(reservation): reservation for reservation in reservations}
    return {words[word]: texts for word, texts in withheld.standing(connection, list(words)).items()}


def withhold(connection: Connection, before: Texts, until_at: int) -> None:
    """Let no text that was written about these reservations since then leave before `until_at`."""
    withheld.withhold(connection, {recipient_word(one): list(texts) for one, texts in before.items()}, until_at)


def put_back(connection: Connection, reservation: int, before: Sequence[Standing]) -> bool:
    """Let the texts about a reservation stand as they did; False where one written since has left."""
    return withheld.put_back(connection, recipient_word(reservation), before)


def as_json(texts: Sequence[Standing]) -> list[list[Any]]:
    """Plain values, as a row keeps them."""
    return [[text.id, text.state, text.not_before_at, text.expires_at] for text in texts]


def from_json(kept: Sequence[Sequence[Any]]) -> list[Standing]:
    """What was kept."""
    return [Standing(*one) for one in kept]


def withdraw_all(work: Work, cut: int, why: str) -> int:
    """Take back every text of this site that waits, but those to people who were lost since `cut`; give how many."""
    _r = t.reservation.c
    since = select(_r.id).where(t.OPEN, _r.pbx == work.pbx, _r.last_lost_at >= cut)
    stay = {recipient_word(one) for one in work.connection.execute(since).scalars()}
    gone = [word for word in outbox.recipients(work.connection, work.pbx, HIGHEST) if word not in stay]
    for word in sorted(set(gone)):
        outbox.withdraw_all(work.connection, word, why, work.now)
    return len(gone)
