"""Header orders of messages that were found sound: the next one in such an order is read by one pattern.

Whether a message is whole and has no header twice is told by its headers' names and their order alone, and Asterisk
writes each kind of event in one order, which depends on its version and settings. So that is looked at once for each
order; afterwards a message in the same order is sound as well, whatever its values.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final

from telephony.ami.protocol import LINE_END

LAYOUTS_OF_A_KIND: Final = 8
"""Orders that are remembered of a kind; a PBX writes one or two. Whatever comes in another is read line by line."""


class Layouts:
    """The orders of headers known for each kind of event. It gives the values of `keys_of` that kind, and no others."""

    def __init__(self, keys_of: dict[bytes, frozenset[str]]) -> None:
        self._keys_of = keys_of
        self._known: dict[bytes, list[tuple[Callable[[bytes], re.Match[bytes] | None], list[str]]]] = {}

    def read(self, kind: bytes, raw: bytes) -> dict[str, str] | None:
        """Give the headers wanted; None where the message is in no known order, or not in UTF-8."""
        for fits, keys in self._known.get(kind, ()):
            found = fits(raw)
            if found is not None:
                try:
                    return dict(zip(keys, [value.decode() for value in found.groups()], strict=True))
                except UnicodeDecodeError:
                    return None
        return None

    def learn(self, kind: bytes, raw: bytes) -> None:
        """Remember the order of a message that is sound."""
        known = self._known.setdefault(kind, [])
        heads = [line.partition(b": ")[:2] for line in raw.split(LINE_END)]
        if len(known) < LAYOUTS_OF_A_KIND and all(colon for _, colon in heads):
            read = [(key, key.decode("latin-1") in self._keys_of[kind]) for key, _ in heads]
            known.append((_pattern(read), [key.decode() for key, wanted in read if wanted]))


def _pattern(heads: Iterable[tuple[bytes, bool]]) -> Callable[[bytes], re.Match[bytes] | None]:
    """Match a message line by line. No dot is an LF, so that no value reaches beyond its line."""
    lines = (_head(key) + (b": (.*)" if wanted else b": .*") for key, wanted in heads)
    return re.compile(re.escape(LINE_END).join(lines)).fullmatch


def _head(key: bytes) -> bytes:
    """Match a header's name; where it names a channel, `ChanVariable(PJSIP/trunk-00000001)`, any channel's."""
    name, bracket, _ = key.partition(b"(")
    return re.escape(name) + (rb"\(.*" if bracket else b"")
