"""`make test-dates`: the tests on other days and in other time zones than today's and ours; not the live ones.

Left out are also those that need a browser (Chromium is slow under another clock), those of Redis, which does not start
under it, and the walks of the install pages. The clock of every process is moved by libfaketime: of the tests, of the
commands that they start, of their PostgreSQL. Durations (the monotonic clock) stay as they are.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import libfaketime


@dataclass(frozen=True, slots=True)
class Day:
    """A moment on the wall clock of a zone, soon before what makes it special."""

    clock: str
    zone: str

    def at(self) -> float:
        """Seconds since the epoch."""
        return datetime.fromisoformat(self.clock).replace(tzinfo=ZoneInfo(self.zone)).timestamp()


DAYS = {
    "leap-day": Day("2028-02-29 12:00:00", "UTC"),
    "march": Day("2027-03-01 09:00:00", "UTC"),
    "spring-in-europe": Day("2027-03-28 01:58:30", "Europe/Berlin"),
    "autumn-in-europe": Day("2027-10-31 02:58:30", "Europe/Berlin"),
    "spring-in-america": Day("2027-03-14 01:58:30", "America/New_York"),
    "autumn-in-america": Day("2027-11-07 01:58:30", "America/New_York"),
    "half-an-hour": Day("2027-04-04 01:58:30", "Australia/Lord_Howe"),
    "new-year-in-the-east": Day("2027-12-31 23:58:30", "Pacific/Kiritimati"),
    "new-year-in-the-west": Day("2027-12-31 23:58:30", "Pacific/Niue"),
    "before-the-tests-noon": Day("2026-01-05 18:00:00", "Asia/Kathmandu"),
}


ROOMS = (
    *(f"tests/callback/{room}/" for room in ("attempts", "customers", "decisions", "history", "losses", "operations")),
    *(f"tests/callback/{room}/" for room in ("reports", "reservations", "site", "store", "texts")),
    *("tests/scheduler/", "tests/sms/", "tests/telephony/queue_log/", "tests/telephony/test_cdr.py"),
)
"""What reckons with days and hours: where time is short this alone is looked at, on one of the databases (`days`)."""
ONCE_MORE = ("-n", "1", "--last-failed", "--last-failed-no-failures=none")


def main(arguments: list[str] | None = None) -> int:
    """Run the tests on each day that is named; the status is that of the first day that fails."""
    options, words = _parser().parse_known_args(arguments)
    names = [random.choice(list(DAYS))] if options.random else options.day or list(DAYS)  # noqa: S311
    if options.short:
        words = ["-m", "days", *words]
    with _library() as library:
        for name in names:
            print(f"test-dates: {name}: it is {DAYS[name].clock} in {DAYS[name].zone}", flush=True)
            more = {"HYPOTHESIS_PROFILE": "short"} if options.short else {}
            status = _tested(DAYS[name], library, words, more)
            if status and options.again:
                print("FAILED ABOVE: tried once more, alone", flush=True)
                status = _tested(DAYS[name], library, [*words, *ONCE_MORE], more)
            if status:
                print(f"test-dates: {name} failed: make test-dates ARGS='--day {name}'", flush=True)
                return status
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make test-dates", description="Other words are handed to pytest: -k word, -n 2, a file."
    )
    parser.add_argument("--day", action="append", choices=list(DAYS), help="this day; all of them without it")
    parser.add_argument("--random", action="store_true", help="one of the days, by chance")
    parser.add_argument("--again", action="store_true", help="what fails is tried once more, alone, and may pass then")
    parser.add_argument(
        "--short", action="store_true", help="only the rooms that reckon with days, on SQLite, fewer examples"
    )
    return parser


def _tested(day: Day, library: Path, words: list[str], more: dict[str, str]) -> int:
    """Run pytest on that day. All processes share one offset, so those that start later are not behind."""
    moved = {
        "LD_PRELOAD": str(library),
        "FAKETIME": f"{day.at() - time.time():+.0f}",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",  # a file's times are read as they were written
        "TZ": day.zone,
        **more,
    }
    command = [sys.executable, "-m", "pytest", "-m", "not live and not browser and not redis and not install", *words]
    return subprocess.run(command, env=os.environ | moved, check=False).returncode


@contextmanager
def _library() -> Iterator[Path]:
    """Give libfaketime where everybody may read it: PostgreSQL does not run as root."""
    (found,) = Path(libfaketime.__file__).parent.rglob("libfaketime.so.1")
    with tempfile.TemporaryDirectory(prefix="lcr-dates-") as folder:
        Path(folder).chmod(0o755)
        yield Path(shutil.copy(found, folder))


if __name__ == "__main__":
    sys.exit(main())
