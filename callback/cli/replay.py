"""`callback replay`: the calls of raw captures, judged."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from callback.logs.printable import put_json, say
from telephony.replay import CaptureSummary, calls_of
from telephony.replay import as_json as call_as_json


def replay(
    files: Annotated[list[Path], typer.Argument(help="Raw AMI captures, plain or .gz, each on its own.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line for each call.")] = False,
) -> None:
    """Judge the calls of raw AMI captures: what was lost, why, and on whose side.

    Messages that were refused are told on standard error; a capture of which nothing can be read is a fault (status 2).
    """
    for file in files:
        summary = CaptureSummary()
        for call, verdict in calls_of(file, summary=summary):
            record = call_as_json(call, verdict)
            if as_json:
                put_json(record)
            else:
                say(call_line(record))
        if doubts := summary.doubts():
            say(f"callback: {file}: {doubts}", error=True)


def call_line(record: dict[str, Any]) -> str:
    """One judged call of a capture, for people."""
    why = ", ".join(word for word in (record["reason"], record["side"] and f"{record['side']} side") if word)
    kind = f"{record['kind']} ({why})" if why else record["kind"]
    times = f"waited {record['waited_s']:.0f} s, talked {record['talked_s']:.0f} s"
    whose = f"{record['number'] or 'no number'} in {record['queue'] or 'no queue'}"
    return f"{record['started_at']}  {whose}: {kind}, {times}"
