"""What is forged at the gateway's callbacks is counted, written now and then and not for each."""

from __future__ import annotations

import time

import pytest

from callback.store import tally
from callback.store.tally import Counter
from callback.web import public
from tests.callback.web.test_public import Running, settings_with, status
from tests.callback.world import World


def test_forgeries_are_counted_by_why(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public, "COUNT_S", 0.05)
    door = Running(sqlite_world, settings_with(sqlite_world))
    for signature in ("", "wrong", "wrong"):
        assert door.post("/twilio/main/status/1", status(), signature=signature).status == 403
    wanted = {
        Counter("main", tally.WEBHOOKS_REFUSED, ("unsigned",)): 1,
        Counter("main", tally.WEBHOOKS_REFUSED, ("wrong-signature",)): 2,
    }
    ends, found = time.monotonic() + 30, dict[Counter, int]()
    while found != wanted and time.monotonic() < ends:
        with sqlite_world.store.read() as connection:
            found = tally.totals(connection, "main")
        time.sleep(0.02)
    door.close()
    assert found == wanted
