"""What is compared: what phones and gateway saw by themselves, and what the service wrote down. Values alone.

Numbers are E.164, instants wall-clock microseconds UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

SECOND: Final = 1_000_000

Course = Literal["served", "crossed", "gave-up", "turned-away", "cut", "no-line"]
"""How a call went for who called: heard an agent and hung up; hung up in the moment in which an agent picked up; hung
up unheard; was let go unheard; heard an agent until the line died; or the PBX never said a word."""
SILENT_S: Final = 8
"""Who hears nobody for so long after answering a callback was called by nobody."""
LOST: Final[frozenset[Course]] = frozenset({"gave-up", "turned-away", "cut"})


@dataclass(frozen=True, slots=True)
class CallIn:
    """A call that a customer placed, as the customer's phone saw it.

    `waited_s`: answered, and no agent heard; `silence`: an agent's phone took it, and sent nothing.
    """

    number: str
    at: int
    ended_at: int
    course: Course
    waited_s: float
    silence: bool = False

    @property
    def lost(self) -> bool:
        """Whether the caller was lost."""
        return self.course in LOST


@dataclass(frozen=True, slots=True)
class Ring:
    """A call to a customer's phone, as that saw it; `heard_s`: so long it heard an agent; `cut`: the line died."""

    number: str
    at: int
    ended_at: int
    answered: bool
    code: int | None
    heard_s: float
    cut: bool = False
    answered_s: float = 0.0

    @property
    def lost(self) -> bool:
        """Whether the customer was lost again: cut off, or called back and left in silence."""
        return self.cut if self.heard_s > 0 else self.answered_s >= SILENT_S


@dataclass(frozen=True, slots=True)
class Text:
    """A text that the gateway accepted; `ref` is the sender's name of it."""

    number: str
    at: int
    ref: str
    body: str


@dataclass(frozen=True, slots=True)
class Seen:
    """All that phones and gateway saw."""

    calls: tuple[CallIn, ...] = ()
    rings: tuple[Ring, ...] = ()
    texts: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Booked:
    """A call in the books: what was made of it, and its reservation, if there is one, with the state that has now."""

    number: str
    call_id: str
    started_at: int
    kind: str
    recovery: str
    reservation: int | None = None
    state: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """An attempt in the books: the PBX may ring the customer from `claimed_at` until `ring_until_at`."""

    number: str
    claimed_at: int
    ring_until_at: int


@dataclass(frozen=True, slots=True)
class Books:
    """All that the service wrote down: `templates`, the kind of each text by its name; `gaps`, when nobody listened."""

    calls: tuple[Booked, ...] = ()
    attempts: tuple[Tried, ...] = ()
    templates: Mapping[str, str] | None = None
    gaps: tuple[tuple[int, int], ...] = ()

    def rows(self) -> tuple[Booked | Tried, ...]:
        """All rows that are about calls."""
        return (*self.calls, *self.attempts)


@dataclass(frozen=True, slots=True)
class Terms:
    """The rules of the site that say what is allowed, in seconds."""

    short_abandon_s: float = 1
    reached_after_s: float = 2
    retry_busy_s: float = 12
    retry_no_answer_s: float = 12
    retry_our_fault_s: float = 3
    retry_declined_s: float = 1800
