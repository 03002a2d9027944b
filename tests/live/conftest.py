"""A gateway of the test's own, and where its answers come in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.twilio import FakeTwilio
from tests.live.texting import SID, TOKEN, free_place


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    with FakeTwilio({SID: TOKEN}) as fake:
        yield fake


@pytest.fixture
def door() -> str:
    """Where the door will be found."""
    return free_place()
