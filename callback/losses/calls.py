"""Judged calls as rows: the call, its queue visits, its verdicts (versions, never overwritten) and its person."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, Table, bindparam, delete, func, insert, select, update

from callback.customers import numbers
from callback.events import CallJudged, GapClosed
from callback.site.work import Work
from callback.store import tables as t
from callback.store.inserting import insert_new
from scheduler.clock import SECOND
from telephony.calls.call import Call, Verdict
from telephony.pbx import Gap

WHY_LENGTH = 200


def _his(table: Table) -> list[ColumnElement[bool]]:
    """The rows of one call. The names are not those of columns: an UPDATE would take them for values."""
    return [table.c.pbx == bindparam("of_pbx"), table.c.call_id == bindparam("of_call")]


# Made once: to build a statement costs several times what it costs to run it, and these run for each call.
_KNOWN = select(func.max(t.verdict.c.version), func.max(t.verdict.c.rank)).where(*_his(t.verdict))
_NUMBER = select(t.person.c.number).join(t.call).where(*_his(t.call))
_MARK = update(t.call).where(*_his(t.call)).values(recovery=bindparam("made_of_it"))
_COUNTED = select(t.loss.c.reservation_id).where(*_his(t.loss))
_NEW_CALL, _NEW_VERDICT = insert(t.call), insert(t.verdict)
_CALL = update(t.call).where(*_his(t.call))
_NO_VISITS = delete(t.queue_visit).where(*_his(t.queue_visit))


def file(work: Work, call: Call, queue: str | None, verdict: Verdict, version: int, person: int | None) -> None:
    """Keep the call and its verdict, as the version of it that `next_version` gave, and tell it."""
    _file_call(work, call, queue, person, version)
    _file_verdict(work, call, verdict, version)
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
    """Keep beside the call what was made of it."""
    work.connection.execute(_MARK, {"of_pbx": work.pbx, "of_call": call_id, "made_of_it": recovery})


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


def next_version(work: Work, call: Call, verdict: Verdict) -> int | None:
    """The number of this verdict among the call's, or None when a known one is as good, or its caller was erased.

    Ask it before the caller's number is written anywhere: a journal that is heard again must not bring it back.
    """
    his = {"of_pbx": work.pbx, "of_call": call.call_id}
    version, rank = work.connection.execute(_KNOWN, his).one()
    if version is None:
        return 1
    if rank >= verdict.rank:
        return None
    number = work.connection.execute(_NUMBER, his).scalar_one_or_none()
    return None if number is not None and not number.startswith("+") else int(version) + 1


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
        work.connection.execute(_NO_VISITS, his)  # the same visit may have another time in it


def _file_visits(work: Work, call: Call) -> None:
    key = {"pbx": work.pbx, "call_id": call.call_id}
    for visit in call.visits:
        times = {"joined_at": visit.joined_at, "connected_at": visit.connected_at, "ended_at": visit.ended_at}
        row = key | times | {"queue": visit.queue or "", "ended_by": visit.end, "agent": visit.agent}
        insert_new(work.connection, t.queue_visit, row)


def _file_verdict(work: Work, call: Call, verdict: Verdict, version: int) -> None:
    row = {
        "pbx": work.pbx,
        "call_id": call.call_id,
        "version": version,
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
    work.connection.execute(_NEW_VERDICT, row)
