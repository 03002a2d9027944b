"""Call records in CSV, as cdr_csv writes them: a second source on the calls of a gap.

cdr.conf: `[csv]` with `usegmtime = yes` (or say the zone) and `loguniqueid = yes`, without which records are of no use.
A record is written when its call is over, so the file is in the order of ends. Queue and Dial write one for each phone
that rang, all with the Uniqueid of the caller's channel.

No caller can forge a record: Asterisk doubles each quote that it is sent, so that nobody's words can end one field and
begin another. What has a line feed in it fits no record here, and is passed over.

A record knows who called, on which channel, and whether somebody answered; not why a talk ended, nor who hung up.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Final, NamedTuple

from telephony.calls.call import Call, Judged, Verdict
from telephony.calls.verdict import judge
from telephony.ids import SECOND, epoch_of, is_local, originated, usable

BLOCK: Final = 1 << 18
SLACK: Final = 60 * SECOND
"""Records are out of order by no more than that."""
NOT_TOLD: Final = "a call record tells no cause, and not who hung up"

_TEXT: Final = r'(?:"((?:[^"\n]|"")*)")?'
_LINE: Final = re.compile(
    ",".join([_TEXT] * 12) + r",([0-9]{1,9}),([0-9]{1,9})," + ",".join([_TEXT] * 3) + rf"(?:,{_TEXT})?"
)
_REFUSED: Final = {"BUSY": 17, "CONGESTION": 34}
_QUEUE: Final = "Queue"


class Record(NamedTuple):
    """One record; instants in µs. `answered_at` is when the caller's channel was answered, by whomever."""

    uniqueid: str
    number: str
    did: str
    channel: str
    other: str  # the channel of the phone that rang, if one did
    application: str
    began_at: int
    answered_at: int | None
    ended_at: int
    talked_s: int
    disposition: str


class Cdr:
    """The records in a file; `zone` is that of the times in it."""

    def __init__(self, path: Path | str, zone: tzinfo = UTC) -> None:
        self.path, self._zone = Path(path), zone

    def __str__(self) -> str:
        return str(self.path)

    def between(self, since: int, until: int) -> list[Record]:
        """Give the records of calls that ended from `since` to `until` (µs). Raises OSError."""
        found = []
        for record in self._backwards():
            if record.ended_at < since - SLACK:
                break
            if since <= record.ended_at <= until:
                found.append(record)
        return found[::-1]

    def last(self) -> Record | None:
        """Give the last record that can be read at the file's end, or None. Raises OSError."""
        with self.path.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - BLOCK))
            read = map(self._read, reversed(file.read().split(b"\n")))
            return next((record for record in read if record is not None), None)

    def _backwards(self) -> Iterator[Record]:
        """Give the records from the last to the first."""
        with self.path.open("rb") as file:
            end = file.seek(0, 2)
            head = b""  # of the block behind: it may begin in the middle of a line
            while end:
                begin = max(0, end - BLOCK)
                file.seek(begin)
                first, *lines = (file.read(end - begin) + head).split(b"\n")
                head, end = (first, begin) if begin else (b"", 0)
                read = map(self._read, reversed(lines if begin else [first, *lines]))
                yield from (record for record in read if record is not None)

    def _read(self, line: bytes) -> Record | None:
        found = _LINE.fullmatch(line.decode("utf-8", "replace").rstrip("\r"))
        if found is None:
            return None
        fields = found.groups("")
        began_at, answered_at, ended_at = map(self._at, fields[9:12])
        if began_at is None or ended_at is None or not fields[16]:
            return None
        names = (fields[16], fields[1], fields[2], fields[5], fields[6], fields[7])
        return Record(*names, began_at, answered_at, ended_at, int(fields[13]), fields[14])

    def _at(self, text: str) -> int | None:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return None
        return round(moment.replace(tzinfo=moment.tzinfo or self._zone).timestamp()) * SECOND


def calls_of(records: Iterable[Record], pbx: str, trunks: tuple[str, ...]) -> Iterator[Judged]:
    """Give the customers' calls that reached no queue, as far as records can tell their outcome.

    A customer's call came in on a trunk; if no trunk is named, there are none. Calls that reached a queue are in the
    queue_log.
    """
    of_call: dict[str, list[Record]] = {}
    for record in records:
        of_call.setdefault(record.uniqueid, []).append(record)
    for call_id, own in of_call.items():
        channel = own[0].channel
        customer = bool(trunks) and channel.startswith(trunks) and not is_local(channel) and not originated(call_id)
        if customer and all(record.application != _QUEUE for record in own):
            judged = _judged(call_id, own, pbx)
            if judged is not None:
                yield judged


def _judged(call_id: str, own: Sequence[Record], pbx: str) -> Judged | None:
    """Judge a call: somebody answered, it was refused, or nobody answered. None if the records do not tell."""
    last = max(own, key=lambda record: record.ended_at)
    talk = next((one for one in own if one.other and one.talked_s and one.disposition == "ANSWERED"), None)
    refused = next((_REFUSED[one.disposition] for one in own if one.disposition in _REFUSED), None)
    rang = any(one.other for one in own)
    if talk is None and refused is None and not rang:
        return None
    call = Call(
        pbx=pbx,
        call_id=call_id,
        linkedid=call_id,
        channel=last.channel,
        number=usable(own[0].number),
        did=own[0].did or None,
        started_at=epoch_of(call_id) or own[0].began_at,
        ended_at=last.ended_at,
        seen_until=last.ended_at,
        visits=(),
        talked_at=talk and (talk.answered_at or talk.began_at),
        refused_with=refused if talk is None else None,
        evidence=(*(f"{one.application} {one.disposition} in a call record" for one in own), NOT_TOLD),
    )
    if talk is not None:
        return call, Verdict("served", None, None, 0, talk.talked_s, call.evidence, "log", "a record tells of a talk")
    return call, replace(judge(call), source="log")
