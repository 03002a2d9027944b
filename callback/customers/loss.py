"""A loss: a call whose caller wanted to be served and was not, as the facts that decide what becomes of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Doubt = Literal["unconfirmed", "unproved"]


@dataclass(frozen=True, slots=True)
class Loss:
    """One lost call of a PBX: how its newest verdict says that it went. Instants are microseconds UTC."""

    call_id: str
    queue: str  # for which the caller is called back: the last one visited, else where the DID leads; empty: none
    kind: str
    reason: str | None
    side: str | None  # which ended it
    waited_s: float
    started_at: int
    lost_at: int
    doubt: Doubt | None = None
    """Why the call may be an invention: the PBX knew no such channel, or nothing tells of it but a log's lines."""
