"""A missing part is a skip, except where everything must run."""

from __future__ import annotations

import pytest

from tests.parts import missing


def test_a_missing_part_skips_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="missing: an Asterisk"):
        missing("an Asterisk")


def test_where_everything_must_run_a_missing_part_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="missing: an Asterisk"):
        missing("an Asterisk")
