"""An address of a database that is of no use is one sentence, without the password in it."""

from __future__ import annotations

import sys

import pytest

from callback.errors import StoreError
from callback.store.engine import Store


@pytest.mark.parametrize(
    "url",
    ["", "calls.db", "postgresql+psycopg://u:hidden@h:port/d", "oracle://u:hidden@h/d", "nothing+at+all://u:hidden@h"],
)
def test_an_address_that_cannot_be_used_is_a_sentence(url: str) -> None:
    with pytest.raises(StoreError, match=r"\[database\] url") as error:
        Store(url)
    assert "hidden" not in str(error.value)


def test_without_its_driver_a_server_is_a_sentence_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)  # as where the package is not installed
    with pytest.raises(StoreError, match=r'pip install "lost-call-recovery\[postgresql\]"'):
        Store("postgresql+psycopg://u:hidden@h/d")
