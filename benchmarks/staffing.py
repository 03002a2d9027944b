"""How good forecast, peaks and staffing hints are on two public records; writes docs/staffing.md with its pictures."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import staffing_pages as pages
from benchmarks.errors import BenchmarkError
from benchmarks.staffing_data import bank, us_bank
from benchmarks.staffing_judged import HintTrial
from scheduler.staffing.planning.need import StaffingTerms

DOCS = Path(__file__).parent.parent / "docs"


def main(arguments: Sequence[str]) -> int:
    """Write the report, of both records or not at all; give the exit status."""
    options = _options().parse_args(arguments)
    try:
        parts = list(_parts(options.data))
    except BenchmarkError as error:
        sys.stderr.write(f"{error}; nothing was written\n")
        return 1
    folder = options.docs / "staffing"
    folder.mkdir(parents=True, exist_ok=True)
    for part in parts:
        for name, picture in part.pictures.items():
            (folder / name).write_text(picture, encoding="utf-8")
    report = options.docs / "staffing.md"
    report.write_text("\n\n".join([pages.HEAD, *(part.text for part in parts)]).strip() + "\n", encoding="utf-8")
    sys.stdout.write(f"{report} is written\n")
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make staffing-report", description=__doc__)
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("STAFFING_DATA", "data")),
        help="the folder of the two records (default: $STAFFING_DATA, or data)",
    )
    parser.add_argument("--docs", type=Path, default=DOCS, help="where to write (default: docs)")
    return parser


def _parts(data: Path) -> Iterator[pages.ReportPart]:
    month, other = bank(data), us_bank(data)
    trial = HintTrial(month, StaffingTerms())
    yield pages.record(trial)
    yield pages.bank_forecast(trial.whole)
    yield pages.peaks(trial.whole)
    yield pages.waits(month)
    yield pages.judged(trial, HintTrial(month, StaffingTerms(), *pages.CHOICE))
    yield pages.example(trial)
    yield pages.callbacks(trial)
    yield pages.us_forecast(other)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
