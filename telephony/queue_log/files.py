"""The part of a queue_log that matters, from its files: the one that Asterisk appends to, and its rotations.

`queue_log`, `queue_log.0`, `queue_log.1.gz`, `queue_log-20261122`, `queue_log.1795307706` … are one log, in the order
of their first lines; a line that stands in several counts once. In each the beginning is found by bisection, for its
lines are sorted by time. What was not written to its end yet is left for later. Memory is bounded by a block for each
file, and by one second's lines where files overlap.
"""

import bz2
import gzip
import lzma
import os
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from functools import cached_property
from io import BufferedReader
from operator import itemgetter
from pathlib import Path
from statistics import median_low
from typing import Final, Literal, cast

from telephony.errors import TelephonyError
from telephony.ids import SECOND
from telephony.queue_log.entries import Entry, Fault, Faults, parse
from telephony.queue_log.merge import merged
from telephony.queue_log.sieve import Sieve, has_positions

BLOCK: Final = 1 << 16
PROBE: Final = 1 << 12
"""Bytes looked at in one step of the bisection: far more than a caller can forge. The median of their times counts."""
SLACK_S: Final = 60
"""Lines are out of order by no more than that."""
TRIES: Final = 5
TORN: Final = "the file ends in the middle of it"
DAMAGED: Final = "the compressed file is damaged, and could not be read to its end"

_AT: Final = itemgetter(0)
_ROTATION: Final = re.compile(r"[.-][0-9][0-9.T_-]*(?:\.(?:gz|bz2|xz))?", re.ASCII)
_PACKED: Final = (b"\x1f\x8b", b"BZ", b"\xfd7")
_DAMAGED: Final = (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError)
# A power cut may tear a line, and what Asterisk writes after its start then follows on the same one.
_GLUED: Final = re.compile(rb"(?<=[^\n])(?=[0-9]{10}\|NONE\|NONE\|NONE\|QUEUESTART\|\n)")


class LogUnreadable(TelephonyError):
    """A queue_log cannot be read; the sentence says which, why, and the remedy."""


class LogFiles:
    """A queue_log and its rotations. `path` is the file that Asterisk writes; `zone` is for times that need one."""

    forgeable = True

    def __init__(self, path: Path | str, zone: tzinfo = UTC) -> None:
        self.path, self._zone = Path(path), zone
        self.progress: Callable[[int], None] = lambda _: None

    def __str__(self) -> str:
        return str(self.path)

    def size(self) -> int:
        """Give how much there is to read; `progress` is told how much more was read, in the same measure."""
        with self._open() as files:
            return sum(file.size for file in files)

    def begins_at(self) -> int | None:
        """Give the instant of the oldest line, None where there is none. Raises LogUnreadable."""
        with self._open() as files:
            return min((file.first_at for file in files if file.first_at is not None), default=None)

    def between(self, since: int, until: int, faults: Faults) -> Iterator[Entry]:
        """Give the entries from `since` to `until` (µs), oldest first. Raises LogUnreadable.

        Faults outside that time are not looked for, forged lines and times among them.
        """
        begin, end = since - SLACK_S * SECOND, until + SLACK_S * SECOND
        with self._open() as files:
            wanted = [file for file in files if self._wanted(file, begin, end)]
            wanted.sort(key=lambda file: file.first_at or 0)
            for batch in merged((file.first_at or 0, file.batches(begin, end, faults)) for file in wanted):
                if not batch or (since <= min(map(_AT, batch)) and max(map(_AT, batch)) <= until):
                    yield from batch
                else:
                    yield from (entry for entry in batch if since <= entry.at <= until)

    @contextmanager
    def _open(self) -> Iterator[list["_File"]]:
        """Open all files at once, so that a rotation meanwhile neither hides nor doubles one."""
        for _ in range(TRIES):
            with ExitStack() as opened:
                names = self._names()
                try:
                    streams = {name: opened.enter_context((self.path.parent / name).open("rb")) for name in names}
                except FileNotFoundError:
                    continue
                except OSError as error:
                    raise LogUnreadable(
                        f"{error.filename} cannot be read ({error.strerror}). Let the service read it, e.g. by the "
                        "group asterisk."
                    ) from error
                if self._names() != names:
                    continue
                yield [self._file(name, stream) for name, stream in streams.items()]
                return
        raise LogUnreadable(f"{self.path} is rotated again and again while it is read. Try again later.")

    def _file(self, name: str, stream: BufferedReader) -> "_File":
        return _File(name, stream, self._zone, "left" if name == self.path.name else "torn", self.progress)

    def _wanted(self, file: "_File", begin: int, end: int) -> bool:
        return file.last_written >= begin and (file.first_at or end + 1) <= end

    def _names(self) -> dict[str, int]:
        """Give the log's files with their inodes."""
        try:
            with os.scandir(self.path.parent) as found:
                names = {entry.name: entry.inode() for entry in found if self._belongs(entry)}
        except OSError as error:
            raise LogUnreadable(
                f"{self.path.parent} cannot be read ({error.strerror}). Name the directory of Asterisk's logs."
            ) from error
        if not names:
            raise LogUnreadable(
                f"there is no {self.path}, nor a rotation of it. Check queue_log and queue_log_to_file in logger.conf, "
                "or name the realtime table."
            )
        return names

    def _belongs(self, entry: os.DirEntry[str]) -> bool:
        rest = entry.name.removeprefix(self.path.name)
        ours = entry.name.startswith(self.path.name) and (not rest or _ROTATION.fullmatch(rest) is not None)
        return ours and entry.is_file()


