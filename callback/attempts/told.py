"""How long agents are asked how a callback went, and how long they may change what they said."""

from __future__ import annotations

from typing import Final

from scheduler.clock import HOUR, MINUTE

CHANGES_US: Final = 10 * MINUTE
"""So long after the first word another one may be said."""
ASKED_US: Final = 12 * HOUR
"""So long after a callback it is asked how it went: a shift."""
