"""How far a long work is, on the error side: a bar on a terminal, and elsewhere a line now and then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from callback.cli.tables import terminal

EVERY_S = 10.0
"""Of what takes less no line is written."""
_Each = TypeVar("_Each")


@contextmanager
def shown(what: str, size: int) -> Iterator[Callable[[int], None]]:
    """Show how far it is; tell it how much more of `size` is done."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(what, size).further
        return
    columns = TextColumn(what), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True, auto_refresh=False) as bar:
        task = bar.add_task("", total=size)
        yield lambda more: bar.update(task, advance=more, refresh=True) if more else None


def tracked(what: str, works: Sequence[_Each]) -> Iterator[_Each]:
    """Give works one by one, and show how many are done."""
    return each_of(what, works, len(works))


def each_of(what: str, works: Iterable[_Each], number: int) -> Iterator[_Each]:
    """Show the same of works that come by themselves, so many of them."""
    with shown(what, number) as further:
        for work in works:
            yield work
            further(1)


class _Lines:
    def __init__(self, what: str, size: int) -> None:
        self._what, self._size = what, size
        self._done, self._said_at = 0, time.monotonic()

    def further(self, more: int) -> None:
        self._done += more
        now = time.monotonic()
        if more and self._size and now - self._said_at >= EVERY_S:
            self._said_at = now
            terminal.say(f"{self._what}: {self._done / self._size:.0%}", error=True)
