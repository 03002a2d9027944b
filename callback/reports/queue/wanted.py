"""Which reservations are wanted: the filters of the queue, each a condition whose statement is made once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import BindParameter, ColumnElement, bindparam, func

from callback.store import tables as t
from callback.texts import compose

NOW: Final[BindParameter[int]] = bindparam("now")
_R = t.reservation.c


class State(StrEnum):
    """Where an open reservation stands."""

    WAITING = "waiting"
    HELD = "held"
    CALLING = "calling"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is not said leaves none out; of several values of one filter, any will do.

    `whose` are names of people, "" for nobody's. `groups` are the queue groups that the viewer may see; None: all.
    `texts` are words of how the newest text stands, "" for none at all; `overdue`: the deadline has passed. `why` is
    a word that is judged row by row (`why.WORDS`), all others are asked of the database.
    """

    queues: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    states: frozenset[str] = frozenset()
    tries: frozenset[int] = frozenset()
    whose: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()
    incidents: frozenset[int] = frozenset()
    ids: frozenset[int] = frozenset()
    overdue: bool = False
    why: frozenset[str] = frozenset()
    groups: frozenset[str] | None = None

    @property
    def asked(self) -> tuple[str, ...]:
        """The names of the filters that leave somebody out, of those that the database answers."""
        given = (field.name for field in fields(self) if field.name not in {"why", "groups"})
        said = tuple(name for name in given if getattr(self, name))
        return said if self.groups is None else (*said, "groups")

    @property
    def is_everybody(self) -> bool:
        """Whether nobody is left out, but for the viewer's groups."""
        return not self.why and set(self.asked) <= {"groups"}

    def parameters(self) -> dict[str, Any]:
        """The values that the conditions of these filters need."""
        return {f"of_{name}": sorted(getattr(self, name)) for name in self.asked if name != "overdue"}


EVERYBODY: Final = Wanted()


def _any_of(name: str) -> Any:  # noqa: ANN401 - SQLAlchemy does not type the parameters of an IN
    return bindparam(f"of_{name}", expanding=True)


_CONDITIONS: Final[Mapping[str, ColumnElement[bool]]] = {
    "queues": _R.queue.in_(_any_of("queues")),
    "kinds": _R.kind.in_(_any_of("kinds")),
    "states": _R.state.in_(_any_of("states")),
    "tries": _R.tries.in_(_any_of("tries")),
    "whose": func.coalesce(_R.assigned_to, "").in_(_any_of("whose")),
    "texts": func.coalesce(compose.newest_word(_R.id), "").in_(_any_of("texts")),
    "incidents": _R.incident_id.in_(_any_of("incidents")),
    "ids": _R.id.in_(_any_of("ids")),
    "overdue": _R.deadline_at < NOW,
    "groups": _R.queue_group.in_(_any_of("groups")),
}


def conditions(names: tuple[str, ...]) -> list[ColumnElement[bool]]:
    """Give the conditions of these filters."""
    return [_CONDITIONS[name] for name in names]
