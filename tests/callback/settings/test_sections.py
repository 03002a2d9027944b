"""Settings: every fault at once, with line and key; secrets never shown."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from callback.errors import SettingsError
from callback.settings.rules import Pacing, SiteRules
from callback.settings.sections import load, trunks_of
from scheduler.incident import IncidentTerms
from scheduler.policy import DEFAULT
from scheduler.promise import PromiseTerms
from scheduler.retry import OUTCOMES, RetryPolicy, after

LEAST = """
[pbx]
username = "lcr"
secret = "hush"

[trunks.main]
region = "JP"

[rules]
zone = "Asia/Tokyo"
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
    text = LEAST.replace('secret = "hush"', 'secret = "hush"\nport = 70000').replace("Asia/Tokyo", "Mars/Olympus") + (
        'window = 60\n\n[rules.queues.support]\ncalls = "yes"\n'
    )
    with pytest.raises(SettingsError) as told:
        load(written(tmp_path, text), {})
    assert len(told.value.faults) == 4
    joined = "\n".join(told.value.faults)
    assert "line 5, [pbx] port" in joined
    assert "line 11, [rules] zone" in joined
    assert "line 12, [rules] window: is no setting of this section" in joined
    assert "line 15, [rules.queues.support] calls" in joined


@pytest.mark.parametrize(
    ("left_out", "told"),
    [
        ('region = "JP"\n', 'line 6, [trunks.main] region: is missing; write region = "US"'),
        ('zone = "Asia/Tokyo"\n', 'line 9, [rules] zone: is missing; write zone = "America/New_York"'),
        ('[rules]\nzone = "Asia/Tokyo"\n', '[rules] zone: is missing; write zone = "America/New_York"'),
    ],
)
def test_what_nobody_can_guess_must_be_said_and_the_line_to_write_is_named(
    tmp_path: Path, left_out: str, told: str
) -> None:
    with pytest.raises(SettingsError) as error:
        load(written(tmp_path, LEAST.replace(left_out, "")), {})
    (fault,) = error.value.faults
    assert told in fault


def test_a_number_can_be_tried_before_the_rest_is_written(tmp_path: Path) -> None:
    path = written(tmp_path, '[pbx]\n[trunks.main]\nregion = "DE"\nsignals = "e164-no-plus"\n[rules]\nsoon = 1\n')
    (trunk,) = trunks_of(path, {"CALLBACK_TRUNKS__MAIN__REGION": "AT"}).values()
    assert (trunk.region, trunk.signals) == ("AT", "e164-no-plus")
    with pytest.raises(SettingsError, match=r"\[trunks.main\] region: is missing"):
        trunks_of(written(tmp_path, "[trunks.main]\n"), {})
    with pytest.raises(SettingsError, match=r"\[trunks\]: is missing"):
        trunks_of(written(tmp_path, ""), {})


def test_a_zone_nobody_knows_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="Mars/Olympus"):
        load(written(tmp_path, LEAST.replace("Asia/Tokyo", "Mars/Olympus")), {})


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


SECRET = "hunter2-hidden"  # noqa: S105


