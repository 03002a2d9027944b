"""Why the probe cannot say how the service stands."""

from __future__ import annotations

from callback.errors import CallbackError


class NotKnown(CallbackError):
    """The probe itself could not do or see something: that says nothing of the service."""

    def __init__(self, cause: str, remedy: str) -> None:
        self.cause, self.remedy = cause, remedy
        super().__init__(f"{cause}: {remedy}")
