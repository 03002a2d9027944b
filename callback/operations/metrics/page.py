"""Makes docs/metrics.md, every metric with what it counts: `python -m callback.operations.metrics.page`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Final

from callback.operations.metrics.families import LISTENER, NODE, SITE, TALLIED, Family, labels_of

_HEAD: Final = """# Metrics

What `/metrics` gives ([watching.md](watching.md)), made from
[`families.py`](../callback/operations/metrics/families.py) by
`python -m callback.operations.metrics.page > docs/metrics.md`. No telephone number and no free text is ever a label:
queues, groups and trunks are the site's names, all else are words.
"""
_PARTS: Final = (
    ("Counted in the database", "They never fall, whichever process counts, ends or takes over.", TALLIED),
    ("Of the site", "Read from the database; the same on every node: ask by `max by (…)`.", SITE),
    ("Of a node", "Told by its process each second, also while the database is away.", NODE),
    ("Of the node that listens", "The same, of who holds the lease of the PBX.", LISTENER),
)


def page() -> str:
    """Give the page."""
    return _HEAD + "".join(f"\n## {title}\n{means}\n\n{_table(families)}" for title, means, families in _PARTS)


def _table(families: Iterable[Family]) -> str:
    rows = "".join(
        f"| `{one.name}` | {one.kind} | {', '.join(f'`{of}`' for of in labels_of(one))} | {one.means} |\n"
        for one in families
    )
    return f"| metric | kind | labels | what it is |\n| --- | --- | --- | --- |\n{rows}"


if __name__ == "__main__":
    sys.stdout.write(page())
