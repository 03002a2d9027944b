"""Makes docs/verdicts.md, every word of a verdict, from the table of verdicts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby
from typing import Final, get_args

from telephony.calls.call import Kind
from telephony.calls.verdict import BREAKER, MUTE, TABLE, VerdictRow

KINDS: Final[dict[Kind, str]] = {
    "served": "Somebody talked with the caller, and one of them ended that talk.",
    "abandoned": "Lost: the caller hung up before anybody talked with them.",
    "blocked": "Lost: the caller never got to wait, or was removed from the queue and then not served.",
    "dropped": "Lost: answered, then broken off other than by one side ending a finished talk.",
    "silent": "Lost: answered, but one side sent no sound.",
    "requested": "Lost, and the caller asked for a callback.",
    "callback": "A call that a program placed: ours, or another's. Nobody is called back for it.",
    "unknown": "The outcome is not known. Only `left-unserved` is called back: lost for certain.",
    "unfinished": "The capture ended before the call did.",
}
_SIDES: Final = {BREAKER: "who broke it off", MUTE: "who was mute", None: ""}
_HEAD: Final = """# Verdicts

The outcome of a call, in one word and a reason, as `callback run`, `replay` and `find` show it. All come from one
table, [`telephony/calls/verdict.py`](../telephony/calls/verdict.py), read from the top down: the first row that holds
is the verdict.

This page is made from that table by `python -m telephony.calls.glossary > docs/verdicts.md`.
"""


def page() -> str:
    """Give the page."""
    return _HEAD + "".join(f"\n## {kind}\n{KINDS[kind]}\n\n{''.join(_rows(kind))}" for kind in get_args(Kind))


def _rows(kind: Kind) -> Iterator[str]:
    """Give a table of the reasons of a kind; what says the same in several places stands once."""
    rows = sorted((row for row in TABLE if row.kind == kind), key=_key)
    yield "| reason | side | when |\n| --- | --- | --- |\n"
    for (reason, side), same in groupby(rows, key=_key):
        yield f"| {f'`{reason}`' if reason else ''} | {side} | {'; '.join(row.condition for row in same)} |\n"


def _key(row: VerdictRow) -> tuple[str, str]:
    reason = (row.reason or "").replace("{cause}", "…")
    return reason, _SIDES.get(row.side, str(row.side))


if __name__ == "__main__":
    sys.stdout.write(page())
