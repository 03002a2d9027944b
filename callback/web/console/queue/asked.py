"""What the queue page is asked for, as its address says it: filters, a lane, a sort, columns; and no number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, get_args
from urllib.parse import urlencode

from callback.errors import CallbackError
from callback.reports.queue.lanes import LANES, Sort
from callback.reports.queue.wanted import EVERYBODY, Wanted
from callback.reports.queue.why import WORDS
from callback.web.console.number import number_in
from telephony.calls.call import Kind

COLUMNS: Final = (
    "queue", "lost", "next", "tries", "text", "whose",
    "first", "made", "aim", "language", "trunk", "group", "id", "incident", "source",
)  # fmt: skip
"""Those that may be shown beside the promise and the customer, in their order."""
USUAL: Final = COLUMNS[:6]
NOBODY: Final = "-"
"""Stands for nobody, or nothing, where a filter asks for it."""
_MOST: Final = 500
_LISTS: Final[Mapping[str, str]] = {
    "queue": "queues", "kind": "kinds", "state": "states", "why": "why", "text": "texts",
}  # fmt: skip
_NUMBERS: Final[Mapping[str, str]] = {"tries": "tries", "incident": "incidents", "ids": "ids"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for. `lane`: that lane alone, page by page, from `after` on; `all`: all rows that may be shown."""

    wanted: Wanted = EVERYBODY
    lane: str | None = None
    sort: Sort = Sort.DISPATCHER
    columns: tuple[str, ...] = USUAL
    all: bool = False
    after: str = ""

    @property
    def is_filtered(self) -> bool:
        """Whether somebody is left out by a filter."""
        return not self.wanted.is_everybody

    def query(self, **changes: object) -> str:
        """The same as an address has it, with changes of `lane`, `sort`, `columns`, `all` or `after`."""
        one = replace(self, **changes) if changes else self  # type: ignore[arg-type]
        wanted, said = one.wanted, dict[str, str]()
        for name, field in {**_LISTS, **_NUMBERS}.items():
            if values := getattr(wanted, field):
                said[name] = ",".join(str(value) or NOBODY for value in sorted(values))
        if wanted.whose:
            said["whose"] = min(wanted.whose) or NOBODY
        if wanted.overdue:
            said["overdue"] = "1"
        if one.columns != USUAL:
            said["columns"] = ",".join(one.columns)
        told = (("lane", one.lane), ("sort", one.sort if one.sort is not Sort.DISPATCHER else None))
        said |= {name: value for name, value in told if value}
        if one.all:
            said["all"] = "1"
        if one.after:
            said["after"] = one.after
        return urlencode(said)


def read(query: Iterable[tuple[str, str]]) -> Asked:
    """Read the pairs of an address; names that are not known are left out. CallbackError where a value is none."""
    said: dict[str, list[str]] = {}
    for name, value in query:
        if value:
            said.setdefault(name, []).append(value)
    lists = {field: frozenset(_values(said.get(name, []))) for name, field in _LISTS.items()}
    numbers = {field: frozenset(map(_number, _values(said.get(name, [])))) for name, field in _NUMBERS.items()}
    whose = frozenset("" if one == NOBODY else one for one in said.get("whose", [])[-1:])
    _known("kind", lists["kinds"], get_args(Kind))
    _known("reason", lists["why"], WORDS)
    if len(numbers["ids"]) > _MOST:
        raise CallbackError(f"at most {_MOST} reservations may be named")
    lane, sort = said.get("lane", [None])[-1], said.get("sort", [Sort.DISPATCHER.value])[-1]
    _known("lane", {lane} - {None}, LANES)
    _known("sort", {sort}, list(Sort))
    columns = _values(said.get("columns", []) + said.get("column", [])) or USUAL
    _known("column", columns, COLUMNS)
    return Asked(
        Wanted(**lists, **numbers, whose=whose, overdue="overdue" in said),  # type: ignore[arg-type]
        lane,
        Sort(sort),
        tuple(one for one in COLUMNS if one in columns),
        "all" in said,
        said.get("after", [""])[-1],
    )


def _values(given: Iterable[str]) -> list[str]:
    return ["" if one == NOBODY else one for value in given for one in value.split(",") if one]


def _number(said: str) -> int:
    if (number := number_in(said)) is None:
        raise CallbackError("where a number belongs there is none")
    return number


def _known(what: str, given: Iterable[str | None], known: Iterable[str]) -> None:
    if not set(given) <= set(known):
        raise CallbackError(f"there is no such {what}")
