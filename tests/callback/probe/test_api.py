"""What the probe learns of the service's real API, as it is served."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from callback.accounts import tokens
from callback.accounts.tokens import SCOPES, Terms
from callback.probe.api import known
from callback.probe.errors import NotKnown
from callback.probe.settings import Api
from callback.store.engine import clock
from scheduler.clock import DAY
from tests.callback.accounts.people import change
from tests.callback.web.console.test_serve import running
from tests.callback.world import NOON, World, call

LOST_S = NOON / 1e6


@pytest.fixture
def api(sqlite_world: World, tmp_path: Path) -> Iterator[Api]:
    with sqlite_world.store.write() as connection:
        token = tokens.add(
            change(connection, clock(connection)), Terms("probe", frozenset({"reservations:read"}), None, DAY)
        )
    assert "reservations:read" in SCOPES
    with running(sqlite_world, tmp_path) as (_, url):
        yield Api.model_validate({"url": f"{url}/api/v1", "token": token, "queue": "support"})


def test_a_loss_is_found_with_why_nobody_called_yet(api: Api, sqlite_world: World) -> None:
    assert known(api, LOST_S - 3600) is None
    sqlite_world.hear(call())
    seen = known(api, LOST_S - 3600)
    assert seen is not None
    assert (seen.reservation, seen.state) == (1, "waiting")
    assert seen.why
    assert known(api, LOST_S + 3600) is None
    assert known(api.model_copy(update={"queue": "sales"}), LOST_S - 3600) is None


def test_what_the_api_does_not_say_is_not_known(api: Api) -> None:
    stranger = Api.model_validate({"url": api.url, "token": "lcr_stranger", "queue": "support"})
    with pytest.raises(NotKnown, match="401"):
        known(stranger, 0)
    nowhere = Api.model_validate({"url": f"{api.url}/nowhere", "token": "x"})
    with pytest.raises(NotKnown, match="reservations:read"):
        known(nowhere, 0)
    away = Api.model_validate({"url": "http://127.0.0.1:1", "token": "x"})
    with pytest.raises(NotKnown, match="does not say"):
        known(away, 0)
