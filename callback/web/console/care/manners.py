"""How to speak with a customer, as pages show it: the kind that a person chose, with the advice for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from callback.care.advice import COMPLAINERS, Advice, Complainer, advice
from callback.care.advice import Language as Spoken
from callback.care.customer_notes import CustomerNote, read
from callback.site.work import Work
from callback.web.console.words import Language

_SPOKEN: Final[Mapping[Language, Spoken]] = {"en": "en", "zh_Hans": "zh-Hans", "zh_Hant": "zh-Hant"}


@dataclass(frozen=True, slots=True)
class Manner:
    """What people wrote about how to speak with a customer, and what is advised for that kind."""

    note: CustomerNote
    advice: Advice


def manner(work: Work, person: int, language: Language) -> Manner | None:
    """Give the note about a customer with its advice; None where nobody wrote one."""
    found = read(work.connection, [person]).get(person)
    return None if found is None else told(found, language)


def told(note: CustomerNote, language: Language) -> Manner:
    """A note with the advice for its kind, in the language of whoever looks."""
    return Manner(note, advice(note.kind, spoken(language)))


def kinds(language: Language) -> list[tuple[Complainer, str]]:
    """The kinds that can be chosen, each with its words."""
    return [(kind, advice(kind, spoken(language)).title) for kind in COMPLAINERS]


def spoken(language: Language) -> Spoken:
    """The language of the advice for one of the console."""
    return _SPOKEN[language]
