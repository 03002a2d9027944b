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
from benchmarks.staffing_judged import Trial
from scheduler.staffing.need import Terms

DOCS = Path(__file__).parent.parent / "docs"


def main(arguments: Sequence[str]) -> int:
    """Write the report; what needs a record that is not there is left out, and says so."""
    options = _options().parse_args(arguments)
    pictures = options.docs / "staffing"
    pictures.mkdir(parents=True, exist_ok=True)
    parts = [pages.HEAD]
    for part in _parts(options.data):
        parts.append(part.text)
        for name, picture in part.pictures.items():
            (pictures / name).write_text(picture, encoding="utf-8")
    report = options.docs / "staffing.md"
    report.write_text("\n\n".join(parts).strip() + "\n", encoding="utf-8")
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


def _parts(data: Path) -> Iterator[pages.Part]:
    try:
        month = bank(data)
    except BenchmarkError as error:
        yield pages.absent("The bank's month", error)
    else:
        trial = Trial(month, Terms())
        yield pages.record(trial)
        yield pages.bank_forecast(trial.whole)
        yield pages.peaks(trial.whole)
        yield pages.waits(month)
        yield pages.judged(trial, Trial(month, Terms(), *pages.CHOICE))
        yield pages.example(trial)
        yield pages.callbacks(trial)
    try:
        yield pages.us_forecast(us_bank(data))
    except BenchmarkError as error:
        yield pages.absent("The US bank", error)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
