"""What is to be put right in the forms of care, and how the steps of a case tell what a customer said."""

from __future__ import annotations

from typing import Final, Literal

from callback.errors import CallbackError

Fault = Literal[
    "no-words", "long-words", "no-how", "changed", "not-now", "not-yours", "no-queue", "queue-off", "no-number",
    "number-blocked", "no-topic", "no-department", "bad-time", "passed", "read-already", "no-day", "bad-day", "flagged",
    "flag-over", "flags-off", "no-reason", "long-reason",
]  # fmt: skip


class Wrong(CallbackError):
    """What is to be put right in a form before anything is done."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault: Fault = fault


_SAID: Final = frozenset({"confirmed", "denied", "withdrawn"})


def heard(event: str, note: str) -> tuple[str, str]:
    """Of a step that tells the customer's word: which way it came, and what was said; of another one its note."""
    if event not in _SAID:
        return "", note
    how, _, words = note.partition(":")
    return (how, words.strip()) if how in {"call", "text", "mail", "person"} else ("", note)
