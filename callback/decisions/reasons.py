"""Why people decide: what is often the reason, by a word that is typed quickly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

REASONS: Final[Mapping[str, str]] = {
    "asked": "the customer asked for it",
    "meeting": "the customer is in a meeting",
    "spoken": "a colleague has spoken to the customer",
    "rush": "too many callers wait",
    "works": "the PBX or a line is worked on",
    "mistake": "it was a mistake",
    "test": "it was a test call",
    "wrong-number": "it was a wrong number",
}
NONE_GIVEN: Final = "no reason given"
"""What the audit keeps where none is asked for."""

PRESETS: Final[Mapping[str, tuple[str, ...]]] = {
    "hold": ("asked", "meeting", "mistake"),
    "resume": ("asked", "mistake"),
    "call-now": ("asked",),
    "slot": ("asked",),
    "postpone": ("asked", "meeting"),
    "assign": (),
    "cancel": ("asked", "mistake", "wrong-number"),
    "done-elsewhere": ("spoken", "asked"),
    "not-lost": ("test", "wrong-number", "mistake"),
    "block": ("asked", "wrong-number", "test"),
}
"""Those of an act, in the order of the keys 1 to 9."""


def said(word: str) -> str:
    """The reason that a word stands for; any other text is a reason itself."""
    return REASONS.get(word, word)
