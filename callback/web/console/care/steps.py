"""How a page tells a step of a case: the service notes codes, people and customers say words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from callback.decisions.care.cases import HOWS
from callback.reports.care.whole import Step
from callback.store.audit import SERVICE
from callback.web.console.vocabulary import Subject
from callback.web.console.words import say
from callback.web.languages import Language

_BY_THE_CUSTOMER: Final = frozenset({"confirmed", "denied", "withdrawn"})
_CODES: Final[Mapping[str, Subject]] = {
    "not-called": "flag-why",
    "reached": "left",
    "not-reached": "left",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What a step says beside its event: which way the customer's word came, and words, of people or for a code."""

    step: Step
    how: str
    words: str


def told(step: Step, language: Language) -> Told:
    """Tell a step in the language of whoever looks."""
    if step.who == SERVICE:
        subject = _CODES.get(step.event)
        return Told(step, "", step.note if subject is None or not step.note else say(language, subject, step.note))
    how, _, words = step.note.partition(":")
    if step.event in _BY_THE_CUSTOMER and how in HOWS:
        return Told(step, how, words.strip())
    return Told(step, "", step.note)
