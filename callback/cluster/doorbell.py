"""Who waits for what another process commits may be told sooner than at the next look: a doorbell, and no more.

Whoever listens looks by the clock all the same, so that a ring that is lost costs a moment and nothing else; and what
there is to do stands in the database alone, so that a ring that is forged costs one look.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

Topic = Literal["feed", "decided"]
"""What may be rung: something happened and stands in the feed; a person, customer or program decided something."""

Heard = Callable[[], object]
"""Called from a thread of the doorbell: it must return at once."""


class Doorbell(Protocol):
    """Rings at the other processes of one PBX, and tells of their rings. From any thread."""

    def ring(self, *topics: Topic) -> None:
        """Ring, at once and without waiting for anything; what cannot be told is not."""

    def on(self, topic: Topic, heard: Heard) -> Callable[[], None]:
        """Call `heard` when another process rings, and when rings may have been missed; give what ends that."""


class Silent:
    """There is none: whoever waits looks by the clock."""

    def ring(self, *topics: Topic) -> None:
        """Tell nobody."""

    def on(self, topic: Topic, heard: Heard) -> Callable[[], None]:
        """Never call it."""
        del topic, heard
        return _nothing


def _nothing() -> None:
    """Nothing is to be ended."""


SILENT = Silent()
