"""The search for cycles among what is not used any more: where it is left out, and where it is made seldom."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

NEW_OBJECTS: Final = 10_000
"""After so many new objects Python looks for garbage, instead of after 700: a busy PBX makes these in a few ms, and
next to none of them are in a cycle, which alone needs the search. Hearing costs a seventh less so."""


@contextmanager
def without_gc() -> Iterator[None]:
    """Look for no cycles meanwhile: for work that makes objects by the million, and no cycles, in a short life.

    The search takes a third of the time of `callback hints`, and a tenth of the time to load a command.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def gc_seldom() -> None:
    """Leave what was loaded out of every search, and search seldom; once, at the start of a process that stays.

    What a console has loaded takes a whole search some 70 ms, in which no page is made.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)
