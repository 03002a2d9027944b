"""What a form of care lets people choose: topics with their levels, departments with who is in charge, queues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from callback.accounts import users
from callback.accounts.roles import Groups, Viewer, allowed
from callback.decisions.care.acting import Actor
from callback.decisions.care.cases import may_give
from callback.decisions.reasons import NONE_GIVEN
from callback.reports.care import cases
from callback.settings.care import Care
from callback.site.work import Work
from callback.store.audit import By
from callback.web.console.shown import said

_LEVEL: Final = "\N{EM SPACE}\N{EM SPACE}"
_NAME: Final = 60


@dataclass(frozen=True, slots=True)
class Choices:
    """By field: what is kept, and the words for it."""

    queues: Sequence[str]
    topics: Sequence[tuple[str, str]]
    products: Sequence[str]
    departments: Sequence[tuple[str, str]]
    compensations: Sequence[tuple[str, str]]


def choices(work: Work, viewer: Viewer) -> Choices:
    """Give what this person may choose now."""
    care = work.site.rules.care
    return Choices(
        queues=cases.queues(work, viewer.groups),
        topics=topics(care),
        products=care.products,
        departments=[(name, _department(name, one.responsible)) for name, one in care.departments.items()],
        compensations=[
            (name, said(one.title, _NAME))
            for name, one in care.compensations.items()
            if may_give(one, Actor(By(viewer.user, NONE_GIVEN), viewer.roles, viewer.groups))
        ],
    )


def topics(care: Care) -> list[tuple[str, str]]:
    """Every topic below the one that it hangs on, set in by its level."""
    ordered = sorted(care.topics, key=lambda path: path.split("/"))
    return [(path, _LEVEL * path.count("/") + said(care.topics[path], _NAME)) for path in ordered]


def topic(care: Care, path: str) -> str:
    """A topic in one line: Billing, A wrong amount, with an arrow between them."""
    return " → ".join(said(title, _NAME) for title in cases.titles(care.topics, path))


def _department(name: str, responsible: str) -> str:
    return f"{name} · {said(responsible, _NAME)}" if responsible else name


def people(work: Work, groups: Groups) -> list[str]:
    """Users who may be in charge of a case of these groups: whoever may register one, and is not locked."""
    found = [one for one in users.listed(work.connection) if allowed(one.profile.roles, "register-case")]
    return [one.name for one in found if not one.locked and _meets(one.profile.groups, groups)]


def _meets(theirs: Groups, groups: Groups) -> bool:
    return theirs is None or groups is None or not theirs.isdisjoint(groups)
