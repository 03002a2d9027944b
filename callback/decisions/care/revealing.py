"""The number of a case's customer in full: shown to one person, who asked for it, and kept in the audit each time."""

from __future__ import annotations

from callback.accounts.roles import Groups
from callback.care import cases
from callback.care.cases import NoSuchCase
from callback.customers.persons import ERASED
from callback.decisions.actions import NoSuchPerson
from callback.site.groups import is_of
from callback.site.telling import tell
from callback.site.work import Work
from callback.store.audit import By


def reveal(work: Work, case: int, by: By, groups: Groups = None) -> str:
    """Give the number (E.164), and keep in audit and feed who has seen it.

    NoSuchCase where there is none of these groups, NoSuchPerson once the customer was erased.
    """
    found = cases.read_one(work, case)
    if not is_of(work.site, found.queue, groups):
        raise NoSuchCase(f"there is no case {case} here")
    if found.e164.startswith(ERASED):
        raise NoSuchPerson("the customer was erased: it is nobody's number any more")
    about = {"case": case}
    tell(work, by, "reveal", about)
    return found.e164
