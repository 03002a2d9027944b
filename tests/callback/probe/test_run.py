"""When the probe may call, and whose turn it is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from callback.probe.run import is_open, next_number
from callback.probe.settings import Hours, Settings

HOURS = Hours.model_validate({"zone": "Asia/Tokyo", "from": "09:00", "until": "18:00"})


@pytest.mark.parametrize(
    ("at", "is_so"),
    [
        ("2026-12-01T00:00", True),  # Tuesday, nine o'clock there
        ("2026-11-30T23:59", False),
        ("2026-12-01T08:59", True),
        ("2026-12-01T09:00", False),
        ("2026-12-05T03:00", False),  # Saturday
    ],
)
def test_it_calls_in_its_hours_alone(at: str, is_so: bool) -> None:
    assert is_open(HOURS, datetime.fromisoformat(at).replace(tzinfo=UTC)) is is_so


@pytest.mark.parametrize(
    ("last", "now"),
    [("", "+12125550123"), ("12125550123", "+12125550124"), ("12125550124", "+12125550123"), ("1", "+12125550123")],
)
def test_numbers_take_turns(last: str, now: str) -> None:
    settings = Settings.model_validate({"pbx": {"secret": "s"}, "call": {"numbers": ["+12125550123", "+12125550124"]}})
    assert next_number(settings, last) == now
