"""What a use case did, as values: told to people and programs only after it was committed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class News:
    """One thing that happened; `facts` holds plain JSON values, instants in microseconds UTC ending in `_at`."""

    event: str
    at: int
    facts: dict[str, Any] = field(default_factory=dict)
