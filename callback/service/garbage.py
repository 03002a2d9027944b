"""How often a process of the service looks for garbage."""

import gc
from typing import Final

NEW_OBJECTS: Final = 10_000
"""After so many new objects Python looks for garbage, instead of after 700: a busy PBX makes these in a few ms, and
next to none of them are in a cycle, which alone needs the search. Hearing costs a seventh less so."""


def look_seldom() -> None:
    """Leave what was loaded out of every search, and search seldom; once, at the start of a process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)
