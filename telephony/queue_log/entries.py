"""Lines of Asterisk's queue_log as values: file or table, every dialect from Asterisk 10 to 22. Pure.

A line is `time|call id|queue|agent|event|data…`; the call id is the Uniqueid of the caller's channel. What app_queue
writes, with its data (seconds are whole, `position` is the caller's place in the queue):

    ENTERQUEUE       url, number, position (22.6 and later: and the caller's name); both as the caller sent them
    CONNECT          hold s, Uniqueid of the agent's channel, ring s (the last is missing in old versions)
    ABANDON          position, first position, waited s
    EXITWITHTIMEOUT  position, first position, waited s
    EXITEMPTY        position, first position, waited s
    EXITWITHKEY      keys, position, first position, waited s (old versions: keys, position)
    WITHDRAW         position, first position, waited s, a word of the program that withdrew him
    COMPLETECALLER   hold s, talk s, first position (and COMPLETEAGENT: who ended it)
    TRANSFER         extension, context, hold s, talk s, first position (until 11; then BLINDTRANSFER)
    ATTENDEDTRANSFER how, what (one or two), hold s, talk s, first position (since 12)
    RINGNOANSWER     rang ms (and RINGCANCELED since 16: the caller hung up meanwhile)
    AGENTDUMP, SYSCOMPAT                       no data; the latter ends the call
    QUEUESTART, CONFIGRELOAD                   of no call; the former is written when Asterisk first has something
                                               to log after its start, which may be much later
    ADDMEMBER, REMOVEMEMBER, PAUSE, UNPAUSE, PAUSEALL, UNPAUSEALL, PENALTY, PAUSEREASON, AGENTLOGIN, AGENTLOGOFF …
                                               of agents

DID (FreePBX), CALLERID, INFO, FULL, JOINEMPTY, LEAVEEMPTY, CLOSED, DIVERT_CA_RATIO and DIVERT_HOLDTIME (Wazo) and any
other come from a site's own QueueLog() in the dialplan.
Sources: apps/app_queue.c and main/logger.c of Asterisk, logs recorded from 16.28 and 22.10, and what wazo-agid writes.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Final, NamedTuple

from telephony.ids import SECOND

NOBODY: Final = "NONE"
NO_CALL: Final = frozenset({"", "NONE", "REALTIME", "MANAGER"})
"""What stands for a call id in lines that are of no call."""

_FIELDS: Final = 5
_MOST_FIELDS: Final = 24
_SHOWN: Final = 120
_EPOCH_DIGITS: Final = 10
_new_tuple: Final = tuple.__new__
_TIME: Final = re.compile(r"([0-9]{9,11})(?:\.([0-9]{1,6})[0-9]*)?")
_EARLIEST, _LATEST = 10**9 * SECOND, 10**10 * SECOND  # 2001 to 2286


class Entry(NamedTuple):
    """One line: when (µs), whose call, in which queue, about which agent. `data` ends with its last non-empty field."""

    at: int
    call_id: str
    queue: str | None
    agent: str | None
    event: str
    data: tuple[str, ...]


class Fault(NamedTuple):
    """A line that was left out: why, how it begins, and where it stands (`file:line`)."""

    why: str
    text: str
    place: str = ""


@dataclass(slots=True)
class Faults:
    """What was wrong with a log: every fault is counted by its reason, the first `limit` are kept."""

    limit: int = 100
    kept: list[Fault] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, fault: Fault, place: str = "") -> None:
        """Count a fault, and keep it while there is room."""
        self.counts[fault.why] += 1
        if len(self.kept) < self.limit:
            self.kept.append(fault._replace(place=place) if place else fault)

    def join(self, other: "Faults") -> None:
        """Add those of another log."""
        self.counts.update(other.counts)
        self.kept.extend(other.kept[: max(0, self.limit - len(self.kept))])

    def __iter__(self) -> Iterator[Fault]:
        return iter(self.kept)

    def __len__(self) -> int:
        return self.counts.total()


NO_LINE: Final = "too few fields: no line of a queue_log"
NO_TIME: Final = "does not begin with a time"
NO_EVENT: Final = "names no event"
NUL: Final = "holds a NUL byte"


def parse(line: bytes, zone: tzinfo = UTC) -> Entry | Fault:
    """Read one line, with or without its line end. Never raises.

    `zone` is that of times written as `YYYY-mm-dd HH:MM:SS[.ffffff]`; seconds since the epoch need none. Bytes that
    are not UTF-8 become U+FFFD, which is part of no usable number.
    """
    return parse_all([line.rstrip(b"\r\n").decode("utf-8", "replace")], zone)[0]


def parse_all(lines: Iterable[str], zone: tzinfo = UTC) -> list[Entry | Fault]:
    """Read lines as `parse` does, without their ends; made for millions of them."""
    read: list[Entry | Fault] = []
    last, at = "", None
    for line in lines:
        fields = line.split("|", _MOST_FIELDS)
        if len(fields) < _FIELDS:
            read.append(Fault(NO_LINE, _shown(line)))
            continue
        if fields[0] != last:
            last = fields[0]
            plain = len(last) == _EPOCH_DIGITS and last.isdigit() and last.isascii()
            at = int(last) * SECOND if plain else instant(last, zone)
        if at is None or not fields[4] or "\0" in line:
            read.append(_fault(line, fields))
            continue
        while not fields[-1] and len(fields) > _FIELDS:  # as entry() does: a call for each line costs a tenth
            fields.pop()
        queue: str | None = fields[2]
        agent: str | None = fields[3]
        queue = None if queue == NOBODY else queue or None
        agent = None if agent == NOBODY else agent or None
        read.append(_new_tuple(Entry, (at, fields[1], queue, agent, fields[4], tuple(fields[_FIELDS:]))))
    return read


def entry(at: int, fields: list[str]) -> Entry:
    """Make an entry of `fields` as they stand in a line; the first, the time, has been read already."""
    while not fields[-1] and len(fields) > _FIELDS:
        fields.pop()
    _, call_id, queue, agent, event = fields[:_FIELDS]
    return _new_tuple(  # as Entry() does, in half the time
        Entry,
        (
            at,
            call_id,
            queue if queue and queue != NOBODY else None,
            agent if agent and agent != NOBODY else None,
            event,
            tuple(fields[_FIELDS:]),
        ),
    )


def instant(text: str, zone: tzinfo) -> int | None:
    """Read a time as any version writes it, µs; None where it is none.

    In the hour that a zone's clocks repeat, a local time is taken as the first of the two.
    """
    if len(text) == _EPOCH_DIGITS and text.isascii() and text.isdigit():
        return int(text) * SECOND
    found = _TIME.fullmatch(text)
    if found is not None:
        at = int(found[1]) * SECOND + int((found[2] or "").ljust(6, "0"))
        return at if _EARLIEST <= at < _LATEST else None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant_of(moment, zone)


def instant_of(moment: datetime, zone: tzinfo) -> int | None:
    """Give a date and time as µs, in `zone` where it names none itself; None where that is no time of a log."""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
    try:
        at = round((aware.replace(microsecond=0)).timestamp()) * SECOND + aware.microsecond
    except (ValueError, OverflowError):
        return None
    return at if _EARLIEST <= at < _LATEST else None


def _fault(line: str, fields: list[str]) -> Entry | Fault:
    """Say what is wrong with a line; where it is only the NULs before it, nothing is."""
    bare = line.lstrip("\0")
    if "\0" in bare:
        return Fault(NUL, _shown(bare))
    if not fields[4]:
        return Fault(NO_EVENT, _shown(line))
    return Fault(NO_TIME, _shown(line)) if bare == line else parse_all([bare])[0]


def _shown(line: str) -> str:
    """Give how a line begins, on one line, without digits: what a caller wrote may be a number."""
    return "".join("#" if char.isdigit() else char if char.isprintable() else "·" for char in line[:_SHOWN])
