"""Judged calls as rows: the call, its queue visits, its verdicts (versions, never overwritten) and its person."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Table, bindparam, delete, func, insert, select, update

from callback.customers import numbers
from callback.errors import Contended
from callback.events import CallJudged, GapClosed
from callback.site.work import Work
from callback.store import tables as t
from callback.store.engine import write_now
from callback.store.inserting import insert_all_new, insert_new
from scheduler.clock import SECOND
from telephony.calls.call import LEFT_UNSERVED, LOST, RANKS, Call, Verdict
from telephony.pbx import Gap

WHY_LENGTH = 200
PERSON_RANK: Final = max(RANKS.values()) + 1
"""A person's word: no verdict of the service replaces it."""


def _his(table: Table) -> list[ColumnElement[bool]]:
    """The rows of one call. The names are not those of columns: an UPDATE would take them for values."""
    return [table.c.pbx == bindparam("of_pbx"), table.c.call_id == bindparam("of_call")]


# Made once: to build a statement costs several times what it costs to run it, and these run for each call.
_KNOWN = select(func.max(t.verdict.c.version), func.max(t.verdict.c.rank)).where(*_his(t.verdict))
_NUMBER = select(t.person.c.number).join(t.call).where(*_his(t.call))
_MARK = update(t.call).where(*_his(t.call)).values(recovery=bindparam("made_of_it"))
_COUNTED = select(t.loss.c.reservation_id).where(*_his(t.loss))
_NEW_CALL = insert(t.call)
_CALL = update(t.call).where(*_his(t.call))
_NO_VISITS = delete(t.queue_visit).where(*_his(t.queue_visit))


_LOCK = select(t.call.c.call_id).where(*_his(t.call)).with_for_update()
_NEWEST = select(t.verdict).where(*_his(t.verdict)).order_by(t.verdict.c.version.desc()).limit(1)


class _Marks:
    """What was made of calls; of one that is marked twice, what was said last."""

    def __init__(self) -> None:
        self.rows: list[dict[str, str]] = []

    def write(self, connection: Connection) -> None:
        connection.execute(_MARK, self.rows)


class _Visits:
    """Visits of queues."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def write(self, connection: Connection) -> None:
        insert_all_new(connection, t.queue_visit, self.rows)


def file(work: Work, call: Call, queue: str | None, verdict: Verdict, version: int, person: int | None) -> None:
    """Keep the call as its newest verdict sees it, which `new_version` kept, and tell it."""
    _file_call(work, call, queue, person, version)
    _file_visits(work, call)
    if version == 1 and person is None and verdict.kind != "served" and call.confirmed is not False:
        _keep_unread(work.connection, call)
    judged = (verdict.kind, verdict.reason, verdict.side, verdict.waited_s, verdict.talked_s)
    work.tell(CallJudged(call.call_id, queue, *judged), call.ended_at or call.started_at)


def gap(work: Work, gap: Gap) -> None:
    """Keep a time in which nobody listened, and what could be learnt of it."""
    why_not = gap.why_not[:WHY_LENGTH]
    facts = {"since_at": gap.since, "until_at": gap.until, "calls": gap.calls, "why_not": why_not}
    insert_new(work.connection, t.listening_gap, {"pbx": work.pbx, **facts})
    counts = (gap.forged, gap.unproved, gap.recorded)
    work.tell(GapClosed(gap.since, gap.until, gap.calls, why_not, *counts), gap.until)


def mark(work: Work, call_id: str, recovery: str) -> None:
    """Keep beside the call what was made of it, when the transaction ends."""
    row = {"of_pbx": work.pbx, "of_call": call_id, "made_of_it": recovery}
    work.late(_Marks).rows.append(row)


def counted(work: Work, call_id: str) -> bool:
    """Whether an earlier verdict on this call has led to a reservation: one loss is one, however often it is judged."""
    return work.connection.execute(_COUNTED, {"of_pbx": work.pbx, "of_call": call_id}).first() is not None


def _keep_unread(connection: Connection, call: Call) -> None:
    """Keep what was signalled for a lost caller whose number could not be read, so that people may."""
    if call.number and not call.doubtful:
        insert_new(connection, t.unread_number, {"pbx": call.pbx, "call_id": call.call_id, "digits": call.number})


def forget_unread(connection: Connection, e164: str) -> int:
    """Remove what may be this number in any form, of whatever PBX; give how many there were."""
    alike = t.unread_number.c.digits.endswith(numbers.ending_of(e164))
    return connection.execute(delete(t.unread_number).where(alike)).rowcount


def new_version(work: Work, call: Call, verdict: Verdict) -> int | None:
    """Keep a verdict, and give its number among the call's; None when a known one is as good, or its caller was erased.

    Ask it before the caller's number is written anywhere: a journal that is heard again must not bring it back.
    """
    row = _verdict_row(work, call, verdict)
    if insert_new(work.connection, t.verdict, row | {"version": 1}):
        return 1
    his = {"of_pbx": work.pbx, "of_call": call.call_id}
    version, rank = work.connection.execute(_KNOWN, his).one()
    if rank >= verdict.rank:
        return None
    number = work.connection.execute(_NUMBER, his).scalar_one_or_none()
    if number is not None and not number.startswith("+"):
        return None
    insert_new(work.connection, t.verdict, row | {"version": int(version) + 1})
    return int(version) + 1


@dataclass(frozen=True, slots=True)
class Said:
    """What a person says of a call: its kind and reason, in a verdict's words."""

    kind: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Version:
    """A verdict as it is stored, without its evidence."""

    number: int
    source: str
    kind: str
    reason: str | None
    side: str | None
    waited_us: int
    talked_us: int

    @property
    def lost(self) -> bool:
        """Whether the caller was lost by it, or asked for a callback."""
        return self.kind in LOST or self.kind == "requested" or self.reason == LEFT_UNSERVED


