"""The errors of the simulation."""

from __future__ import annotations

from scheduler.errors import SchedulerError


class RecordError(SchedulerError):
    """The record of calls cannot be read; the sentence names the line and the remedy."""
