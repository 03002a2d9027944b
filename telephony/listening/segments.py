"""The files of a journal: each a segment of its records, named by the offset of its first byte.

A record is a line `<arrival µs> <bytes> <crc32>` and the bytes of messages that arrived together, an empty line between
them, as they came. Offsets are positions over all segments.
"""

import logging
import os
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

_NAME: Final = re.compile(r"([0-9]{20})\.journal")
_HEADER: Final = re.compile(rb"([0-9]{1,17}) ([0-9]{1,9}) ([0-9a-f]{8})\n")
HEADER_LIMIT: Final = 64

log = logging.getLogger(__name__)


class Record(NamedTuple):
    """What the journal holds of one arrival: `offset` is where it begins, `next_offset` where the next one does."""

    offset: int
    arrived_at: int
    body: bytes
    next_offset: int


@dataclass(slots=True)
class Segment:
    """A file of records. `first_at` is when the first arrived, None while there is none."""

    path: Path
    start: int
    end: int
    first_at: int | None = None


def written(body: bytes, arrived_at: int) -> bytes:
    """Give the bytes of a record."""
    return b"%d %d %08x\n%b\n" % (arrived_at, len(body), zlib.crc32(body), body)


def within(directory: Path) -> list[Segment]:
    """Give the segments in a directory, the oldest first."""
    found = sorted((int(name[1]), path) for path in directory.iterdir() if (name := _NAME.fullmatch(path.name)))
    segments: list[Segment] = []
    for start, path in found:
        segment = Segment(path, start, start + path.stat().st_size)
        if segments and start < segments[-1].end and segment.end == start:
            path.unlink()  # it was made and could not be used, and the one before went on
            continue
        first = next(records(segment, start), None)
        segment.first_at = first.arrived_at if first else None
        segments.append(segment)
    return segments


def begin(directory: Path, start: int) -> Segment:
    """Make an empty segment, whose name survives a power cut."""
    path = directory / f"{start:020d}.journal"
    path.touch(mode=0o600)
    listing = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(listing)
    finally:
        os.close(listing)
    return Segment(path, start, start)


def open_to_append(segment: Segment) -> int:
    """Give the file of a segment, open for more."""
    return os.open(segment.path, os.O_WRONLY | os.O_APPEND)


def cut_torn_tail(segment: Segment) -> bool:
    """Remove what stands behind the last whole record of a segment; tell whether there was something."""
    end = segment.start
    for record in records(segment, segment.start):
        end = record.next_offset
    torn = segment.end - end
    if torn:
        log.warning("%s: %d bytes behind the last whole record removed", segment.path, torn)
        os.truncate(segment.path, end - segment.start)
        segment.end = end
    return torn > 0


def records(segment: Segment, offset: int) -> Iterator[Record]:
    """Give the records of a segment from an offset on, up to its end or to one that is not whole."""
    with segment.path.open("rb") as file:
        file.seek(offset - segment.start)
        while offset < segment.end:
            record = _record(file.readline(HEADER_LIMIT), file.read, offset)
            if record is None:
                log.warning("%s: no whole record at offset %d; the rest is left out", segment.path, offset)
                return
            yield record
            offset = record.next_offset


def _record(line: bytes, read: Callable[[int], bytes], offset: int) -> Record | None:
    header = _HEADER.fullmatch(line)
    if header is None:
        return None
    length = int(header[2])
    read_on = read(length + 1)
    body = read_on[:length]
    if read_on[length:] != b"\n" or zlib.crc32(body) != int(header[3], 16):
        return None
    return Record(offset, int(header[1]), body, offset + len(line) + length + 1)
