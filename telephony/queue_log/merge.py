"""Merges files of one log that overlap into one stream. Pure."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from itertools import chain

from telephony.ids import SECOND
from telephony.queue_log.entries import Entry

Batches = Iterator[list[Entry]]


class _Source:
    """A file that is being read: its entries that were not given out yet."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches
        self._ahead: list[Entry] = []
        self.next: Entry | None = None
        self._load()

    def _load(self) -> None:
        """Have the next entries at hand, if there are any."""
        while not self._ahead and (batch := next(self._batches, None)) is not None:
            self._ahead = batch[::-1]
        self.next = self._ahead[-1] if self._ahead else None

    def until(self, limit: int) -> list[Entry]:
        """Give entries up to the first that is not before `limit`."""
        given: list[Entry] = []
        while self.next is not None and self.next.at < limit:
            given.append(self._ahead.pop())
            self._load()
        return given

    def rest(self) -> Batches:
        """Give all that is left."""
        ahead, self._ahead, self.next = self._ahead[::-1], [], None
        return chain([ahead], self._batches)


def merged(files: Iterable[tuple[int, Batches]]) -> Batches:
    """Give the entries of files, each with the instant of its first line, sorted by that; what several hold, once.

    Two lines are the same if nothing in them differs. A line that stands twice in one file counts twice.
    """
    to_come = deque(files)
    open_ones: list[_Source] = []
    while to_come or open_ones:
        now = min((file.next.at for file in open_ones if file.next is not None), default=None)
        if now is None or (to_come and now >= _second(to_come[0][0])):
            open_ones.append(_Source(to_come.popleft()[1]))
        elif to_come or len(open_ones) > 1:
            yield _once(open_ones, _second(now) + SECOND)
        else:
            yield from open_ones[0].rest()
        open_ones = [file for file in open_ones if file.next is not None]


def _once(files: list[_Source], limit: int) -> list[Entry]:
    """Give a second's entries, each as often as the file has it that has it most."""
    if len(files) == 1:
        return files[0].until(limit)
    given: Counter[Entry] = Counter()
    entries: list[Entry] = []
    for file in files:
        here: Counter[Entry] = Counter()
        for entry in file.until(limit):
            here[entry] += 1
            if here[entry] > given[entry]:
                entries.append(entry)
        given |= here
    return entries


def _second(at: int) -> int:
    return at - at % SECOND
