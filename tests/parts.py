"""What a test may lack on this machine, and what that means."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """Skip the test for want of `what`; where everything must run (CI=true), fail it instead."""
    __tracebackhide__ = True
    if os.environ.get("CI", "").lower() in {"true", "1"}:
        pytest.fail(f"missing: {what} (CI=true allows no skipped part)")
    pytest.skip(f"missing: {what}")
