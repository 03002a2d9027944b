"""Whether a call that only the log tells of really happened: by facts that no caller can write. Pure.

A caller can write whole lines into a queue_log file (`telephony.queue_log.sieve`), but does not know which Uniqueids
the PBX gives: `epoch.counter`, where each new channel gets the next count. So a call that was not heard is believed if
- it began in the gap: earlier calls were heard;
- its count lies between two that were heard, before and after the gap; or follows the one before in small steps.
  Phones that ring have channels too, so the counts of two successive callers are some steps apart;
- or a record that callers cannot forge tells of it (`telephony.cdr`).
After a restart of the PBX counts begin anew, at numbers that anybody may guess: then they prove nothing.
"""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from telephony.calls.call import Judged
from telephony.ids import SECOND

STEP: Final = 64
"""Channels between one caller and the next, at most: each phone that rings has one."""
NEAR: Final = 2 * SECOND

_ID: Final = re.compile(r"(.+-)?([0-9]{9,10})\.([0-9]{1,12})", re.ASCII | re.DOTALL)


class Uniqueid(NamedTuple):
    """An id that Asterisk gave: `[systemname-]epoch.counter`."""

    system: str
    epoch: int
    serial: int


def parsed(uniqueid: str) -> Uniqueid | None:
    """Give the parts of an id of Asterisk's own form; None for others."""
    found = _ID.fullmatch(uniqueid)
    return Uniqueid(found[1] or "", int(found[2]), int(found[3])) if found else None


def newest(*uniqueids: str) -> str:
    """Give the latest of some ids; an id that is not of Asterisk's own form is older than any other."""
    return max(uniqueids, key=lambda uniqueid: parsed(uniqueid) or Uniqueid("", 0, 0))


@dataclass(frozen=True, slots=True)
class GapEvidence:
    """What is known beside the log. `since`: when the gap began, by the PBX's clock; `newest`: the last channel before.

    `after` are channels heard of after the gap; `heard` tells whether any event of a call was heard; `recorded` are the
    calls that have a call record, which nobody can forge.
    """

    since: int
    newest: str
    after: Collection[str]
    heard: Callable[[str], bool]
    recorded: frozenset[str] = frozenset()
    restarted: bool = False
    forgeable: bool = True  # callers can write into that log


def mark_doubtful(told: Iterable[Judged], evidence: GapEvidence) -> tuple[Judged, ...]:
    """Mark the calls that nothing but the log tells of as doubtful."""
    told = tuple(told)
    if not evidence.forgeable:
        return told
    unheard = {call.call_id for call, _ in told if not (call.placed or evidence.heard(call.call_id))}
    doubtful = unheard - evidence.recorded - _fitting(unheard, evidence)
    return tuple((replace(call, doubtful=call.call_id in doubtful), verdict) for call, verdict in told)


def _fitting(call_ids: Iterable[str], evidence: GapEvidence) -> frozenset[str]:
    """Give those whose ids fit between the ids heard before the gap and after it."""
    newest = parsed(evidence.newest)
    if newest is None:
        return frozenset()
    after = [] if evidence.restarted else [other for other in map(parsed, evidence.after) if other is not None]
    bound = max((other.serial for other in after if other.system == newest.system), default=0)
    reached, fitting = newest.serial, set()
    for uniqueid, call_id in sorted((one, call_id) for call_id in call_ids if (one := parsed(call_id)) is not None):
        new = uniqueid.epoch * SECOND + NEAR >= evidence.since and uniqueid.serial > newest.serial
        if uniqueid.system == newest.system and new and uniqueid.serial <= max(bound, reached + STEP):
            reached = max(reached, uniqueid.serial)
            fitting.add(call_id)
    return frozenset(fitting)
