"""What `callback replay --json` makes of each recorded stream, a line for each call, beside the stream's name.

`python -m tests.telephony.replayed > tests/streams/replayed.tsv` renews the file, where a verdict is meant to change.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from callback.logs.printable import as_json
from telephony.replay import CaptureSummary, calls_of
from telephony.replay import as_json as call_as_json

STREAMS = Path(__file__).parents[1] / "streams"


def lines(stream: Path) -> Iterator[str]:
    """The lines of one stream."""
    for call, verdict in calls_of(stream, summary=CaptureSummary()):
        yield f"{stream.relative_to(STREAMS)}\t{as_json(call_as_json(call, verdict))}"


def every_line() -> Iterator[str]:
    """The lines of all recorded streams, in the order of their names."""
    for stream in sorted(STREAMS.rglob("*.ami.gz")):
        yield from lines(stream)


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in every_line())