def newest(work: Work, call_id: str) -> Version | None:
    """The newest verdict on a call, which is locked; None where no such call is known here."""
    his = {"of_pbx": work.pbx, "of_call": call_id}
    if work.connection.execute(_LOCK, his).first() is None:
        return None
    row = work.connection.execute(_NEWEST, his).one()
    times = (row.waited_us, row.talked_us)
    return Version(row.version, row.source, row.kind, row.reason, row.side, *times)


def correct(work: Work, call_id: str, was: Version, said: Said) -> Version:
    """Keep what a person says of a call that `newest` has locked, as one more verdict: its times stay."""
    side = was.side if said.kind == was.kind else None
    now = replace(was, number=was.number + 1, source=t.PERSON, kind=said.kind, reason=said.reason, side=side)
    facts = {name: getattr(now, name) for name in ("source", "kind", "reason", "side", "waited_us", "talked_us")}
    key = {"pbx": work.pbx, "call_id": call_id, "version": now.number, "rank": PERSON_RANK}
    made = {"evidence": [], "rules_version": work.site.version, "judged_at": work.now}
    if not insert_new(work.connection, t.verdict, key | facts | made):
        raise Contended(f"call {call_id} was judged anew in the same moment")
    return now


def _file_call(work: Work, call: Call, queue: str | None, person: int | None, version: int) -> None:
    """Keep the call as the newest verdict sees it."""
    facts = {
        "linkedid": call.linkedid,
        "channel": call.channel,
        "did": call.did,
        "queue": queue,
        "person_id": person,
        "started_at": call.started_at,
        "ended_at": call.ended_at,
    }
    if version == 1:
        key = {"pbx": work.pbx, "call_id": call.call_id}
        work.connection.execute(_NEW_CALL, {**key, **facts, "recovery": "none"})
    else:
        his = {"of_pbx": work.pbx, "of_call": call.call_id}
        work.connection.execute(_CALL, his | facts)
        write_now(work.connection)
        work.connection.execute(_NO_VISITS, his)  # the same visit may have another time in it


def _file_visits(work: Work, call: Call) -> None:
    key = {"pbx": work.pbx, "call_id": call.call_id}
    for visit in call.visits:
        times = {"joined_at": visit.joined_at, "connected_at": visit.connected_at, "ended_at": visit.ended_at}
        row = key | times | {"queue": visit.queue or "", "ended_by": visit.end, "agent": visit.agent}
        work.late(_Visits).rows.append(row)


def _verdict_row(work: Work, call: Call, verdict: Verdict) -> dict[str, Any]:
    return {
        "pbx": work.pbx,
        "call_id": call.call_id,
        "source": verdict.source,
        "rank": verdict.rank,
        "kind": verdict.kind,
        "reason": verdict.reason,
        "side": verdict.side,
        "waited_us": round(verdict.waited_s * SECOND),
        "talked_us": round(verdict.talked_s * SECOND),
        "evidence": list(verdict.evidence),
        "rules_version": work.site.version,
        "judged_at": work.now,
    }
