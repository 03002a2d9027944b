"""Blocks: what stands for a number, by a hash that tells nobody the number and outlives the person."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from callback.customers import blocks
from callback.customers.blocks import ERASED, FREE, Blocked
from callback.errors import CallbackError
from callback.store import audit
from callback.store import tables as t
from callback.store.audit import By
from callback.store.engine import Store
from tests.callback.world import NOON, World

NUMBER = "+819012345678"
SAID: dict[str, Any] = {"by": By("anna", "asked for it"), "now": NOON}


def stands(world: World, number: str = NUMBER) -> Blocked:
    with world.store.read() as connection:
        return blocks.blocked(connection, number)


def test_a_block_is_joined_to_what_stands_and_taken_back_apart(world: World) -> None:
    assert stands(world) == FREE
    with world.store.write() as connection:
        assert blocks.block(connection, "main", NUMBER, texts=True, **SAID) == Blocked(calls=False, texts=True)
        assert blocks.block(connection, "main", NUMBER, calls=True, **SAID) == Blocked(calls=True, texts=True)
        assert blocks.unblock(connection, "main", NUMBER, texts=False, **SAID) == Blocked(calls=False, texts=True)
    assert stands(world) == Blocked(calls=False, texts=True)
    assert stands(world, "+819012345679") == FREE
    with world.store.write() as connection:
        assert blocks.unblock(connection, "main", NUMBER, **SAID) == FREE


def test_neither_the_block_nor_the_audit_holds_the_number(world: World) -> None:
    with world.store.write() as connection:
        blocks.block(connection, "main", NUMBER, calls=True, **SAID)
        assert audit.broken_at(connection) is None
    (told,), (kept,) = world.rows(t.audit), world.rows(t.block)
    assert (told.action, told.who, told.facts["number_key"]) == ("block", "anna", kept.number_key)
    assert not any(NUMBER[1:] in str(row) for row in (told, kept))


def test_who_was_erased_is_neither_called_nor_texted_and_cannot_be_blocked(world: World) -> None:
    assert stands(world, "erased:12ab") == ERASED
    with world.store.write() as connection, pytest.raises(CallbackError, match="as in"):
        blocks.block(connection, "main", "erased:12ab", calls=True, **SAID)


def test_two_who_block_at_the_same_time_are_both_heard(world: World) -> None:
    begun = Barrier(2)

    def say(what: str) -> None:
        store = Store(world.store.url)
        begun.wait()
        with store.write() as connection:
            blocks.block(connection, "main", NUMBER, calls=what == "calls", texts=what == "texts", **SAID)
        store.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(say, ("calls", "texts")))
    assert stands(world) == Blocked(calls=True, texts=True)
    with world.store.read() as connection:
        assert audit.broken_at(connection) is None
