"""What each filter of the queue can be set to: what is open now, with how many, and words that are always there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from callback.reports.queue.board import Queue
from callback.reports.queue.why import WORDS
from callback.web.console import words
from callback.web.console.queue.asked import NOBODY, Asked
from callback.web.console.vocabulary import VOCABULARY, Subject
from callback.web.console.words import Language

Filter = Literal["queue", "kind", "state", "why", "tries", "whose", "text"]
Filters = Mapping[Filter, Sequence[tuple[str, str, int | None]]]
"""By name of the filter: the value, its words, and how many there are (None: not known)."""

_OPEN: Final[Mapping[Filter, Subject | None]] = {"queue": None, "kind": "kind", "state": "state"}
_LATER: Final[Mapping[Filter, Subject | None]] = {"tries": None, "whose": None}


def filters(queue: Queue, groups: frozenset[str] | None, language: Language) -> Filters:
    """Give the filters in the order of the page, for a viewer of these groups."""
    census = queue.census

    def of(name: str, subject: Subject | None) -> list[tuple[str, str, int | None]]:
        return [_choice(value, subject, language, many) for value, many in census.choices(name, groups).items()]

    found = {name: of(name, subject) for name, subject in _OPEN.items()}
    found["why"] = _words("why-not", WORDS, language)
    found |= {name: of(name, subject) for name, subject in _LATER.items()}
    found["text"] = [(NOBODY, words.catalogue(language).gettext(_NO_TEXT), None), *_words("text", _TEXTS, language)]
    return found


def chosen(asked: Asked) -> Mapping[str, list[str]]:
    """The values that each filter has now."""
    wanted = asked.wanted
    fields: dict[str, frozenset[Any]] = {
        "queue": wanted.queues,
        "kind": wanted.kinds,
        "state": wanted.states,
        "why": wanted.why,
        "tries": wanted.tries,
        "whose": wanted.whose,
        "text": wanted.texts,
        "incident": wanted.incidents,
        "ids": wanted.ids,
    }
    return {
        name: [NOBODY if value == "" else str(value) for value in sorted(values)] for name, values in fields.items()
    }


def _choice(value: Any, subject: Subject | None, language: Language, many: int) -> tuple[str, str, int | None]:  # noqa: ANN401 - of any column
    if value is None:
        return NOBODY, words.catalogue(language).gettext(_NOBODY), many
    return str(value), words.say(language, subject, str(value)) if subject is not None else str(value), many


def _words(subject: Subject, codes: Sequence[str], language: Language) -> list[tuple[str, str, int | None]]:
    return [(code, words.say(language, subject, code), None) for code in codes]


def _(sentence: str) -> str:
    """Mark a sentence for the catalogues."""
    return sentence


_NOBODY: Final = _("nobody's")
_NO_TEXT: Final = _("no text")
_TEXTS: Final = tuple(VOCABULARY["text"])
