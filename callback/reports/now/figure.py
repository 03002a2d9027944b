"""A figure of a page, and the rows behind it: whoever counts says what was counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from callback.reports.care.cases import Due
from callback.reports.queue.wanted import EVERYBODY, Wanted

ListName = Literal[
    "answers",  # texts that a person has still to read
    "incidents",  # open ones
    "left",  # given up by the service in the last day, though nobody was reached
    "texts-failed",  # in the last hour
    "not-lost",  # withdrawn by people today
    "cancelled",  # by people today
    "assigned",  # open ones that are some person's
    "dialled",  # of a promise whose time is over: dialled in that time
    "reached",
    "closed",
    "due",  # every promise of today whose time is over
]
LISTS: Final[tuple[ListName, ...]] = get_args(ListName)
Promised = Literal["dialled", "reached", "closed"]
Lane = Literal["calling", "aim", "binds", "window", "late", "later", "held"]


@dataclass(frozen=True, slots=True)
class InQueue:
    """Open reservations: those wanted, of these lanes; no lane: of all."""

    lanes: tuple[Lane, ...] = ()
    wanted: Wanted = EVERYBODY


@dataclass(frozen=True, slots=True)
class InList:
    """The rows of a list; those of a promise are of `within_min` minutes."""

    name: ListName
    within_min: int | None = None


@dataclass(frozen=True, slots=True)
class InCases:
    """Open cases that wait for us: those whose clock runs out soon, or has run out."""

    due: Due


Rows = InQueue | InList | InCases


@dataclass(frozen=True, slots=True)
class Figure:
    """How many, and which rows these are (None: there are none); `more`: there are more than were counted."""

    count: int
    rows: Rows | None
    more: bool = False
