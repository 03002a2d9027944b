"""A bounded write-ahead buffer of messages on disk, needed only until their results are committed.

Segment files in one directory, each named by the offset of its first byte; an offset is a position over all
segments and only grows. A record is a line `<arrival µs> <bytes> <crc32>` and the messages' own bytes, so that
`grep -a` finds calls in it. One writer alone may use a journal, and a lock sees to it.

What was appended survives a kill. A record cut short at the end is removed when the journal is opened again, and so
is whatever a power cut left behind the last sync. Its offsets are not given again: a checkpoint (the journal's id and
an offset, kept with the verdicts) is to be given to `resume`, which also knows one that lies behind a lost tail.
"""

import errno
import fcntl
import logging
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from telephony import private
from telephony.errors import TelephonyError
from telephony.ids import SECOND
from telephony.listening import segments
from telephony.listening.segments import Record, Segment
from telephony.listening.signatures import LOCK

DAY_S: Final = 86_400
MAX_AGE_S: Final = 7 * DAY_S
"""No record is kept longer: they hold people's numbers."""
SEGMENT_SPAN_S: Final = DAY_S
"""A segment takes no record that came later than this after its first: age is told by segment."""

SETTLED_BYTES: Final = 1 << 16
"""The last segment is ended for what is settled in it only from this size on: that costs a sync and a file."""

_ID: Final = re.compile(r"[0-9a-f]{32}")
_ID_FILE: Final = "journal.id"
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT)
_PARTS: Final = 8

log = logging.getLogger(__name__)


class JournalError(TelephonyError):
    """The journal's directory cannot be used; the sentence says why, and what to do where that is not plain."""


class JournalInUse(JournalError):
    """Another process writes this journal; it can be had when that one has ended."""


class JournalFull(TelephonyError):
    """There is no room until a checkpoint frees some; messages that cannot be kept are a gap."""


