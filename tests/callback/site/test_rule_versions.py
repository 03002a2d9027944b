"""Rules are versions: the file gives the first, people publish the others, each holds from its time on."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from callback.decisions import ruling
from callback.decisions.reasons import NONE_GIVEN
from callback.errors import CallbackError
from callback.settings.rules import QueueRules
from callback.settings.sections import Settings, Trunk
from callback.site import rule_versions
from callback.site.context import Sites, take_over
from callback.site.rule_versions import Change, Conflict, Faulty, Version
from callback.site.work import Work
from callback.store import audit
from callback.store import tables as t
from callback.store.audit import By
from tests.callback.world import MINUTE, NOON, ON, US, World, call, fed, rules

BO = By("bo", "a quiet day")
CLOSED = [date(2026, 11, 1) + timedelta(days=days) for days in range(4200)]
"""More days than the hours look ahead."""
SHORT = rules(window_min=30, aim_min=15)


def acting(world: World, now: int, act: Any, *about: Any, **more: Any) -> Any:
    """Let somebody decide, under the rules that the database has then."""
    with world.store.write() as connection:
        work = Work(connection, Sites(world.settings).at(connection, now), now)
        return act(work, *about, **more)


def in_force(world: World, now: int) -> Version:
    with world.store.read() as connection:
        return rule_versions.in_force(connection, "main", now)


def starts(world: World, now: int, **file: Any) -> Settings:
    """The service begins with this file."""
    settings = world.settings.model_copy(update={"rules": rules(**file)})
    with world.store.write() as connection:
        world.site = take_over(connection, settings, now)
    return settings


def conflicts(world: World, settings: Settings, now: int) -> tuple[Conflict, ...]:
    with world.store.read() as connection:
        return rule_versions.conflict(connection, settings, now)


def test_what_is_published_holds_at_once_and_says_who_and_why(world: World) -> None:
    made = acting(world, NOON + US, ruling.publish, SHORT, BO, based_on=1)
    assert (made.version, made.who, made.why, made.source, made.based_on) == (2, "bo", "a quiet day", "person", 1)
    assert in_force(world, NOON).version == 1
    assert in_force(world, NOON + US).rules == SHORT
    (told,) = [one.facts for one in fed(world.store) if one.facts.get("action") == "rules-published"]
    assert (told["version"], sorted(told["keys"])) == (2, ["aim_min", "window_min"])
    with world.store.read() as connection:
        assert audit.broken_at(connection) is None
    assert [row.action for row in world.rows(t.audit)] == ["rules-published"]


def test_what_is_published_for_later_holds_from_its_time_on_by_itself(world: World) -> None:
    acting(world, NOON, ruling.publish, SHORT, BO, based_on=1, from_at=NOON + MINUTE)
    sites = Sites(world.settings)
    with world.store.read() as connection:
        assert [one.version for one in rule_versions.waiting(connection, "main", NOON)] == [2]
        assert [sites.at(connection, NOON + MINUTE - 1).version, sites.last.version] == [1, 1]
        assert sites.at(connection, NOON + MINUTE).rules == SHORT
        assert rule_versions.waiting(connection, "main", NOON + MINUTE) == ()


def test_one_that_waits_can_be_withdrawn_until_its_time_and_keeps_others_back(world: World) -> None:
    acting(world, NOON, ruling.publish, SHORT, BO, based_on=1, from_at=NOON + MINUTE)
    with pytest.raises(ruling.Superseded, match="version 2 waits"):
        acting(world, NOON, ruling.publish, rules(max_tries=2), BO, based_on=1)
    acting(world, NOON + US, ruling.withdraw, 2, BO)
    assert in_force(world, NOON + 2 * MINUTE).version == 1
    with pytest.raises(ruling.Superseded, match="does not wait"):
        acting(world, NOON + US, ruling.withdraw, 2, BO)
    assert acting(world, NOON + 2 * US, ruling.publish, SHORT, BO, based_on=1).version == 3
    with pytest.raises(ruling.Superseded, match="does not wait"):
        acting(world, NOON + 3 * US, ruling.withdraw, 3, BO)


def test_whoever_looked_at_rules_that_are_no_more_in_force_changes_nothing(world: World) -> None:
    acting(world, NOON + US, ruling.publish, SHORT, BO, based_on=1)
    with pytest.raises(ruling.Superseded, match="version 2, by bo, is in force by now"):
        acting(world, NOON + 2 * US, ruling.publish, rules(max_tries=2), By("anna", "mine"), based_on=1)
    assert in_force(world, NOON + MINUTE).version == 2


@pytest.mark.parametrize(
    ("more", "by", "match"),
    [
        ({"from_at": NOON - 1}, BO, "now or later"),
        ({"from_at": NOON + 367 * 24 * 60 * MINUTE}, BO, "within a year"),
        ({}, By("bo", NONE_GIVEN), "say why"),
    ],
)
def test_what_cannot_be_published_is_refused_in_words(world: World, more: dict[str, int], by: By, match: str) -> None:
    with pytest.raises(CallbackError, match=match):
        acting(world, NOON, ruling.publish, SHORT, by, based_on=1, **more)
    with pytest.raises(ruling.NothingChanges):
        acting(world, NOON, ruling.publish, world.settings.rules, BO, based_on=1)
    assert in_force(world, NOON + MINUTE).version == 1
    assert world.rows(t.audit) == []


def test_to_roll_back_is_a_new_version_with_the_old_rules(world: World) -> None:
    acting(world, NOON + US, ruling.publish, SHORT, BO, based_on=1)
    made = acting(world, NOON + 2 * US, ruling.roll_back, world.settings, 1, By("anna", "too short"))
    assert (made.version, made.rules, made.who) == (3, world.settings.rules, "anna")
    with pytest.raises(CallbackError, match="no version 9"):
        acting(world, NOON + 3 * US, ruling.roll_back, world.settings, 9, BO)


def test_a_start_does_not_undo_what_people_published(world: World) -> None:
    acting(world, NOON + US, ruling.publish, SHORT, BO, based_on=1)
    starts(world, NOON + MINUTE)
    assert (world.site.version, world.site.rules) == (2, SHORT)
    assert conflicts(world, world.settings, NOON + MINUTE) == ()


def test_a_file_that_is_changed_afterwards_is_told_and_not_in_force(world: World) -> None:
    acting(world, NOON + US, ruling.publish, SHORT, BO, based_on=1)
    starts(world, NOON + MINUTE)
    edited = starts(world, NOON + 2 * MINUTE, window_min=45, max_tries=2)
    assert world.site.rules == SHORT
    assert set(conflicts(world, edited, NOON + 2 * MINUTE)) == {
        Conflict("window_min", 45.0, 30.0),
        Conflict("max_tries", 2, 3),
    }
    starts(world, NOON + 3 * MINUTE, window_min=45, max_tries=2)
    assert len(conflicts(world, edited, NOON + 3 * MINUTE)) == 2, "until somebody decides"


def test_the_file_can_be_taken_or_left_and_then_nothing_is_open(world: World) -> None:
    acting(world, NOON + US, ruling.publish, SHORT, BO, based_on=1)
    edited = starts(world, NOON + MINUTE, max_tries=2)
    acting(world, NOON + 2 * MINUTE, ruling.keep, edited, BO)
    assert conflicts(world, edited, NOON + 2 * MINUTE) == ()
    with pytest.raises(ruling.NothingChanges):
        acting(world, NOON + 2 * MINUTE, ruling.keep, edited, BO)
    edited = starts(world, NOON + 3 * MINUTE, max_tries=4)
    assert [one.key for one in conflicts(world, edited, NOON + 3 * MINUTE)] == ["max_tries"]
    made = acting(world, NOON + 4 * MINUTE, ruling.take_file, edited, BO)
    assert (made.version, made.source, made.who, made.rules.max_tries) == (3, "file", "bo", 4)
    assert conflicts(world, edited, NOON + 4 * MINUTE) == ()
    starts(world, NOON + 5 * MINUTE, max_tries=5)
    assert world.site.rules.max_tries == 4, "the database has the rules still"


def test_a_file_that_says_what_is_in_force_contradicts_nothing(world: World) -> None:
    acting(world, NOON + US, ruling.publish, SHORT, BO, based_on=1)
    edited = starts(world, NOON + MINUTE, window_min=30, aim_min=15)
    assert conflicts(world, edited, NOON + MINUTE) == ()
    acting(world, NOON + 2 * MINUTE, ruling.publish, rules(window_min=50), BO, based_on=2)
    assert conflicts(world, edited, NOON + 3 * MINUTE) == (), "the file is as it was read"


def test_every_fault_is_named_by_its_key(world: World) -> None:
    body = {"zone": "Mars", "max_tries": 99, "pacing": {"keep": 1}, "queues": {"support": {"calls": "maybe"}}}
    with pytest.raises(Faulty) as caught:
        rule_versions.proposed(world.settings, body, NOON)
    assert set(caught.value.faults) == {"zone", "max_tries", "pacing.keep", "queues.support.calls"}
    assert "max_tries: Input should be less than or equal to 10 (it is 99)" in str(caught.value)
    assert "pacing.keep: is no setting of this section" in str(caught.value)


@pytest.mark.parametrize(
    ("body", "match"),
    [
        ({"trunks": {"moon": {"no_ring_after": "20:00"}}}, "moon.*is no trunk"),
        ({"queues": {"support": {"text_from": "acme"}}}, "no account"),
        ({"queues": {"support": {"language": "tlh"}}}, "'tlh' has no texts"),
        ({"window_min": 10, "aim_min": 20}, "aim_min must not be longer"),
        ({"holidays": CLOSED}, "opening: closed for the next 800 days"),
    ],
)
def test_rules_must_fit_the_file(world: World, body: dict[str, Any], match: str) -> None:
    with pytest.raises(Faulty, match=match):
        rule_versions.proposed(world.settings, {"zone": "Asia/Tokyo", **body}, NOON)


def test_rules_under_which_the_site_opens_no_more_are_not_published_by_any_way(sqlite_world: World) -> None:
    world, never = sqlite_world, rules(holidays=CLOSED)
    with pytest.raises(Faulty, match="closed for the next 800 days"):
        acting(world, NOON + US, ruling.publish, never, BO, based_on=1)
    file = world.settings.model_copy(update={"rules": never})
    with pytest.raises(Faulty, match="closed for the next 800 days"):
        acting(world, NOON + US, ruling.take_file, file, BO)


def test_whoever_is_lost_while_the_site_opens_no_more_is_listed_for_people(sqlite_world: World) -> None:
    starts(sqlite_world, NOON, holidays=CLOSED)
    sqlite_world.hear(call())
    assert [row.recovery for row in sqlite_world.rows(t.call)] == ["never-in-hours"]


def test_a_start_with_a_file_that_the_published_rules_do_not_fit_says_what_to_do(sqlite_world: World) -> None:
    world = sqlite_world
    acting(world, NOON + US, ruling.publish, rules(trunks={"main": {"no_ring_after": "20:00"}}), BO, based_on=1)
    other = {"other": Trunk(channel="PJSIP/o", region="JP", form="national")}
    file = world.settings.model_copy(update={"trunks": other})
    with world.store.write() as connection, pytest.raises(CallbackError, match="callback rules take-file") as caught:
        take_over(connection, file, NOON + MINUTE)
    assert "version 2 of the rules does not fit" in str(caught.value)
    with world.store.write() as connection:
        ruling.take_file(Work(connection, Sites(file).at(connection, NOON + MINUTE), NOON + MINUTE), file, BO)
    with world.store.write() as connection:
        assert take_over(connection, file, NOON + 2 * MINUTE).version == 3


def test_changes_are_told_by_key_and_a_new_queue_by_what_it_has_beyond_the_defaults() -> None:
    before = rules(queues={"support": ON}, opening={"monday": "09:00-18:00"})
    pacing = before.pacing.model_copy(update={"keep_free": 2})
    later = {"support": ON.model_copy(update={"calls": "watch", "texts": "watch"}), "sales": QueueRules(group="sales")}
    after = rules(queues=later, pacing=pacing)
    assert set(rule_versions.changes(before, after)) == {
        Change("opening.monday", "09:00-18:00", None),
        Change("pacing.keep_free", 0, 2),
        Change("queues.support.texts", "on", "watch"),
        Change("queues.support.calls", "on", "watch"),
        Change("queues.sales.group", "site", "sales"),
    }
    assert rule_versions.changes(before, before) == ()
