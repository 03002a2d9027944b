"""Header orders of messages that were found sound: the next one in such an order is read by one pattern.

Whether a message is whole and has no header twice is told by its headers' names and their order alone, and Asterisk
writes each kind of event in one order, which depends on its version and settings. So that is looked at once for each
order; afterwards a message in the same order is sound as well, whatever its values.

To read a message by its pattern takes two fifths of the time that line by line takes, with the same checks.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from telephony.ami.protocol import LINE_END

LAYOUTS_OF_A_KIND: Final = 8
"""Orders that are remembered of a kind; a PBX writes one or two. Whatever comes in another is read line by line."""

Values = tuple[str, ...]
Forms = Mapping[str, str]
"""The headers wanted of a kind, in the order in which their values are to be given, each with a pattern that its value
must fit."""

ANY: Final = ".*"  # but an LF, so that no value reaches beyond its line
_ABSENT: Final = "()"


class _Layout(NamedTuple):
    """An order of headers: the pattern of a whole message, and where in it each value wanted stands."""

    fits: Callable[[str], re.Match[str] | None]
    places: tuple[int, ...]


class Layouts:
    """The orders of headers known for each kind of event."""

    def __init__(self, forms_of: Mapping[bytes, Forms]) -> None:
        self._forms_of = forms_of
        self._known: dict[bytes, list[_Layout]] = {}

    def read(self, kind: bytes, raw: bytes) -> Values | None:
        """Give the values wanted, "" for a header that is absent.

        None where the message is in no known order, not in UTF-8, or where a value does not have its form.
        """
        known = self._known.get(kind, ())
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            return None
        for layout in known:
            found = layout.fits(text)
            if found is not None:
                return found.group(*layout.places)
        return None

    def learn(self, kind: bytes, raw: bytes) -> None:
        """Remember the order of a message that is sound."""
        known = self._known.setdefault(kind, [])
        heads = [line.partition(b": ")[:2] for line in raw.split(LINE_END)]
        if len(known) < LAYOUTS_OF_A_KIND and all(colon for _, colon in heads):
            known.append(_layout([key.decode("latin-1") for key, _ in heads], self._forms_of[kind]))


def _layout(keys: list[str], forms: Forms) -> _Layout:
    """Match a message line by line."""
    pattern = re.escape(LINE_END.decode()).join(_lines(keys, forms)) + _ABSENT
    group = {key: place for place, key in enumerate([key for key in keys if key in forms], 1)}
    absent = len(group) + 1
    return _Layout(re.compile(pattern).fullmatch, tuple(group.get(key, absent) for key in forms))


def _lines(keys: list[str], forms: Forms) -> Iterator[str]:
    """Match each line. Where a header's name tells a channel, `ChanVariable(PJSIP/trunk-00000001)`, any channel's.

    That ends with the first colon and never further on (`?>`): else each colon in a value would be tried against each
    one of other such lines, and a caller may write many.
    """
    for key in keys:
        name, bracket, _ = key.partition("(")
        head = re.escape(name) + (r"(?>\(.*?: )" if bracket else ": ")
        yield f"{head}({forms[key]})" if key in forms else f"{head}{ANY}"
