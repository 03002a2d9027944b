"""Work divided among processes gives what `map` gives, and says so where it cannot."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callback.errors import CallbackError
from callback.processes import divided


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(), max_size=9), st.integers(1, 4))
def test_what_is_made_comes_in_the_order_of_the_items(items: list[int], cores: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("os.cpu_count", lambda: cores)
        assert list(divided(lambda item: item * 2, items)) == [item * 2 for item in items]


def test_each_part_has_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    pids = list(divided(lambda _: os.getpid(), range(4)))
    assert pids[0] == pids[1] != pids[2] == pids[3]
    assert os.getpid() not in pids


def test_what_fails_there_is_raised_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)

    def fails(item: int) -> int:
        raise CallbackError(f"item {item}")

    with pytest.raises(CallbackError, match="item 1"):
        list(divided(fails, [1, 2]))


def test_a_process_that_is_stopped_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    with pytest.raises(CallbackError, match="stopped from outside"):
        list(divided(lambda item: os._exit(1) if item == 1 else item, [1, 2]))
