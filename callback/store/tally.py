"""Counts that only rise, over restarts and on all nodes: a row for each counter and each set of its labels' values.

No number of a customer may become a label's value: whoever counts gives words of ours, and names of the site.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from callback.store import tables as t
from callback.store.inserting import insert_new

LONGEST: Final = 64
"""A label's value is cut there."""
WHOLE: Final = ""
"""The PBX of what is counted for the whole database."""
TEXTS_TRIED: Final = "lcr_texts_tried_total"
WEBHOOKS_REFUSED: Final = "lcr_webhooks_refused_total"
SIGN_INS_FAILED: Final = "lcr_sign_ins_failed_total"
"""What is counted where it happens. All else is counted from the feed: callback/operations/metrics/counting.py."""
_T: Final = t.tally.c
_ADD: Final = (
    update(t.tally)
    .where(_T.pbx == bindparam("of_pbx"), _T.name == bindparam("of_name"), _T.labels == bindparam("of_labels"))
    .values(total=_T.total + bindparam("more"))
)
_OF_PBX: Final = select(_T.pbx, _T.name, _T.labels, _T.total).where(_T.pbx.in_(bindparam("of", expanding=True)))


class Counter(NamedTuple):
    """What is counted: for which PBX, the counter's name and the values of its labels."""

    pbx: str
    name: str
    labels: tuple[str, ...] = ()


def add(connection: Connection, counts: Mapping[Counter, int]) -> None:
    """Count so many more of each, in this transaction."""
    for one in sorted(counts):  # in one order: two who count wait for each other, but never both ways
        labels = json.dumps([value[:LONGEST] for value in one.labels])
        insert_new(connection, t.tally, {"pbx": one.pbx, "name": one.name, "labels": labels, "total": 0})
        asked = {"of_pbx": one.pbx, "of_name": one.name, "of_labels": labels, "more": counts[one]}
        connection.execute(_ADD, asked)


def totals(connection: Connection, pbx: str) -> dict[Counter, int]:
    """All that was counted for a PBX, and for the whole database."""
    rows = connection.execute(_OF_PBX, {"of": [pbx, WHOLE]})
    return {Counter(row.pbx, row.name, tuple(json.loads(row.labels))): int(row.total) for row in rows}
