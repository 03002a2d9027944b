"""The site that is asked for again and again is made once for each version of its rules."""

from __future__ import annotations

import pytest

from callback.errors import StoreError
from callback.site.context import Sites, current, take_over
from callback.store.engine import Store
from tests.callback.world import NOON, US, World, migrated, rules


def test_a_site_is_made_anew_when_its_rules_are_others(world: World) -> None:
    sites = Sites(world.settings)
    with world.store.read() as connection:
        first = sites.at(connection, NOON + US)
        assert first.rules == current(connection, world.settings, NOON).rules
        assert sites.at(connection, NOON + US) is first
    changed = world.settings.model_copy(update={"rules": rules(max_tries=7)})
    with world.store.write() as connection:
        take_over(connection, changed, NOON + US)
    with world.store.read() as connection:
        second = sites.at(connection, NOON + US)
        assert second.version == first.version + 1
        assert sites.at(connection, NOON + US) is second


def test_a_database_that_nobody_ran_on_has_no_site(migrated_url: str, world: World) -> None:
    sites = Sites(world.settings.model_copy(update={"pbx": world.settings.pbx.model_copy(update={"name": "other"})}))
    store: Store = migrated(migrated_url)
    with store.read() as connection, pytest.raises(StoreError, match="is empty"):
        sites.at(connection, NOON + US)
