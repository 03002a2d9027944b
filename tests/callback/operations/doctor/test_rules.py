"""What the doctor says of the rules: which version is in force, and where the settings file was changed against it."""

from __future__ import annotations

from pathlib import Path

from callback.clock import now_us
from callback.decisions import ruling
from callback.operations.doctor import rules as looked
from callback.settings.sections import Database, Settings
from callback.site.context import Sites
from callback.site.work import Work
from callback.store.audit import By
from tests.callback.world import World, rules


def on(world: World, **file: object) -> Settings:
    """The world's settings as a file with these rules has them."""
    changed = {"database": Database(url=world.store.url), "rules": rules(**file)}
    return world.settings.model_copy(update=changed)


def publish(world: World) -> None:
    with world.store.write() as connection:
        now = now_us()
        work = Work(connection, Sites(world.settings).at(connection, now), now)
        ruling.publish(work, rules(window_min=30, aim_min=15), By("bo", "a quiet day"), based_on=1)


def said(settings: Settings) -> list[str]:
    return [finding.line() for finding in looked.look(settings)]


def test_the_version_in_force_is_named_with_whoever_published_it(sqlite_world: World) -> None:
    assert said(on(sqlite_world)) == ["  ok    version 1 of the rules is in force, from the settings file"]
    publish(sqlite_world)
    assert said(on(sqlite_world)) == ["  ok    version 2 of the rules is in force, published by bo"]
    assert looked.in_force(on(sqlite_world)).rules.window_min == 30


def test_a_file_that_was_changed_afterwards_is_a_warning_with_both_values(sqlite_world: World) -> None:
    publish(sqlite_world)
    _, warned = said(on(sqlite_world, window_min=45))
    assert "WARN  [rules] window_min is 45.0 in the settings file; in force is 30.0" in warned
    assert "callback rules take-file" in warned


def test_where_no_service_has_run_the_files_rules_are_looked_at(sqlite_world: World, tmp_path: Path) -> None:
    new = on(sqlite_world).model_copy(update={"database": Database(url=f"sqlite:///{tmp_path / 'none.db'}")})
    assert said(new) == []
    assert looked.in_force(new) == new