@pytest.mark.parametrize(
    "text",
    [
        f'[database]\nurl = "postgres://u:{SECRET}@h/d"',
        f'[database]\nurl = "postgresql+psycopg://u:{SECRET}@h:port/d"',
        f'[database]\nurll = "postgresql+psycopg://u:{SECRET}@h/d"',
        f'[pbx]\nusername = "lcr"\nsecrett = "{SECRET}"',
        f'[pbx]\npassword = "{SECRET}"',
        f'pbx = "lcr:{SECRET}"',
        f'secret = "{SECRET}"',
        f'[pbxx]\nsecret = "{SECRET}"',
        f'[pbx]\nqueue_log = "mysql://u:{SECRET}@h:port/asterisk"',
        f'[pbx]\nsecret = ["{SECRET}"]',
        f'[texts.twilio]\nmain = "{SECRET}"',
        f'[texts.twilio.main]\naccount_sid = "{SECRET}"',
        f'[texts.twilio.main]\nauth_tokn = "{SECRET}"',
        f'[texts.twilio.main]\nfrom = "{SECRET}"',
        f'[texts.http]\nbody = "key={SECRET}"',
        f'[texts.http.headers]\nAuthorization = ["{SECRET}"]',
        f'[texts.http]\nheader = {{ Authorization = "{SECRET}" }}',
        f'[alarms]\nurl = "ftp://x/{SECRET}"',
        f'[alarms]\ncommand = "notify --key {SECRET}"',
        f'[alarms]\ntoken = "{SECRET}"',
    ],
)
def test_no_fault_shows_what_may_be_a_secret_however_its_key_is_spelt(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError) as error:
        load(written(tmp_path, text), {})
    assert SECRET not in str(error.value)


@pytest.mark.parametrize(
    "name", ["CALLBACK_PBX__SECRETT", "CALLBACK_PBXX__SECRET", "CALLBACK_TEXTS__TWILIO__MAIN__TOKEN"]
)
def test_nor_what_the_environment_holds(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError) as error:
        load(written(tmp_path, LEAST), {name: SECRET})
    assert SECRET not in str(error.value)


def test_a_section_that_the_environment_misspells_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"\[pbxx\]: is no setting of this section"):
        load(written(tmp_path, LEAST), {"CALLBACK_PBXX__SECRET": "other"})


@pytest.mark.parametrize("name", ["CALLBACK_SETTINGS", "CALLBACK_LOGS", "CALLBACK_PBX", "CALLBACK_"])
def test_a_lone_word_in_the_environment_is_no_key_even_if_it_names_a_section(tmp_path: Path, name: str) -> None:
    assert load(written(tmp_path, LEAST), {name: "/var/log/callback"}) == load(written(tmp_path, LEAST), {})


@pytest.mark.parametrize("first", [0, 1])
def test_faults_of_the_environment_are_told_at_once_in_whichever_order_it_holds_them(
    tmp_path: Path, first: int
) -> None:
    names = [("CALLBACK_PBX__SECRET", SECRET), ("CALLBACK_PBX__SECRET__X", SECRET)]
    lists = {"CALLBACK_TRUNKS__MAIN__ALLOWED_COUNTRIES": "US", "CALLBACK_PBX__PORT": "no"}
    with pytest.raises(SettingsError) as told:
        load(written(tmp_path, LEAST), dict([names[first], names[1 - first]]) | lists)
    through, port, countries = told.value.faults
    assert through.startswith("CALLBACK_PBX__SECRET__X: 'secret' is a value, not a section; remove that value")
    assert "[pbx] port" in port
    assert "[trunks.main] allowed_countries" in countries
    assert SECRET not in str(told.value)


def test_a_value_where_the_environment_needs_a_section_is_a_fault_by_itself(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="CALLBACK_LOGS__NUMBERS__X: 'numbers' is a value, not a section"):
        load(written(tmp_path, LEAST + '[logs]\nnumbers = "full"\n'), {"CALLBACK_LOGS__NUMBERS__X": "y"})


def test_a_value_that_is_no_secret_is_shown(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"\[pbx\] port: .*\(it is 'fifty'\)"):
        load(written(tmp_path, LEAST.replace('"hush"', '"hush"\nport = "fifty"')), {})


@pytest.mark.parametrize(
    "url", ["postgresql+psycopg://lcr:a@b@db:x/calls", "postgresql+psycopg://lcr@db:54 32/calls", "sqlite:///[::1"]
)
def test_an_address_that_cannot_be_taken_apart_is_a_fault_with_its_form(tmp_path: Path, url: str) -> None:
    text = LEAST + f'[database]\nurl = "{url}"\n'
    try:
        load(written(tmp_path, text), {})
    except SettingsError as error:
        assert "[database] url: is no address of a database: write driver://" in str(error)  # noqa: PT017
        assert "a@b" not in str(error)  # noqa: PT017
    else:
        assert url.startswith("sqlite"), "for SQLite all that follows is a file's name"


