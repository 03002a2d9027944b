"""Whom a campaign is about: who was hit, as criteria on calls. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal, Self

from callback.errors import CallbackError

Loss = Literal["abandoned", "blocked", "dropped", "silent"]
LOSSES: Final[tuple[Loss, ...]] = ("abandoned", "blocked", "dropped", "silent")
LONGEST_US: Final = 92 * 86_400_000_000


class NoCriteria(CallbackError):
    """Criteria that name nobody, or that contradict each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """Lost calls that began from `from_at` until before `until_at` (microseconds UTC); empty fields mean all of them.

    `calls` is False where only a file names people. `incident` takes only the calls of that one.
    """

    calls: bool = True
    queues: tuple[str, ...] = ()
    trunks: tuple[str, ...] = ()
    kinds: tuple[Loss, ...] = ()
    from_at: int = 0
    until_at: int = 0
    incident: int | None = None

    def check(self) -> None:
        """Raise NoCriteria where nobody could be meant."""
        if not self.calls:
            return
        if unknown := set(self.kinds) - set(LOSSES):
            raise NoCriteria(f"'{min(unknown)}' is no kind of lost call; there are {', '.join(LOSSES)}")
        if not 0 < self.from_at < self.until_at:
            raise NoCriteria("say from when until when the calls began: from before until")
        if self.until_at - self.from_at > LONGEST_US:
            raise NoCriteria("at most 92 days of calls make one campaign")

    def meets(self, other: Criteria) -> bool:
        """Whether both are about the same: one incident, or some of the same lost calls."""
        if self.incident is not None and self.incident == other.incident:
            return True
        if not (self.calls and other.calls) or self.incident is not None is not other.incident:
            return False
        if not (self.from_at < other.until_at and other.from_at < self.until_at):
            return False
        pairs = ((self.queues, other.queues), (self.trunks, other.trunks), (self.kinds, other.kinds))
        return all(not ours or not theirs or set(ours) & set(theirs) for ours, theirs in pairs)

    def as_json(self) -> dict[str, Any]:
        """Plain values, as a row keeps them."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """What was kept; what another version kept besides is left out."""
        known: dict[str, Any] = {}
        for one in fields(cls):
            if one.name in kept:
                value = kept[one.name]
                known[one.name] = tuple(value) if isinstance(value, list) else value
        return cls(**known)
