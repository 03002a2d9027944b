"""A week lived under some rules, and the same losses heard again under others, on a copy of its database."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, select, update

from callback.decisions import ruling
from callback.losses import intake, wangiri
from callback.reports.rules_preview.losses import Key, Lately
from callback.settings.rules import SiteRules
from callback.site.context import current
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import By
from callback.store.engine import Store
from scheduler.clock import SECOND
from scheduler.promise import APOLOGY, Promise
from sms.outbox import text_outbox
from telephony.calls.call import Call, QueueVisit, Verdict
from tests.callback.world import World

_WHAT_WAS: Final = ("reservation", "call", "verdict", "queue_visit", "loss", "promise", "attempt", "incident", "audit")
_BESIDE: Final = ("text_outbox", "block", "happened", "unread_number")


class Again:
    """A copy of a world's database, without what happened there, where its losses are heard again under `rules`."""

    def __init__(self, world: World, rules: SiteRules, folder: Path) -> None:
        file = folder / "again.db"
        self._was = world.store
        with world.store.read() as connection, sqlite3.connect(file) as copy:
            connection.connection.driver_connection.backup(copy)  # type: ignore[union-attr]
        with sqlite3.connect(file) as copy:
            for table in (*_WHAT_WAS, *_BESIDE):
                copy.execute(f"DELETE FROM {table}")  # noqa: S608 - our own tables
        self.store = Store(f"sqlite:///{file}")
        published_at = max(row.effective_from_at for row in world.rows(t.shift_rules)) + 1
        with self.store.write() as connection:
            work = Work(connection, world.site, published_at)
            if rules != world.site.rules:
                ruling.publish(work, rules, By("Bo", "as it was proposed"), based_on=world.site.version)
            self.site = current(connection, world.settings, published_at)

    def hear(self, lately: Lately) -> None:
        """Let the same losses be heard, and what ended reservations end them, each at its time."""
        with self._was.read() as connection:
            calls = [_heard(connection, lost.call_id) for lost in lately.losses]
            blocks = [row._mapping for row in connection.execute(select(t.block))]  # noqa: SLF001 - rows as mappings
        happened: list[tuple[int, int, Callable[[Work], object]]] = [
            *((block["at"], 0, partial(_block, dict(block))) for block in blocks),
            *((at, 0, partial(_end, key)) for at, key in lately.ends),
            *((learnt_at, 1, partial(_lose, call, verdict)) for learnt_at, call, verdict in calls),
        ]
        with self.store.write() as connection:
            for now, _, do in sorted(happened, key=lambda one: one[:2]):
                do(Work(connection, self.site, now))

    def became(self) -> dict[str, str]:
        """What was made of each call."""
        return {row.call_id: row.recovery for row in self._rows(select(t.call))}

    def promised(self) -> dict[str, Promise]:
        """The promise in force after each loss for which a callback is owed."""
        promise, verdict, loss = t.promise.c, t.verdict.c, t.loss.c
        made: dict[int, list[Promise]] = {}
        for row in self._rows(select(t.promise).where(promise.reason != APOLOGY).order_by(promise.number)):
            one = Promise(row.made_at, row.clock_starts_at, row.aim_at, row.deadline_at, row.reason)
            made.setdefault(row.reservation_id, []).append(one)
        owed = (
            select(loss.call_id, loss.reservation_id, verdict.judged_at)
            .join(t.verdict, (verdict.pbx == loss.pbx) & (verdict.call_id == loss.call_id))
            .join(t.call, (t.call.c.pbx == loss.pbx) & (t.call.c.call_id == loss.call_id))
            .where(t.call.c.recovery.in_(("reserved", "merged")))
        )
        return {
            row.call_id: [one for one in made[row.reservation_id] if one.made_at <= row.judged_at][-1]
            for row in self._rows(owed)
        }

    def told(self) -> set[str]:
        """The calls of which a text tells the caller."""
        causes = {row.cause for row in self._rows(select(text_outbox.c.cause))}
        losses = self._rows(select(t.loss))
        return {row.call_id for row in losses if f"lost/{row.reservation_id}/{row.lost_at}" in causes}

    def close(self) -> None:
        self.store.close()

    def _rows(self, query: Any) -> list[Any]:
        with self.store.read() as connection:
            return list(connection.execute(query))


def _heard(connection: Connection, call_id: str) -> tuple[int, Call, Verdict]:
    """A call with its verdict, as the service was told of it."""
    row = connection.execute(select(t.call).where(t.call.c.call_id == call_id)).one()
    said = connection.execute(
        select(t.verdict)
        .where(t.verdict.c.call_id == call_id, t.verdict.c.source != t.PERSON)
        .order_by(t.verdict.c.version.desc())
    ).first()
    assert said is not None
    number = connection.execute(select(t.person.c.number).where(t.person.c.id == row.person_id)).scalar()
    if number is None:
        number = connection.execute(
            select(t.unread_number.c.digits).where(t.unread_number.c.call_id == call_id)
        ).scalar()  # fmt: skip
    visits = connection.execute(
        select(t.queue_visit).where(t.queue_visit.c.call_id == call_id).order_by(t.queue_visit.c.joined_at)
    )
    call = Call(
        pbx=row.pbx, call_id=call_id, linkedid=row.linkedid, channel=row.channel, number=number, did=row.did,
        started_at=row.started_at, ended_at=row.ended_at, seen_until=row.ended_at or row.started_at,
        visits=tuple(
            QueueVisit(one.queue, one.joined_at, one.connected_at, one.agent, one.ended_at, one.ended_by)
            for one in visits
        ),
    )  # fmt: skip
    seconds = (said.waited_us / SECOND, said.talked_us / SECOND)
    verdict = Verdict(said.kind, said.reason, said.side, *seconds, tuple(said.evidence), said.source, "as it was")
    return said.judged_at, call, verdict


def _lose(call: Call, verdict: Verdict, work: Work) -> None:
    intake.record(work, call, verdict)
    wangiri.audited(work)


def _block(row: dict[str, Any], work: Work) -> None:
    work.connection.execute(t.block.insert(), row)


def _end(key: Key, work: Work) -> None:
    r, (queue, person, apart) = t.reservation.c, key
    theirs = (t.OPEN, r.queue == queue, r.person_id == person, r.apart == apart)
    ended = {"state": "done-elsewhere", "open": False, "state_since_at": work.now}
    work.connection.execute(update(t.reservation).where(*theirs).values(**ended))