@pytest.mark.parametrize("named", ["+12125550100", "12125550100"])
@pytest.mark.parametrize("dialled", ["+12125550100", "12125550100"])
def test_a_dialled_number_leads_to_its_queue_with_or_without_its_plus(named: str, dialled: str) -> None:
    rules = SiteRules(zone="UTC", dids={named: "support"}, default_queue="other")
    assert [rules.queue_of(did) for did in (dialled, "500", None)] == ["support", "other", "other"]
    assert rules.named() == ["support", "other"]


def test_the_service_paces_callbacks_as_the_simulated_default_does_and_tries_who_is_overdue_once_more() -> None:
    policy = Pacing().callback_policy()
    assert {name: policy.lanes[name] for name in DEFAULT.lanes} == DEFAULT.lanes
    assert (policy.keep, policy.in_lanes, policy.by_queue) == (DEFAULT.keep, DEFAULT.in_lanes, DEFAULT.by_queue)
    assert list(policy.lanes) == [*DEFAULT.lanes, "overdue"]
    assert policy.bind_price == policy.lanes["in-aim"].price, "a deadline that binds is worth as much as an aim"


def test_the_sites_key_is_in_one_place_outside(tmp_path: Path) -> None:
    key = "0123456789ABCDEF" * 4
    named = written(tmp_path, LEAST + '[database]\nkey_file = "of-the-key/site.key"\n')
    assert load(named, {}).database.key_file == tmp_path / "of-the-key" / "site.key"
    with pytest.raises(SettingsError, match="both set; leave one of them") as told:
        load(named, {"CALLBACK_DATABASE__KEY": key})
    assert key not in str(told.value)
    plain = written(tmp_path, LEAST)
    database = load(plain, {"CALLBACK_DATABASE__KEY": f" {key}\n"}).database
    assert (database.key, database.key_file, database.url) == (key.lower(), None, f"sqlite:///{tmp_path}/lost-calls.db")


@pytest.mark.parametrize("wrong", ["0123456789abcdef" * 3, "0123456789abcdef" * 5, "secret words" * 6])
def test_a_key_that_is_none_is_a_fault_and_is_not_shown(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(SettingsError, match=r"\[database\] key: must be the 64 hexadecimal digits") as told:
        load(written(tmp_path, LEAST), {"CALLBACK_DATABASE__KEY": wrong})
    assert wrong[:12] not in str(told.value)


# One home for each default


def test_a_site_that_sets_nothing_waits_and_promises_as_the_scheduler_does() -> None:
    site = SiteRules(zone="UTC")
    assert {outcome: after(outcome, 0, site.retry_policy()) for outcome in OUTCOMES} == {
        outcome: after(outcome, 0, RetryPolicy()) for outcome in OUTCOMES
    }
    assert site.max_tries == RetryPolicy().max_tries
    assert site.promise_terms() == replace(PromiseTerms(), least_s=site.ring_s)
    assert site.incident_terms() == IncidentTerms()


def test_a_file_that_begins_with_a_mark_of_its_encoding_is_read(tmp_path: Path) -> None:
    path = tmp_path / "callback.toml"
    path.write_text(LEAST.lstrip(), encoding="utf-8-sig")
    assert load(path, {}).pbx.secret == "hush"  # noqa: S105


def test_an_address_with_a_password_is_shown_under_no_key(tmp_path: Path) -> None:
    text = LEAST + '[web]\nlisten = "127.0.0.1:8080"\npublic_url = "ftp://u:hidden@host"\n'
    with pytest.raises(SettingsError, match="public_url") as error:
        load(written(tmp_path, text), {})
    assert "hidden" not in str(error.value)