class NamedFiles(LogFiles):
    """A queue_log in just these files, whatever they are called and wherever they lie; one named twice is one."""

    def __init__(self, paths: Sequence[Path], zone: tzinfo = UTC) -> None:
        super().__init__(paths[0], zone)
        self._paths = paths

    def __str__(self) -> str:
        return ", ".join(map(str, self._paths))

    def _file(self, name: str, stream: BufferedReader) -> "_File":
        return _File(name, stream, self._zone, "whole", self.progress)

    def _wanted(self, file: "_File", begin: int, end: int) -> bool:
        return file.first_at is None or super()._wanted(file, begin, end)  # what is no log has faults to tell

    def _names(self) -> dict[str, int]:
        try:
            found = {path.stat().st_ino: str(path.absolute()) for path in reversed(self._paths)}
        except OSError as error:
            raise LogUnreadable(
                f"{error.filename}: {error.strerror}. Name files of a queue_log, plain or packed."
            ) from error
        return {name: inode for inode, name in reversed(found.items())}


@dataclass
class _File:
    """One open file of the log.

    Its last line may lack its end: it is `left` for later where Asterisk appends to the file, else it was `torn`; in a
    file that somebody named it counts as `whole`.
    """

    name: str
    stream: BufferedReader
    zone: tzinfo
    last: Literal["left", "torn", "whole"]
    progress: Callable[[int], None] = lambda _: None
    _told: int = field(default=0, init=False)

    @property
    def size(self) -> int:
        """Its bytes, as they lie on the disk."""
        return os.fstat(self.stream.fileno()).st_size

    @cached_property
    def packed(self) -> bool:
        """Whether it is compressed, whatever its name says."""
        self.stream.seek(0)
        return self.stream.read(2) in _PACKED

    @cached_property
    def last_written(self) -> int:
        """When it was written last, µs; a rotation keeps that."""
        return os.fstat(self.stream.fileno()).st_mtime_ns // 1000 + SECOND

    @cached_property
    def first_at(self) -> int | None:
        """The instant of its first line."""
        block = next(self._blocks(0), b"")
        return next((item.at for item in map(self._parse, block.split(b"\n")[:-1]) if isinstance(item, Entry)), None)

    @cached_property
    def _has_positions(self) -> bool:
        """Whether its first lines tell the callers' positions; they are thought to where no caller is among them."""
        return has_positions(next(self._blocks(0), b"").decode("utf-8", "replace"))

    def batches(self, begin: int, end: int, faults: Faults) -> Iterator[list[Entry]]:
        """Give the entries from about `begin` to about `end`, some hundred at a time."""
        offset, until = (0, None) if self.packed else self._between(begin, end)
        sieve = Sieve(faults, self._place_from(offset), self.zone, positions=self._has_positions)
        for block in self._blocks(offset, until, faults):
            text = (_GLUED.sub(b"\n", block) if b"|QUEUESTART|" in block else block).decode("utf-8", "replace")
            yield sieve.feed(text.replace("\r\n", "\n") if "\r\n" in text else text)
        yield sieve.close()

    def _unpacked(self) -> BufferedReader:
        self.stream.seek(0)
        magic = self.stream.read(2)
        self.stream.seek(0)
        opened: dict[bytes, Callable[[BufferedReader], gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile]] = {
            b"\x1f\x8b": lambda stream: gzip.GzipFile(fileobj=stream),
            b"BZ": bz2.BZ2File,
            b"\xfd7": lzma.LZMAFile,
        }
        return cast("BufferedReader", opened[magic](self.stream))

    def _parse(self, line: bytes) -> Entry | Fault:
        return parse(line, self.zone)

    def _place_from(self, offset: int) -> Callable[[int], str]:
        """Number lines from the top of the file; those before `offset` are counted only if asked for."""
        above: list[int] = []

        def place(number: int) -> str:
            if not above:
                above.append(self._lines_before(offset))
            return f"{self.name}:{above[0] + number + 1}"

        return place

    def _lines_before(self, offset: int) -> int:
        here, count = self.stream.tell(), 0
        self.stream.seek(0)
        for at in range(0, offset, BLOCK):
            count += self.stream.read(min(BLOCK, offset - at)).count(b"\n")
        self.stream.seek(here)
        return count

    def _blocks(self, offset: int, until: int | None = None, faults: Faults | None = None) -> Iterator[bytes]:
        """Give whole lines, some thousand at a time. What has no line end yet is left."""
        rest = b""
        for data in self._chunks(offset, until, faults):
            end = data.rfind(b"\n") + 1
            if end:
                yield rest + data[:end]
                rest = data[end:]
            else:
                rest = (rest + data)[-BLOCK:]  # no line is that long
        if rest and faults is not None and self.last == "whole":
            yield rest + b"\n"
        elif rest and faults is not None and self.last == "torn":
            faults.add(Fault(TORN, ""), self.name)

    def _chunks(self, offset: int, until: int | None, faults: Faults | None) -> Iterator[bytes]:
        stream = self._unpacked() if self.packed else self.stream
        stream.seek(offset)
        try:
            while until is None or offset < until:
                data = stream.read1(BLOCK if until is None else min(BLOCK, until - offset))
                if not data:
                    return
                yield data
                offset += len(data)
                if faults is not None:
                    self._tell()
        except _DAMAGED as error:
            if faults is not None:
                faults.add(Fault(DAMAGED, str(error)), self.name)
        except OSError as error:
            raise LogUnreadable(f"{self.name} cannot be read on ({error.strerror}). Look at the disk.") from error

    def _tell(self) -> None:
        """Tell how far the file on the disk has been read."""
        here = self.stream.tell()
        self.progress(here - self._told)
        self._told = here

    def _between(self, begin: int, end: int) -> tuple[int, int]:
        """Give offsets of lines around those from `begin` to `end`."""
        size = self.size
        low, _ = self._bisect(size, begin, unclear_is_old=False)
        _, high = self._bisect(size, end + 1, unclear_is_old=True)
        return self._line_at(low), size if high + PROBE >= size else self._line_at(high + PROBE)

    def _bisect(self, size: int, at: int, *, unclear_is_old: bool) -> tuple[int, int]:
        """Give two offsets, a probe apart at most: lines from the first on are older than `at`, not so from the second.

        The first may be 0, the second the end.
        """
        low, high = 0, size
        while high - low > PROBE:
            middle = (low + high) // 2
            then = self._about(middle)
            old = unclear_is_old if then is None else then < at
            low, high = (middle, high) if old else (low, middle)
        return low, high

    def _about(self, offset: int) -> int | None:
        """Give when the lines from `offset` on were written: the median, for a few may be forged."""
        self.stream.seek(offset)
        lines = self.stream.read(PROBE).split(b"\n")[1 if offset else 0 : -1]
        times = [item.at for item in map(self._parse, lines) if isinstance(item, Entry)]
        return median_low(times) if times else None

    def _line_at(self, offset: int) -> int:
        """Give where the line begins that `offset` lies in."""
        if not offset:
            return 0
        back = max(0, offset - BLOCK)
        self.stream.seek(back)
        return back + self.stream.read(offset - back).rfind(b"\n") + 1
