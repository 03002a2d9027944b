"""Who acts on a case, and on which: each act begins here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from callback.accounts.roles import Groups, Role, allowed
from callback.care import callbacks, cases
from callback.care.cases import Case, NoSuchCase
from callback.errors import CallbackError, IllegalTransition
from callback.site import telling
from callback.site.groups import is_of
from callback.site.work import Work
from callback.store.audit import By

CASE_TEXT: Final = 2000
"""Characters of what is said, wished, answered or noted in one go."""


class CaseChanged(CallbackError):
    """The case is not as the page showed it: nothing was done."""


class NotYourCase(CallbackError):
    """This person may not do that to this case."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who decides and why, in which roles, and of which groups of queues (None: of all).

    Who has no right `care`, an agent above all, acts on the cases alone that this person registered, is in charge of,
    was rated in, or one of whose callbacks the person's phone took: `names` are those that the PBX gives that phone.
    """

    by: By
    roles: frozenset[Role] = field(default_factory=lambda: frozenset({"supervisor"}))
    groups: Groups = None
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class AskedCase:
    """A case as a page showed it; `revision` None: whatever it is by now."""

    case: int
    revision: int | None = None


def look_up(work: Work, case: int, actor: Actor) -> Case:
    """Give a case that this person may see. NoSuchCase also where it is another group's, or another agent's."""
    return _theirs(work, cases.read_one(work, case), actor)


def locked(work: Work, asked: AskedCase, actor: Actor) -> Case:
    """Lock a case to decide about it. NoSuchCase, CaseChanged, or IllegalTransition where it has ended."""
    found = _theirs(work, cases.read_one(work, asked.case, lock=True), actor)
    if asked.revision is not None and found.revision != asked.revision:
        raise CaseChanged(f"case {found.id} was changed meanwhile: look at it as it is now, and decide again")
    if not found.open:
        raise IllegalTransition(f"case {found.id} has ended ({found.state}): register a new one, which names it")
    return found


def may_see(work: Work, queue: str, actor: Actor) -> bool:
    """Whether this person's groups have the queue."""
    return is_of(work.site, queue, actor.groups)


def tell(work: Work, actor: Actor, action: str, case: int, facts: Mapping[str, Any] | None = None) -> None:
    """Keep in audit and feed what was decided; no word of a customer stands there, for both are kept."""
    telling.tell(work, actor.by, action, {"case": case, **(facts or {})})


def text_of(what: str, said: str, *, needed: bool = False) -> str:
    """What somebody wrote, as it is kept. CallbackError where it is too long, or empty though it is needed."""
    kept = said.replace("\0", "").strip().encode("utf-8", "replace").decode()
    if len(kept) > CASE_TEXT:
        raise CallbackError(f"{what} is too long: at most {CASE_TEXT} characters, these are {len(kept)}")
    if needed and not kept:
        raise CallbackError(f"{what} is missing: write it down")
    return kept


def _theirs(work: Work, found: Case, actor: Actor) -> Case:
    own = actor.by.who in {found.owner, found.opened_by} or found.agent in actor.names
    own = own or allowed(actor.roles, "care") or callbacks.made_by(work, found, actor.names)
    if not own or not may_see(work, found.queue, actor):
        raise NoSuchCase(f"there is no case {found.id} here")
    return found
