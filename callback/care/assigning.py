"""Who is in charge of a case: a person, a department, or both. A department is written to in the same transaction."""

from __future__ import annotations

from callback.care import cases, follow_up, letters
from callback.care.cases import Case
from callback.site.work import Work


def assign(work: Work, case: int, by: str, *, owner: str | None = None, department: str | None = None) -> None:
    """Put a person, a department or both in charge; None: as it is, empty: nobody.

    A department whose rules name who is responsible puts that person in charge where nobody else is named.
    """
    standing = cases.read_one(work, case, lock=True)
    goes_to = standing.department if department is None else department
    in_charge = _owner(work, standing, owner, goes_to)
    beside = {"owner": in_charge, "department": goes_to, "next_ask_at": None}
    note = ", ".join(one for one in (in_charge, goes_to) if one)
    cases.move(work, case, "assigned", by, note, beside)
    if standing.state == "answered":
        follow_up.ask_no_more(work, standing, "the case went back")
    if goes_to != standing.department:
        letters.withdraw(work, case, "the case went to another department")
    if goes_to and (department is not None or standing.state == "answered"):
        letters.write(work, case)


def _owner(work: Work, standing: Case, owner: str | None, department: str) -> str | None:
    if owner is not None:
        named = owner.strip()
        if named:
            return named
    elif standing.owner is not None and department == standing.department:
        return standing.owner
    known = work.site.rules.care.departments.get(department)
    responsible = "" if known is None else known.responsible
    return responsible or (standing.owner if owner is None else None)