class Journal:
    """Appends messages, reads them again from an offset, deletes what is settled.

    `max_bytes` bounds all segments together, `segment_bytes` one of them (by default an eighth of it): room
    is made by whole segments. Instants are µs UTC. `id` is this journal's own, drawn when it was first made: an
    offset means nothing in another one.
    """

    def __init__(
        self, directory: Path, *, max_bytes: int, segment_bytes: int | None = None, max_age_s: int = MAX_AGE_S
    ) -> None:
        self._directory = directory
        self._max_bytes = max_bytes
        self._segment_bytes = segment_bytes or max(1, max_bytes // _PARTS)
        self._max_age = max_age_s * SECOND
        try:
            private.make_folder(directory)
            self._lock = _locked(directory)
            try:
                self._take_over()
            except OSError:
                os.close(self._lock)
                raise
        except OSError as error:
            why = f"The journal in {directory} cannot be used: {error.strerror}."
            raise (JournalFull(why) if error.errno in _NO_ROOM else JournalError(why)) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def most_bytes(self) -> int:
        """Give how many bytes it may hold."""
        return self._max_bytes

    @property
    def start(self) -> int:
        """Give the offset of the oldest record that is kept."""
        return self._segments[0].start

    @property
    def end(self) -> int:
        """Give the offset that the next record will have."""
        return self._segments[-1].end

    def resume(self, journal_id: str | None, offset: int) -> int:
        """Give the offset to digest from, by the last committed checkpoint (None: there is none).

        That is its offset, if it is one of this journal; else all that is kept. Where the offset lies behind the
        end, a power cut took the tail: the next record gets that offset, so that offsets never go backwards.
        """
        if journal_id != self.id:
            return self.start
        if offset > self.end:
            log.warning("the journal in %s lost its tail: %d bytes", self._directory, offset - self.end)
            self.sync()
            self._begin_at(offset)
            return self.start
        return max(offset, self.start)

    def append(self, body: bytes, arrived_at: int) -> int:
        """Add a record, give its offset. Where there is no room, JournalFull is raised and nothing added."""
        record = segments.written(body, arrived_at)
        self.check_room(len(record))
        if self._belongs_to_next(len(record), arrived_at):
            self._roll()
        segment = self._segments[-1]
        try:
            written = os.write(self._file, record)
            while written < len(record):
                written += os.write(self._file, record[written:])
        except OSError as error:
            os.ftruncate(self._file, segment.end - segment.start)
            os.lseek(self._file, 0, os.SEEK_END)
            raise JournalFull(f"The journal in {self._directory} cannot grow: {error.strerror}.") from error
        segment.first_at = arrived_at if segment.first_at is None else segment.first_at
        offset = segment.end
        segment.end += len(record)
        return offset

    def check_room(self, length: int) -> None:
        """Raise JournalFull where so many bytes more are not allowed."""
        kept = sum(segment.end - segment.start for segment in self._segments)
        if kept + length > self._max_bytes:
            raise JournalFull(
                f"The journal in {self._directory} holds {kept} of {self._max_bytes} bytes allowed: see whether "
                "verdicts are committed, or allow more."
            )

    def sync(self) -> None:
        """Wait until it is on the disk: it survives a power cut from here on."""
        os.fsync(self._file)

    def close(self) -> None:
        """Let go of the files."""
        os.close(self._file)
        os.close(self._lock)

    def read_from(self, offset: int) -> Iterator[Record]:
        """Give the records from an offset on, up to the present end; those forgotten are left out.

        Where a segment is damaged, the rest of it is left out too, with a line in the log.
        """
        for segment in list(self._segments):
            if segment.end > offset and segment in self._segments:  # others may be forgotten meanwhile
                yield from segments.records(segment, max(offset, segment.start))

    def forget_before(self, offset: int) -> None:
        """Delete the segments that end by that offset: what was in them is settled."""
        last = self._segments[-1]
        if offset >= self.end and self.end - last.start >= min(SETTLED_BYTES, self._segment_bytes // 2):
            with suppress(JournalFull):  # a full disk: what is settled before this segment goes all the same
                self._roll()
        self._delete(lambda segment: segment.end <= offset)

    def expire(self, now: int) -> None:
        """Delete the segments that hold a record older than the greatest age, settled or not."""

        def too_old(segment: Segment) -> bool:
            return segment.first_at is not None and now - segment.first_at > self._max_age

        if too_old(self._segments[-1]):
            with suppress(JournalFull):
                self._roll()
        self._delete(too_old)

    def _belongs_to_next(self, length: int, arrived_at: int) -> bool:
        first_at, size = self._segments[-1].first_at, self.end - self._segments[-1].start
        if first_at is None:
            return False
        return size + length > self._segment_bytes or arrived_at - first_at > SEGMENT_SPAN_S * SECOND

    def _take_over(self) -> None:
        """Go on where an earlier writer ended."""
        self.id = _id_of(self._directory)
        self._segments = segments.within(self._directory)
        end = self._segments[-1].end if self._segments else 0
        if not self._segments or segments.cut_torn_tail(self._segments[-1]):
            self._segments.append(segments.begin(self._directory, end))
        self._file = segments.open_to_append(self._segments[-1])

    def _roll(self) -> None:
        """Begin a new segment, unless the last one is empty. JournalFull on a full disk."""
        last = self._segments[-1]
        try:
            self.sync()
            if last.end > last.start:
                self._begin_at(last.end)
        except OSError as error:
            raise JournalFull(f"The journal in {self._directory} cannot grow: {error.strerror}.") from error

    def _begin_at(self, offset: int) -> None:
        segment = segments.begin(self._directory, offset)
        file = segments.open_to_append(segment)  # where this fails, the one before goes on
        os.close(self._file)
        self._file = file
        self._segments.append(segment)

    def _delete(self, done: Callable[[Segment], bool]) -> None:
        while len(self._segments) > 1 and done(self._segments[0]):
            self._segments.pop(0).path.unlink(missing_ok=True)


def _locked(directory: Path) -> int:
    """Lock the directory for as long as the file that is given stays open: a kill frees it."""
    lock = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise JournalInUse(
            f"The journal in {directory} is in use by another process, which listens already: this one takes its "
            "place when it ends. If that one is for another PBX, give each a name of its own."
        ) from error
    return lock


def _id_of(directory: Path) -> str:
    """Give the journal's id; draw one where there is none yet."""
    path = directory / _ID_FILE
    known = path.read_text(errors="replace").strip() if path.exists() else ""
    if _ID.fullmatch(known):
        return known
    drawn = secrets.token_hex(16)
    private.write(path, drawn + "\n")
    return drawn
