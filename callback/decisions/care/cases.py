"""What people decide about a case: who is in charge, what was answered, and what the customer said of it.

None of them closes a case: the customer's word does, and who heard it stands in the case.
"""

from __future__ import annotations

from typing import Final, Literal

from callback.care import assigning, cases, follow_up
from callback.decisions.care.acting import Actor, AskedCase, NotYourCase, locked, look_up, tell, text_of
from callback.decisions.care.registering import must_be_department
from callback.errors import CallbackError
from callback.settings.care import Compensation
from callback.site.work import Work
from callback.store import tables as t

How = Literal["call", "text", "mail", "person"]
HOWS: Final[tuple[How, ...]] = ("call", "text", "mail", "person")
"""How the customer said it, to one of us."""
_MAY_GIVE: Final = {"agent": {"agent", "supervisor", "manager"}, "supervisor": {"supervisor", "manager"},
                    "manager": {"manager"}}  # fmt: skip


class UnknownCompensation(CallbackError):
    """The rules have no such compensation."""


def assign(
    work: Work, asked: AskedCase, actor: Actor, *, owner: str | None = None, department: str | None = None
) -> None:
    """Put a person, a department or both in charge (None: as it is, empty: nobody). The department is written to.

    A case that was answered goes back with that, and its customer is asked nothing.
    """
    standing = locked(work, asked, actor)
    if "supervisor" not in actor.roles and "manager" not in actor.roles:
        raise NotYourCase("an agent does not assign cases: ask a supervisor")
    if len(owner or "") > t.WHO_ROOM:
        raise CallbackError(f"the owner is too long: at most {t.WHO_ROOM} characters")
    must_be_department(work, department or "")
    assigning.assign(work, standing.id, actor.by.who, owner=owner, department=department)
    facts = {"owner": owner, "department": department}
    tell(work, actor, "case-assigned", standing.id, {key: value for key, value in facts.items() if value is not None})


def answer(work: Work, asked: AskedCase, words: str, actor: Actor) -> None:
    """Keep what was done or answered: the first repair. The customer is asked whether it is solved."""
    standing = locked(work, asked, actor)
    follow_up.answered(work, standing.id, actor.by.who, text_of("the answer", words, needed=True))
    tell(work, actor, "case-answered", standing.id)


def confirm(work: Work, asked: AskedCase, how: How, actor: Actor, words: str = "") -> None:
    """The customer said to this person that it is solved: it closes ten minutes later, and until then `deny` undoes it.

    IllegalTransition where nothing was answered yet.
    """
    standing = locked(work, asked, actor)
    follow_up.confirmed(work, standing.id, actor.by.who, _heard(how, words), at_once=False)
    tell(work, actor, "case-confirmed", standing.id, {"how": how})


def deny(work: Work, asked: AskedCase, how: How, actor: Actor, words: str = "") -> None:
    """The customer said to this person that it is not solved: it goes on, and is due at once."""
    standing = locked(work, asked, actor)
    follow_up.denied(work, standing.id, actor.by.who, _heard(how, words))
    tell(work, actor, "case-denied", standing.id, {"how": how})


def withdraw(work: Work, asked: AskedCase, how: How, actor: Actor, words: str = "") -> None:
    """The customer takes it back: nothing more is asked, and nothing is owed."""
    standing = locked(work, asked, actor)
    follow_up.withdrawn(work, standing.id, actor.by.who, _heard(how, words))
    tell(work, actor, "case-withdrawn", standing.id, {"how": how})


def compensate(work: Work, asked: AskedCase, name: str, actor: Actor) -> None:
    """Give the customer something of the rules' list; one for each case, by who may give it.

    UnknownCompensation, NotYourCase where the role may not give it, CallbackError where another one was given.
    """
    standing = locked(work, asked, actor)
    known = work.site.rules.care.compensations
    if name not in known:
        there = f"there are {', '.join(known)}" if known else "there is none"
        raise UnknownCompensation(f"there is no compensation '{name}' in [rules.care.compensations]; {there}")
    if not may_give(known[name], actor):
        raise NotYourCase(f"'{name}' may be given by a {known[name].who} or above: ask one")
    if standing.compensation:
        raise CallbackError(f"case {standing.id} has '{standing.compensation}' already: a case has one compensation")
    cases.change(work, standing.id, actor.by.who, "compensated", known[name].title, compensation=name)
    tell(work, actor, "case-compensated", standing.id, {"compensation": name})


def may_give(one: Compensation, actor: Actor) -> bool:
    """Whether one of this person's roles may give it."""
    return not actor.roles.isdisjoint(_MAY_GIVE[one.who])


def note(work: Work, case: int, words: str, actor: Actor) -> None:
    """Write something down in a case, also in one that has ended; nothing follows."""
    standing = look_up(work, case, actor)
    cases.change(work, standing.id, actor.by.who, "noted", text_of("the note", words, needed=True))
    tell(work, actor, "case-noted", standing.id)


def _heard(how: How, words: str) -> str:
    """Which way the customer said it, and what: as it stands in the case's steps."""
    if how not in HOWS:
        raise CallbackError(f"say how the customer said it: one of {', '.join(HOWS)}")
    said = text_of("what the customer says", words)
    return f"{how}: {said}" if said else how
