"""Complaints of a file are registered: in steps, each a transaction; what is known already changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Final, Literal

from callback.decisions.care.acting import Actor
from callback.decisions.care.complaints_file import BadLine, Line
from callback.decisions.care.registering import check, register
from callback.errors import CallbackError, StoreError
from callback.site.work import Work

AT_ONCE: Final = 50
"""So many are one transaction: whoever listens never waits for long."""
SHOWN: Final = 1000
"""So many bad lines are kept by name; the others are counted."""


@dataclass
class Imported:
    """What became of a file: complaints that are new cases, that joined an open one, or were known; and bad lines."""

    new: int = 0
    joined: int = 0
    known: int = 0
    bad_count: int = 0
    bad: list[BadLine] = field(default_factory=list)

    def count(self, done: list[str]) -> None:
        """Count what became of lines that could be used."""
        self.new += done.count("new")
        self.joined += done.count("joined")
        self.known += done.count("known")

    def refuse(self, line: BadLine) -> None:
        """Count a line of which nothing is kept."""
        self.bad_count += 1
        if len(self.bad) < SHOWN:
            self.bad.append(line)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a line."""

    line: int
    how: Literal["new", "joined", "known", "bad"]
    why: str = ""


Do = Callable[[Work], list[Outcome]]
Transact = Callable[[Do], list[Outcome]]
"""Does some work in one transaction, once more from its start where others were in the way, and gives what it gives."""


def take(lines: Iterable[Line | BadLine], transact: Transact, actor: Actor, *, dry: bool = False) -> Imported:
    """Register each; with `dry`, look only whether each could be. What raises is named by its line, and goes no way."""
    found = Imported()
    for some in _bundles(lines):
        good = [line for line in some if isinstance(line, Line)]
        outcomes = transact(partial(_all, good, actor, dry)) if good else []
        bad = [BadLine(one.line, one.why) for one in outcomes if one.why]
        for one in sorted((*bad, *(line for line in some if isinstance(line, BadLine))), key=lambda one: one.line):
            found.refuse(one)
        found.count([str(outcome.how) for outcome in outcomes])
    return found


def _all(lines: list[Line], actor: Actor, dry: bool, work: Work) -> list[Outcome]:  # noqa: FBT001 - bound by place
    return [_one(work, line, actor, dry=dry) for line in lines]


def _one(work: Work, line: Line, actor: Actor, *, dry: bool) -> Outcome:
    """Register one. It is checked before anything is written, so one that is refused leaves nothing."""
    try:
        if check(work, line.complaint, actor) is not None:
            return Outcome(line.line, "known")
        if dry:
            return Outcome(line.line, "new")
        return Outcome(line.line, "new" if register(work, line.complaint, actor).made else "joined")
    except StoreError:
        raise
    except CallbackError as error:
        return Outcome(line.line, "bad", str(error))


def _bundles(lines: Iterable[Line | BadLine]) -> Iterator[list[Line | BadLine]]:
    these = iter(lines)
    while some := list(islice(these, AT_ONCE)):
        yield some
