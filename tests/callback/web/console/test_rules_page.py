"""The page of the rules: proposed, seen, published, taken back; and what is refused, with nothing lost."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from callback.decisions import ruling
from callback.site import rule_versions
from callback.site.rule_versions import Version
from callback.store import tables as t
from callback.store.audit import By
from tests.callback.web.console.clients import Browser, Desk
from tests.callback.world import MINUTE, NOON, World, at, call

_CARRIED = re.compile(r'name="changes" value="([^"]*)"')
_BASE = re.compile(r'name="based_on" value="([0-9]+)"')


@pytest.fixture
def browser(desk: Desk) -> Browser:
    """A manager, signed in a moment ago."""
    return signed_in(desk, "bo", "manager")


def signed_in(desk: Desk, name: str, *roles: Any, groups: frozenset[str] | None = None) -> Browser:
    desk.person(name, *roles, groups=groups)
    browser = desk.browser()
    assert browser.sign_in(name).status_code == 303
    return browser


def versions(world: World) -> list[Version]:
    with world.store.read() as connection:
        return list(rule_versions.versions(connection, "main"))


def proposed(browser: Browser, **filled: str) -> Any:
    return browser.act("/rules/effect", **({"based_on": "1"} | filled))


def publish(browser: Browser, effect: Any, **more: str) -> Any:
    """Press the button below an effect."""
    carried = {"changes": html.unescape(_CARRIED.findall(effect.text)[-1]), "based_on": _BASE.findall(effect.text)[-1]}
    return browser.act("/rules/publish", **(carried | {"why": "shorter waits"} | more))


def other(world: World, **changes: Any) -> None:
    """Somebody else publishes meanwhile."""
    with world.store.write() as connection:
        work = world.work(connection, NOON)
        newest = rule_versions.in_force(connection, "main", NOON)
        rules = newest.rules.model_copy(update=changes)
        ruling.publish(work, rules, By("Anna", "the board wants it"), based_on=newest.version)


def test_a_proposal_shows_its_effect_and_changes_nothing(browser: Browser, desk: Desk) -> None:
    desk.world.hear(call(ended_at=NOON - 5 * MINUTE))
    page = proposed(browser, window_min="45")
    assert page.status_code == 200
    assert "1 losses were looked at" in page.text
    assert "half of them by 15 minutes or more" in page.text
    assert "None of them is moved" in page.text
    assert [one.version for one in versions(desk.world)] == [1]


def test_what_is_published_is_a_version_with_who_and_why(browser: Browser, desk: Desk) -> None:
    assert publish(browser, proposed(browser, window_min="45")).headers["location"] == "/rules"
    newest, _ = versions(desk.world)
    assert (newest.version, newest.who, newest.why, newest.rules.window_min) == (2, "bo", "shorter waits", 45.0)
    page = browser.get("/rules").text
    assert "Version 2 is in force." in page
    assert "shorter waits" in page
    assert "last changed by bo, version 2" in page


@pytest.mark.parametrize("path", ["/rules/change", "/rules/effect", "/rules/publish"])
def test_changes_that_no_page_carried_are_refused_in_words(browser: Browser, desk: Desk, path: str) -> None:
    odd = [
        "[" * 30_000,
        "[]",
        '{"queues": 5}',
        '{"opening": [1]}',
        '{"queues.support": null}',
        '{"queues.\\ud800.group": ""}',
    ]
    for changes in odd:
        assert browser.act(path, changes=changes, based_on="1", why="x").status_code == 422, changes[:40]
    assert [one.version for one in versions(desk.world)] == [1]


def test_one_for_later_waits_for_its_time_and_can_be_withdrawn(browser: Browser, desk: Desk) -> None:
    assert publish(browser, proposed(browser, window_min="45"), at="14:00").status_code == 303
    assert versions(desk.world)[0].effective_from_at == at("14:00")
    page = browser.get("/rules").text
    assert "Version 1 is in force." in page
    assert "Version 2 waits for its time" in page
    assert browser.act("/rules/withdraw", version="2", why="not now").status_code == 303
    assert "waits for its time" not in browser.get("/rules").text


def test_faults_are_told_beside_their_fields_and_what_was_typed_is_there(browser: Browser, desk: Desk) -> None:
    page = proposed(browser, window_min="soon", aim_min="17", special="2026-02-30 = 09:00-18:00")
    assert page.status_code == 422
    for typed in ('value="soon"', 'value="17"', "2026-02-30 = 09:00-18:00"):
        assert typed in page.text
    assert page.text.count('aria-invalid="true"') == 2
    assert len(versions(desk.world)) == 1


@pytest.mark.parametrize("typed", [{"window_min": "20", "aim_min": "30"}, {"window_min": "10"}])
def test_an_aim_that_is_longer_than_its_promise_is_told_beside_it(browser: Browser, typed: dict[str, str]) -> None:
    page = proposed(browser, **typed)
    assert page.status_code == 422
    assert page.text.count("This is longer than the promise that it is a part of.") == 2
    assert 'href="#f-aim_min"' in page.text
    assert page.text.count('aria-invalid="true"') == 1


def test_what_changes_nothing_says_so(browser: Browser) -> None:
    assert "Nothing is changed yet" in proposed(browser, window_min="60").text


def test_a_base_that_is_not_the_newest_is_refused_with_what_changed(browser: Browser, desk: Desk) -> None:
    effect = proposed(browser, window_min="45")
    other(desk.world, silent_min=7.0)
    page = publish(browser, effect)
    assert page.status_code == 409
    for told in (
        "version 2, by Anna, is in force by now",
        "Meanwhile the rules were changed",
        "promise after a silent",
    ):
        assert told in page.text
    assert 'value="shorter waits"' in page.text
    assert len(versions(desk.world)) == 2
    again = proposed(browser, based_on="2", changes=html.unescape(_CARRIED.findall(page.text)[0]))
    assert publish(browser, again).status_code == 303
    assert (versions(desk.world)[0].rules.window_min, versions(desk.world)[0].rules.silent_min) == (45.0, 7.0)


def test_going_back_is_a_new_version(browser: Browser, desk: Desk) -> None:
    other(desk.world, window_min=45.0)
    effect = proposed(browser, to="1", based_on="")
    assert "This goes back to version 1" in effect.text
    assert publish(browser, effect, to="1").status_code == 303
    assert [(one.version, one.rules.window_min) for one in versions(desk.world)] == [(3, 60.0), (2, 45.0), (1, 60.0)]


@pytest.mark.parametrize(("more", "told"), [({"why": " "}, "Say why."), ({"at": "yesterday"}, "That is no time")])
def test_a_reason_and_a_time_to_come_are_asked_for(
    browser: Browser, desk: Desk, more: dict[str, str], told: str
) -> None:
    page = publish(browser, proposed(browser, window_min="45"), **more)
    assert page.status_code == 422
    assert told in page.text
    assert len(versions(desk.world)) == 1


def test_to_publish_the_password_is_asked_for_again(browser: Browser, desk: Desk) -> None:
    effect = proposed(browser, window_min="45")
    desk.now += 6 * MINUTE
    assert publish(browser, effect).headers["location"].startswith("/prove")
    assert "Give your password once more" in proposed(browser, window_min="45").text
    assert len(versions(desk.world)) == 1


def test_the_settings_file_that_says_something_else_is_shown_and_taken_by_a_person_alone(
    browser: Browser, desk: Desk
) -> None:
    other(desk.world, window_min=45.0)
    console = desk.app.state.console
    file = console.settings.model_copy(update={"rules": console.settings.rules.model_copy(update={"max_tries": 2})})
    object.__setattr__(console, "settings", file)
    page = browser.get("/rules").text
    assert "The settings file says something else" in page
    assert "tries until a second text" in page
    assert browser.act("/rules/take-file", why="").status_code == 422
    assert browser.act("/rules/take-file", why="the file is right").status_code == 303
    assert (versions(desk.world)[0].rules.max_tries, versions(desk.world)[0].source) == (2, "file")
    assert "The settings file says something else" not in browser.get("/rules").text


def test_who_may_not_publish_reads_without_the_numbers_of_customers(desk: Desk) -> None:
    queue = desk.world.site.rules.queues["support"].model_copy(update={"only_numbers": ("+819012345678",)})
    other(desk.world, queues={**desk.world.site.rules.queues, "support": queue})
    browser = signed_in(desk, "chen", "auditor")
    page = browser.get("/rules").text
    assert "+819012345678" not in page
    assert "+81 90 •••• 5678" in page
    assert "/rules/change" not in page
    assert browser.act("/rules/effect", window_min="45").status_code == 403


def test_rules_of_the_whole_site_are_not_published_by_who_sees_a_part(desk: Desk) -> None:
    browser = signed_in(desk, "lin", "manager", groups=frozenset({"site"}))
    assert "may see all groups" in browser.get("/rules").text
    assert proposed(browser, window_min="45").status_code == 403


@pytest.mark.parametrize("changes", ["[]", "{", '{"secret": 1}', '{"window_min.x": 1}'])
def test_changes_that_are_none_are_refused_in_words(browser: Browser, desk: Desk, changes: str) -> None:
    assert proposed(browser, changes=changes).status_code == 422
    assert len(versions(desk.world)) == 1


def test_it_stands_in_the_audit(browser: Browser, desk: Desk) -> None:
    publish(browser, proposed(browser, window_min="45"))
    acts = [(row.who, row.action, row.why) for row in desk.world.rows(t.audit) if row.action.startswith("rules")]
    assert acts == [("bo", "rules-published", "shorter waits")]


def test_a_version_of_another_program_is_listed_all_the_same(browser: Browser, desk: Desk) -> None:
    other(desk.world, window_min=45.0)
    with desk.world.store.write() as connection:
        first = t.shift_rules.update().where(t.shift_rules.c.version == 1)
        connection.execute(first.values(body={"zone": "Asia/Tokyo", "what_was": 1}))
    page = browser.get("/rules")
    assert page.status_code == 200
    assert "Version 2 is in force." in page.text
