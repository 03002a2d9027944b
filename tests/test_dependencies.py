"""What pip-audit says becomes what `make check` says: faults fail it, and what nobody looked up is not called sound."""

from __future__ import annotations

import json

import pytest

from tests import dependencies

SOUND = {"name": "rich", "version": "14.0", "vulns": []}
FAULTY = {"name": "yarl", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]}
UNKNOWN = {"name": "ours", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("packages", "lines"),
    [
        ([SOUND], ["dependencies: 1 looked up; known faults: 0"]),
        ([SOUND, UNKNOWN], ["dependencies: 1 looked up, 1 could not be; known faults: 0"]),
        (
            [SOUND, FAULTY],
            ["dependencies: 2 looked up; known faults: 1", "  yarl 1.0: PYSEC-1; mended in 1.1"],
        ),
        (
            [UNKNOWN],
            ["dependencies: no data on known faults can be reached here; the age of requirements.lock is 3 days"],
        ),
    ],
    ids=["sound", "one unknown", "a fault", "all unknown"],
)
def test_what_was_found_is_said(packages: list[dict[str, object]], lines: list[str]) -> None:
    audit = dependencies.read(json.dumps({"dependencies": packages, "fixes": []}))
    assert list(dependencies.said(audit, 3)) == lines


@pytest.mark.parametrize("output", ["", "Traceback", "[]x", "{}"])
def test_no_answer_is_not_called_sound(output: str) -> None:
    (line,) = dependencies.said(dependencies.read(output), None)
    assert "no data on known faults" in line
    assert "unknown: this is no checkout" in line
