"""Part of `make check`: known faults of what requirements.lock names; where nobody can say, the age of the lock.

pip-audit asks PyPI, whose mirrors often serve packages without the advisories: what it could not look up is told.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
LOCK = "requirements.lock"
_DAY_S = 86_400
_LONGEST_S = 120


@dataclass(frozen=True, slots=True)
class Audit:
    """Packages that were looked up, those that nobody knows, and the faults: package, version, advisory, remedy."""

    looked_up: int
    unknown: int
    faults: tuple[str, ...]


def main() -> int:
    """Print what is known; 1 where a package has a known fault."""
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "-r", LOCK, "-f", "json"]
    try:
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=_LONGEST_S, check=False)
        audit = read(done.stdout)
    except subprocess.TimeoutExpired:
        audit = read("")
    print("\n".join(said(audit, _age_days())))
    return 1 if audit.faults else 0


def read(output: str) -> Audit:
    """What pip-audit found; nothing where it reached nothing."""
    try:
        packages = json.loads(output)["dependencies"]
    except (ValueError, KeyError):
        return Audit(0, 0, ())
    known = [one for one in packages if "skip_reason" not in one]
    faults = [
        f"{one['name']} {one['version']}: {fault['id']}; mended in {', '.join(fault['fix_versions']) or 'none yet'}"
        for one in known
        for fault in one["vulns"]
    ]
    return Audit(len(known), len(packages) - len(known), tuple(faults))


def said(audit: Audit, age_days: int | None) -> Sequence[str]:
    """The findings in words."""
    age = "unknown: this is no checkout" if age_days is None else f"{age_days} days"
    if not audit.looked_up:
        return [f"dependencies: no data on known faults can be reached here; the age of {LOCK} is {age}"]
    unknown = f", {audit.unknown} could not be" if audit.unknown else ""
    head = f"dependencies: {audit.looked_up} looked up{unknown}; known faults: {len(audit.faults)}"
    return [head, *(f"  {fault}" for fault in audit.faults)]


def _age_days() -> int | None:
    command = ["git", "log", "-1", "--format=%ct", "--", LOCK]
    try:
        told = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return None
    return max(0, int(time.time() - int(told))) // _DAY_S if told.isdigit() else None


if __name__ == "__main__":
    sys.exit(main())
