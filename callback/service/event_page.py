"""Makes docs/events.md, every event that programs read, from the classes in callback/events.py."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import MISSING, fields
from typing import Final

from callback.events import KINDS, Event

_HEAD: Final = """# Events

What a program reads of the service: `callback run --events-json FILE` appends one JSON object a line for each event,
and `[alarms]` passes on those that are alarming ([alarms.md](alarms.md)).

```json
{"event": "returned", "at": 1795435200000000, "number": "+81…78", "reservation": 88}
```

Every object has `event` and `at`, when it happened; `number` where it is about a caller or customer, masked unless
`[logs] numbers = "full"` (in `dialling` it counts attempts); then the facts of the event. Instants are microseconds
UTC and end in `_at`. Facts in brackets are left out where there is nothing to say. Skip an event, or a fact, that you
do not know: versions add some.

This page is made from [`callback/events.py`](../callback/events.py) by
`python -m callback.service.event_page > docs/events.md`.

| event | what happened | facts | alarm |
| --- | --- | --- | --- |
"""


def page() -> str:
    """Give the page."""
    return _HEAD + "".join(_row(name, kind) for name, kind in KINDS.items())


def _row(name: str, kind: type[Event]) -> str:
    what = " ".join((kind.__doc__ or "").split())
    return f"| `{name}` | {what} | {', '.join(_facts(kind))} | {'yes' if kind.ALARMING else ''} |\n"


def _facts(kind: type[Event]) -> Iterator[str]:
    for one in fields(kind):
        if one.default_factory is MISSING:  # what an action has besides is no one fact
            yield f"`{one.name}`" if one.default is MISSING else f"[`{one.name}`]"


if __name__ == "__main__":
    sys.stdout.write(page())
