"""Whether there was a call of which the log alone tells: by what no caller can write. Pure.

Who calls can write whole lines into a queue_log file (`telephony.queue_log.sieve`), but does not know which Uniqueids
the PBX gives: `epoch.counter`, where each new channel gets the next count. So a call that was not heard is believed if
- it began in the time that nobody listened to: who came before was heard;
- its count lies between two that were heard, before and after; or goes on, in small steps, from the one before. Phones
  that ring have channels too, so that callers who follow each other are some steps apart;
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
"""Channels between a caller and the next, at most: each phone that rings for somebody is one."""
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


def newer(one: str, other: str) -> str:
    """Give whichever id was given later; what is no id of Asterisk's own is older than any."""
    return max(one, other, key=lambda uniqueid: parsed(uniqueid) or Uniqueid("", 0, 0))


@dataclass(frozen=True, slots=True)
class Known:
    """What was heard. `since` is when the gap began, by the PBX's clock, and `newest` the last channel before it.

    `after` are channels that were heard of after it; `heard` tells of which calls anything was; `recorded` are the
    calls of which a record tells that nobody can forge.
    """

    since: int
    newest: str
    after: Collection[str]
    heard: Callable[[str], bool]
    recorded: frozenset[str] = frozenset()
    restarted: bool = False
    forgeable: bool = True  # who calls can write into that log


def weighed(told: Iterable[Judged], known: Known) -> tuple[Judged, ...]:
    """Mark the calls of which nothing but the log tells as doubtful."""
    told = tuple(told)
    if not known.forgeable:
        return told
    unheard = {call.call_id for call, _ in told if not (call.placed or known.heard(call.call_id))}
    doubtful = unheard - known.recorded - _counted(unheard, known)
    return tuple((replace(call, doubtful=call.call_id in doubtful), verdict) for call, verdict in told)


def _counted(call_ids: Iterable[str], known: Known) -> frozenset[str]:
    """Give those whose ids fit between what was heard before the gap and after it."""
    newest = parsed(known.newest)
    if newest is None:
        return frozenset()
    after = [] if known.restarted else [other for other in map(parsed, known.after) if other is not None]
    bound = max((other.serial for other in after if other.system == newest.system), default=0)
    reached, fitting = newest.serial, set()
    for uniqueid, call_id in sorted((one, call_id) for call_id in call_ids if (one := parsed(call_id)) is not None):
        new = uniqueid.epoch * SECOND + NEAR >= known.since and uniqueid.serial > newest.serial
        if uniqueid.system == newest.system and new and uniqueid.serial <= max(bound, reached + STEP):
            reached = max(reached, uniqueid.serial)
            fitting.add(call_id)
    return frozenset(fitting)
