"""Views of the queue that a person saved: a name and what is filtered, by the number of the key that opens it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, delete, select, update

from callback.errors import CallbackError
from callback.store import tables as t
from callback.store.inserting import insert_new

NUMBERS: Final = range(1, 10)
NAME_ROOM: Final = 100
QUERY_ROOM: Final = 1000
_PHONE: Final = re.compile(r"(?:\d[\s().+-]*){7,}")
_V: Final = t.saved_view.c
_OF_USER: Final = select(_V.number, _V.name, _V.query).where(_V.user == bindparam("of_user")).order_by(_V.number)
_ONE: Final = (_V.user == bindparam("of_user"), _V.number == bindparam("of_number"))
_CHANGED: Final = update(t.saved_view).where(*_ONE)
_REMOVED: Final = delete(t.saved_view).where(*_ONE)


@dataclass(frozen=True, slots=True)
class SavedView:
    """A view. `query`: as it stands in the address after the question mark."""

    number: int
    name: str
    query: str


def listed(connection: Connection, user: str) -> list[SavedView]:
    """Give a person's views in the order of their keys."""
    return [SavedView(*row) for row in connection.execute(_OF_USER, {"of_user": user})]


def keep(connection: Connection, user: str, view: SavedView) -> None:
    """Save a view, in the place of the one that has its number. CallbackError where it may not be saved so."""
    if view.number not in NUMBERS:
        raise CallbackError(f"a view has a number from {NUMBERS[0]} to {NUMBERS[-1]}")
    if not view.name.strip() or len(view.name) > NAME_ROOM or len(view.query) > QUERY_ROOM:
        raise CallbackError(f"a view has a name of at most {NAME_ROOM} characters and a filter of {QUERY_ROOM}")
    if _PHONE.search(view.name) or _PHONE.search(view.query):
        raise CallbackError("no telephone number may stand in a saved view: search for it instead")
    row = {"user": user, "number": view.number, "name": view.name, "query": view.query}
    if not insert_new(connection, t.saved_view, row):
        changed = _CHANGED.values(name=view.name, query=view.query)
        connection.execute(changed, {"of_user": user, "of_number": view.number})


def remove(connection: Connection, user: str, number: int) -> None:
    """Forget a view."""
    connection.execute(_REMOVED, {"of_user": user, "of_number": number})
