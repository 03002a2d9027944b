"""Notes: answers of the PBX to our questions, kept in the journal beside its messages, and replayed with them.

A note begins with an empty line. No message can, since an empty line separates messages. So nobody who writes into
the stream can write a note.
"""

import json
from dataclasses import asdict
from typing import Final

from telephony.events import ChannelEvent, Confirmed, Denied, Detecting

_MARK: Final = b"\r\n\r\n"
_KINDS: Final[dict[str, type[ChannelEvent]]] = {kind.__name__: kind for kind in (Confirmed, Denied, Detecting)}


def write(note: ChannelEvent) -> bytes:
    """Give the note as a journal record. Only kinds that `read` knows may be written."""
    return _MARK + json.dumps([type(note).__name__, asdict(note)]).encode()


def read(body: bytes) -> ChannelEvent | None:
    """Give the note that a journal record holds; None if it holds messages, or a note of a kind unknown here."""
    if not body.startswith(_MARK):
        return None
    kind, fields = json.loads(body)
    known = _KINDS.get(kind)
    return known(**fields) if known else None
