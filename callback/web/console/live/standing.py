"""How old the data is in each of its layers: a list that nobody refreshes must not look as if it were true."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from callback.attempts import snapshot
from callback.site.work import Work
from scheduler.clock import SECOND

Layer = Literal["database", "service", "pbx"]

DATABASE_S: Final = 5.0
"""When reading has failed for so long, the database is away."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Until when each layer was heard, and which is not any more: the first of them from here; microseconds UTC."""

    at: int
    data_at: int
    service_at: int | None  # None: the service never ran on this database
    pbx_at: int | None  # None: it was never heard
    stale: Layer | None
    since_at: int | None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


class Pulse:
    """Remembers when the layers were heard last."""

    def __init__(self, now: int) -> None:
        self._data_at = now
        self._service_at: int | None = None
        self._pbx_at: int | None = None
        self._connected = False

    def readable(self, now: int) -> None:
        """The database answered."""
        self._data_at = now

    def look(self, work: Work) -> None:
        """Read what the service says of itself and of its PBX."""
        picture = snapshot.recall(work.connection, work.pbx)
        if picture is None:
            self._service_at, self._pbx_at, self._connected = None, None, False
            return
        live, self._service_at = picture
        self._pbx_at, self._connected = live.heard_at, live.closed != "pbx-not-connected"

    def standing(self, now: int) -> Standing:
        """How it stands now."""
        stale, since_at = self._stale(now)
        return Standing(now, self._data_at, self._service_at, self._pbx_at, stale, since_at)

    def _stale(self, now: int) -> tuple[Layer | None, int | None]:
        if now - self._data_at > DATABASE_S * SECOND:
            return "database", self._data_at
        if self._service_at is None or now - self._service_at > snapshot.STALE_S * SECOND:
            return "service", self._service_at
        return (None, None) if self._connected else ("pbx", self._pbx_at)
