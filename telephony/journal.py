"""A bounded write-ahead buffer of raw messages on disk: true only until what follows from them is committed.

Segment files in one directory, each named by the offset of its first byte; an offset is a position over all
segments and only grows. A record is a line `<arrival µs> <bytes> <crc32>` and the message's own bytes, so that
`grep -a` finds calls in it. The writer alone may use a journal; it flushes when it has read what there was.

What a kill leaves is a prefix: a record cut short at the end is removed when the journal is opened again, and so is
what a power cut left behind, where the sum does not fit. A checkpoint (an offset, kept with the verdicts) must be
committed after `sync`, else it may point behind the end.
"""

import logging
import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Final, NamedTuple, Self

from telephony.errors import TelephonyError
from telephony.ids import SECOND

DAY_S: Final = 86_400
MAX_AGE_S: Final = 7 * DAY_S
"""No record is kept longer: they hold people's numbers."""
SEGMENT_SPAN_S: Final = DAY_S
"""A segment takes no record later than this after its first, so that age can be told by segment."""

_NAME: Final = re.compile(r"([0-9]{20})\.journal")
_HEADER: Final = re.compile(rb"([0-9]{1,17}) ([0-9]{1,9}) ([0-9a-f]{8})\n")
_HEADER_LIMIT: Final = 64
_PARTS: Final = 8

log = logging.getLogger(__name__)


class JournalError(TelephonyError):
    """The journal's directory cannot be used; the sentence says why."""


class JournalFull(TelephonyError):  # noqa: N818  # it reads as what happened
    """The journal holds its most: stop reading from the PBX until a checkpoint frees some, and count the gap."""


class Record(NamedTuple):
    """A message in the journal. `offset` is where it begins, `next_offset` where the one after it does."""

    offset: int
    arrived_at: int
    raw: bytes
    next_offset: int


class Journal:
    """Append messages, read them again from an offset, forget what was settled.

    `max_bytes` bounds all segments together, `segment_bytes` one of them (by default an eighth of it): space
    is freed by whole segments.
    """

    def __init__(
        self, directory: Path, *, max_bytes: int, segment_bytes: int | None = None, max_age_s: int = MAX_AGE_S
    ) -> None:
        self._directory = directory
        self._max_bytes = max_bytes
        self._segment_bytes = segment_bytes or max(1, max_bytes // _PARTS)
        self._max_age = max_age_s * SECOND
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._segments = _segments_in(directory)
            if self._segments:
                _cut_torn_tail(self._segments[-1])
            else:
                self._segments = [_Segment.begin(directory, 0)]
            self._file = self._segments[-1].path.open("ab")
        except OSError as error:
            raise JournalError(f"The journal in {directory} cannot be used: {error.strerror}.") from error
        self.end = self._segments[-1].end
        self._first_at = _first_arrival(self._segments[-1])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def start(self) -> int:
        """Give the offset of the oldest byte that is kept; `end` is that of the next one to come."""
        return self._segments[0].start

    @property
    def size(self) -> int:
        """Give how many bytes are kept."""
        return self.end - self.start

    def append(self, raw: bytes, arrived_at: int) -> int:
        """Add a message, give its offset. Raises JournalFull, and has then added nothing."""
        header = b"%d %d %08x\n" % (arrived_at, len(raw), zlib.crc32(raw))
        length = len(header) + len(raw) + 1
        if self.size + length > self._max_bytes:
            raise JournalFull(
                f"The journal in {self._directory} holds {self.size} of {self._max_bytes} bytes allowed: "
                "reading from the PBX stops. Look for the oldest call that is still open, or allow more."
            )
        if self._must_roll(length, arrived_at):
            self._roll()
        if self._first_at is None:
            self._first_at = arrived_at
        offset = self.end
        self._file.write(header + raw + b"\n")
        self.end += length
        return offset
