"""What is to be put right in the forms of care."""

from __future__ import annotations

from typing import Literal

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
