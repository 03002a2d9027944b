"""A customer's number in full: shown to one person, who asked for it, and kept in the audit each time."""

from __future__ import annotations

from callback.customers.persons import ERASED
from callback.decisions.actions import NoSuchPerson
from callback.decisions.notes import look_up
from callback.site.telling import tell
from callback.site.work import Work
from callback.store.audit import By


def reveal(work: Work, reservation: int, by: By, groups: frozenset[str] | None = None) -> str:
    """Give the number (E.164), and keep in audit and feed who has seen it.

    NoSuchReservation where there is none of these groups, NoSuchPerson once the customer was erased.
    """
    row = look_up(work, reservation, groups)
    if row.e164.startswith(ERASED):
        raise NoSuchPerson("the customer was erased: it is nobody's number any more")
    tell(work, by, "reveal", {}, row.id)
    return row.e164
