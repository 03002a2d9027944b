"""Settings: every fault at once, with line and key; secrets never shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from callback.errors import SettingsError
from callback.rules import Pacing, ShiftRules
from callback.settings import load
from scheduler.policy import DEFAULT

LEAST = """
[pbx]
username = "lcr"
secret = "hush"

[trunks.main]
region = "JP"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "callback.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_least_settings_watch_and_neither_text_nor_dial(tmp_path: Path) -> None:
    settings = load(written(tmp_path, LEAST), {})
    assert (settings.rules.queue("support").texts, settings.rules.queue("support").calls) == (
        "watch",
        "watch",
    )
    assert settings.rules.hours().quiet_from.isoformat() == "21:30:00"


def test_every_fault_is_told_at_once_with_its_line_and_key(tmp_path: Path) -> None:
    text = LEAST.replace('secret = "hush"', 'secret = "hush"\nport = 70000') + (
        '\n[rules]\nzone = "Mars/Olympus"\nwindow = 60\n\n[rules.queues.support]\ncalls = "yes"\n'
    )
    with pytest.raises(SettingsError) as told:
        load(written(tmp_path, text), {})
    assert len(told.value.faults) == 4
    joined = "\n".join(told.value.faults)
    assert "line 5, [pbx] port" in joined
    assert "line 11, [rules] zone" in joined
    assert "line 12, [rules] window: is no setting of this section" in joined
    assert "line 15, [rules.queues.support] calls" in joined


def test_a_zone_nobody_knows_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="Mars/Olympus"):
        load(written(tmp_path, LEAST + '\n[rules]\nzone = "Mars/Olympus"\n'), {})


def test_calls_cannot_be_on_without_the_number_the_customer_sees(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="caller_id"):
        load(written(tmp_path, LEAST + '\n[rules.queues.support]\ncalls = "on"\n'), {})


def test_the_environment_lies_over_the_file_and_its_secret_is_not_shown(tmp_path: Path) -> None:
    path = written(tmp_path, LEAST)
    assert load(path, {"CALLBACK_PBX__SECRET": "other"}).pbx.secret == "other"  # noqa: S105
    with pytest.raises(SettingsError) as told:
        load(path, {"CALLBACK_PBX__SECRET": "other", "CALLBACK_PBX__PORT": "no"})
    assert "other" not in str(told.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"[pbx\n", "is not TOML"), (b"\xff\xfe", "is not UTF-8"), (b"", "[pbx]: is missing")],
)
def test_a_file_that_cannot_be_read_says_what_it_is_instead(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "callback.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsError) as told:
        load(path, {})
    assert words in str(told.value)


def test_a_missing_file_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--settings"):
        load(tmp_path / "none.toml", {})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[rules.queues."9000"]\ncalls = "yes"', "line 2, [rules.queues.9000] calls"),
        ('[rules.queues.support]  # ours\ncalls = "yes"', "line 2, [rules.queues.support] calls"),
        ('[rules.queues]\nsupport = "on"', "must be a section of its own"),
    ],
)
def test_a_fault_is_found_however_its_section_is_written(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(told)):
        load(written(tmp_path, text), {})


def test_the_password_of_a_database_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as error:
        load(written(tmp_path, '[database]\nurl = "postgres://u:hidden@h/d"'), {})
    assert "hidden" not in str(error.value)


@pytest.mark.parametrize("named", ["+12125550100", "12125550100"])
@pytest.mark.parametrize("dialled", ["+12125550100", "12125550100"])
def test_a_dialled_number_leads_to_its_queue_with_or_without_its_plus(named: str, dialled: str) -> None:
    rules = ShiftRules(dids={named: "support"}, default_queue="other")
    assert [rules.queue_of(did) for did in (dialled, "500", None)] == ["support", "other", "other"]
    assert rules.named() == ["support", "other"]


def test_the_service_paces_callbacks_as_the_simulated_default_does_and_tries_who_is_overdue_once_more() -> None:
    policy = Pacing().policy()
    assert {name: policy.lanes[name] for name in DEFAULT.lanes} == DEFAULT.lanes
    assert (policy.keep, policy.in_lanes, policy.by_queue) == (DEFAULT.keep, DEFAULT.in_lanes, DEFAULT.by_queue)
    assert list(policy.lanes) == [*DEFAULT.lanes, "overdue"]
    assert policy.bind_price == policy.lanes["in-aim"].price, "a deadline that binds is worth as much as an aim"
