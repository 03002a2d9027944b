"""A call of the log as a `Call`, the value that a verdict is passed on. Pure."""

from dataclasses import MISSING, fields
from functools import lru_cache
from typing import Final

from telephony.calls.call import Call, Ending, QueueVisit, VisitEnd, moment
from telephony.ids import SECOND, epoch_of
from telephony.queue_log.visits import PendingCall, Visit

NOT_TOLD: Final = "queue_log tells no cause, and not what came after the queue"
_EVIDENCE: Final = 40
_CLOCK: Final = tuple(f"{second // 60:02}:{second % 60:02}.000000Z" for second in range(3600))


# Call is frozen, and its constructor sets each of its many fields by a slow way: a third of all time went there.
_SLOTS: Final = tuple((field.name, Call.__dict__[field.name].__set__) for field in fields(Call))
_DEFAULTS: Final = {field.name: field.default for field in fields(Call) if field.default is not MISSING}


def call_of(
    pending: PendingCall, pbx: str, ending: Ending, ended_at: int | None, seen_until: int, *, placed: bool
) -> Call:
    """Give a call; its visits are in order."""
    last = pending.visits[-1]
    epoch = epoch_of(pending.call_id)
    return _made(
        pbx=pbx,
        call_id=pending.call_id,
        linkedid=pending.call_id,
        channel="",
        number=pending.number,
        did=pending.did,
        started_at=pending.first_at if epoch is None else epoch,
        ended_at=ended_at,
        seen_until=seen_until,
        visits=_values(pending.visits),
        hangup_by=last.ended_by,
        talked_at=last.connected_at,
        talking=last.connected_at is not None and last.ended_at is None,
        cut=last.end == "unserved",
        placed=placed,
        ending=ending,
        complete=not pending.forgot and all(visit.joined for visit in pending.visits),
        evidence=_evidence(pending),
    )


def _made(**known: object) -> Call:
    """Make a Call as its constructor does, in a fraction of the time."""
    made = object.__new__(Call)
    facts = {**_DEFAULTS, **known}
    for name, put in _SLOTS:
        put(made, facts[name])
    return made


def _values(visits: list[Visit]) -> tuple[QueueVisit, ...]:
    """Give a call's visits as values, in the order of their beginnings."""
    last = visits[-1]
    return tuple(_value(visit, "waiting" if visit is last else "unknown") for visit in visits)


def _value(visit: Visit, endless: VisitEnd) -> QueueVisit:
    end: VisitEnd = visit.end or endless
    if visit.connected_at is not None:
        end = "connected"
    return QueueVisit(
        visit.queue,
        visit.joined_at,
        visit.connected_at,
        visit.agent,
        visit.ended_at,
        end,
        visit.key,
        end == "abandoned" and visit.rang,
        visit.handed_on,
    )


def _evidence(pending: PendingCall) -> tuple[str, ...]:
    """Give a line for each entry that was used, without numbers and keys; the first and last ones if many."""
    lines = [f"{event} {queue} at {stamp(at)}" for event, queue, at in pending.lines]
    if len(lines) > _EVIDENCE:
        half = _EVIDENCE // 2
        lines = [*lines[:half], f"… {len(lines) - 2 * half} more", *lines[-half:]]
    if pending.unanswered:
        lines.append(f"RINGNOANSWER {pending.unanswered} times")
    lines.append(NOT_TOLD)
    return tuple(lines)


@lru_cache(maxsize=64)
def _hour(hours: int) -> str:
    return moment(hours * 3600 * SECOND)[: len("2026-11-22T05:")]


def stamp(at: int) -> str:
    """Give an instant as `moment` does, in a tenth of the time where it is a whole second."""
    seconds, micros = divmod(at, SECOND)
    return moment(at) if micros else _hour(seconds // 3600) + _CLOCK[seconds % 3600]
