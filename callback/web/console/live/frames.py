"""What the viewers of one view have before them, and the frames that take them from one moment to the next."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi.sse import format_sse_event

from callback.web.console.live.views import Rendered

RESYNC: Final = format_sse_event(event="resync", data_str="{}")


@dataclass(slots=True)
class _Piece:
    """A row, figure or part, and the number of the frame that brought it."""

    text: str
    n: int


@dataclass(slots=True)
class Shown:
    """The state of a view after frame number `n`. Numbers rise by frame; those of a view need not be consecutive."""

    born: int = 0  # the number of its first frame; 0: it was not rendered yet
    n: int = 0
    _rows: dict[int, _Piece] = field(default_factory=dict)
    _figures: dict[str, _Piece] = field(default_factory=dict)
    _parts: dict[str, _Piece] = field(default_factory=dict)
    _order: dict[str, list[int]] = field(default_factory=dict)
    _ordered: int = 0
    _gone: dict[int, _Piece] = field(default_factory=dict)
    _who: dict[int, list[str]] = field(default_factory=dict)
    _looked: int = 0

    @property
    def ids(self) -> frozenset[int]:
        """Its rows."""
        return frozenset(self._rows)

    def show(self, rendered: Rendered, n: int) -> list[int]:
        """Take what is rendered as frame `n`; give the rows that have left, whose end is to be told by `leave`."""
        first = not self.born
        self.born = self.born or n
        order = {lane: list(ids) for lane, ids in rendered.order.items()}
        if (first and order) or order != self._order or list(order) != list(self._order):
            self._order, self._ordered = order, n
        left = [id_ for id_ in self._rows if id_ not in rendered.rows]
        for id_ in left:
            del self._rows[id_]
        for id_ in rendered.rows.keys() & self._gone.keys():
            del self._gone[id_]  # it is back
        _take(self._rows, rendered.rows, n)
        for pieces, texts in ((self._figures, rendered.figures), (self._parts, rendered.parts)):
            for name in pieces.keys() - texts.keys():
                del pieces[name]
            _take(pieces, texts, n)
        self.n = n
        return left

    def leave(self, id_: int, how: str, n: int) -> None:
        """Tell, in frame `n`, how a row left."""
        self._gone[id_] = _Piece(how, n)

    def look(self, who: Mapping[int, Sequence[str]], n: int) -> bool:
        """Take who has which row open; whether that is another than before."""
        ours = {id_: list(names) for id_, names in sorted(who.items()) if id_ in self._rows}
        if ours == self._who:
            return False
        self._who, self._looked, self.n = ours, n, n
        return True

    def forget(self, before: int) -> None:
        """Forget how rows left before that frame."""
        self._gone = {id_: piece for id_, piece in self._gone.items() if piece.n >= before}

    def since(self, n: int) -> dict[str, Any]:
        """What frame `n` and all later ones changed, as facts of one frame; empty where nothing did."""
        facts: dict[str, Any] = {
            "rows": _young(self._rows, n),
            "gone": _young(self._gone, n),
            "figures": _young(self._figures, n),
            "parts": _young(self._parts, n),
        }
        changed = {name: value for name, value in facts.items() if value}
        if self._ordered and self._ordered >= n:
            changed["order"] = self._order
        if self._looked and self._looked >= n:
            changed["who"] = self._who
        return changed

    def whole(self) -> dict[str, Any]:
        """Everything that there is now; a view without a list says nothing of the order of one."""
        return self.since(0) | {"whole": True} | ({"order": self._order} if self._ordered else {})


def frame(facts: Mapping[str, Any], id_: str | None = None) -> bytes:
    """A frame as it goes over the line: the same bytes for everybody."""
    data = json.dumps(facts, ensure_ascii=False, separators=(",", ":"))
    return format_sse_event(data_str=data, id=id_)


def named(event: str, facts: Mapping[str, Any], retry_ms: int | None = None) -> bytes:
    """An event that is no frame: it has a name, and whoever comes back need not say that it was read."""
    data = json.dumps(facts, ensure_ascii=False, separators=(",", ":"))
    return format_sse_event(event=event, data_str=data, retry=retry_ms)


def _take(pieces: dict[Any, _Piece], texts: Mapping[Any, str], n: int) -> None:
    for name, text in texts.items():
        known = pieces.get(name)
        if known is None or known.text != text:
            pieces[name] = _Piece(text, n)


def _young(pieces: Mapping[Any, _Piece], n: int) -> dict[Any, str]:
    return {name: piece.text for name, piece in pieces.items() if piece.n >= n}
