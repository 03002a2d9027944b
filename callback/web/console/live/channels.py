"""A channel is one view for one audience: it is rendered once for all who see it, whoever they are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from callback.web.console.live.frames import Shown
from callback.web.console.live.outcomes import Outcomes
from callback.web.console.live.viewers import Viewer
from callback.web.console.live.views import Audience, Look, View

SOONEST_S: Final = 0.25
LATEST_S: Final = 2.0
SHARE: Final = 5.0
"""A view is rendered again after so many times as long as it took: it never costs more than a fifth of a core."""


@dataclass(frozen=True, slots=True)
class Key:
    """Which channel it is: the address of the view, and who sees the same of it."""

    address: str
    audience: Audience

    def __str__(self) -> str:
        roles, groups = ("/".join(sorted(names)) for names in (self.audience.roles, self.audience.groups or {"all"}))
        whose = f"{self.audience.user}, " if self.audience.user else ""
        return f"live page {self.address} of {whose}{roles}, groups {groups}, {self.audience.language}"


@dataclass(eq=False, slots=True)
class Channel:
    """Its viewers belong to whoever holds the hub's lock, the rest to the thread that watches."""

    key: Key
    view: View
    viewers: set[Viewer] = field(default_factory=set)
    fresh: dict[Viewer, int] = field(default_factory=dict)  # who came, and the last frame they read; 0: none
    left_s: float = 0.0  # when the last viewer left
    shown: Shown = field(default_factory=Shown)
    concerned: bool = False
    rendered_s: float = -math.inf
    took_s: float = 0.0
    v: int = 0
    at: int = 0

    @property
    def every_s(self) -> float:
        """No sooner than that is it rendered again."""
        return min(LATEST_S, max(SOONEST_S, SHARE * self.took_s))

    def is_due(self, now_s: float, slow_s: float) -> bool:
        """Whether it is to be rendered: because of an event, or because time goes on."""
        age_s = now_s - self.rendered_s
        return age_s >= (self.every_s if self.concerned else slow_s)

    def render(self, look: Look, n: int, v: int, outcomes: Outcomes) -> None:
        """Render it as frame `n`, when `v` was the end of the feed."""
        self.concerned = False  # an event that comes meanwhile is not in this snapshot, and is read in the next
        rendered = self.view.render(look)
        for id_ in self.shown.show(rendered, n):
            self.shown.leave(id_, outcomes.words(id_, self.key.audience.language), n)
        self.v, self.at = v, look.work.now

    def look(self, who: Mapping[int, Sequence[str]], n: int) -> bool:
        """Take who has what open; whether that is another than before: then it is frame `n`."""
        return bool(self.shown.born) and self.shown.look(who, n)

    def facts(self, changed: Mapping[str, object]) -> dict[str, object]:
        """A frame with what changed, and where it belongs."""
        head = {"view": self.key.address, "n": self.shown.n, "v": self.v, "at": self.at}
        return head | {"every_s": round(self.every_s, 2)} | dict(changed)
