"""The errors of this package."""

from __future__ import annotations


class SchedulerError(Exception):
    """A rule of time cannot be followed; the sentence names the setting that is wrong, and what helps."""
