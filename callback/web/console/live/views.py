"""What a live page must give: its rows, figures and parts, rendered once for everybody who sees the same."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

from callback.accounts.roles import Groups, Right, Role
from callback.events import Event
from callback.site.work import Work
from callback.web.console.words import Language

T = TypeVar("T")

_HASH_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Audience:
    """Those who see the same of one address: their roles, whose reservations they may see, and their language.

    `user` is said where a view is one person's alone; of all others it is empty.
    Numbers are masked for all of them: one that was revealed is fetched by itself, and never stands in a view.
    """

    roles: frozenset[Role]
    groups: Groups
    language: Language
    user: str = ""


class Look:
    """One read snapshot, and what was read in it so far: what several views want is read once."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self._read: dict[Hashable, Any] = {}

    def once(self, name: Hashable, read: Callable[[Work], T]) -> T:
        """Give what `read` gives. Whoever asks by the same name in this snapshot gets the same value."""
        if name not in self._read:
            self._read[name] = read(self.work)
        value: T = self._read[name]
        return value


@dataclass(frozen=True, slots=True)
class Rendered:
    """A page's live content at one moment. Nothing in it belongs to a session: no token, no full number."""

    order: Mapping[str, Sequence[int]] = field(default_factory=dict)  # ids by lane, lanes from top to bottom
    rows: Mapping[int, str] = field(default_factory=dict)  # each id in `order`: one whole element
    figures: Mapping[str, str] = field(default_factory=dict)  # text by name
    parts: Mapping[str, str] = field(default_factory=dict)  # other elements, whole, by their HTML id


class View(Protocol):
    """One page's live content for one audience. It is rendered in a thread of its own, one at a time."""

    def concerns(self, event: Event) -> bool:
        """Whether this event may have changed the view; it is rendered soon then, and every 2 s anyway."""

    def render(self, look: Look) -> Rendered:
        """Read and render. The page itself prints the same, so that both never differ."""


@dataclass(frozen=True, slots=True)
class Address:
    """What is asked for: `/stream/reservation/812?show=all` is `reservation` of `812` with `show`."""

    name: str
    of: str = ""
    query: Mapping[str, str] = field(default_factory=dict)


Factory = Callable[[Audience, Address], View]
"""Makes the view of an address, without the database; CallbackError where it makes no sense."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of views: the right that each needs, and whether each is one person's alone."""

    factory: Factory
    right: Right = "look"
    personal: bool = False


def hashed(html: str) -> str:
    """Write into an element's first tag, as `data-hash`, what tells whether it changed."""
    digest = hashlib.blake2b(html.encode(), digest_size=_HASH_BYTES).hexdigest()
    name = html[1 : _end_of_name(html)]
    return f'<{name} data-hash="{digest}"{html[1 + len(name) :]}'


def _end_of_name(html: str) -> int:
    return next((place for place, sign in enumerate(html) if sign in " \t\n/>"), len(html))
