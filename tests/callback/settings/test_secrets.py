"""Secrets stand in one place of several; two places, or one that holds none, are named, and no secret is shown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from callback.errors import SettingsError
from callback.settings.reference import sections
from callback.settings.secrets import secrets_of
from callback.settings.sections import Settings, load

BARE = """
[pbx]
username = "lcr"

[trunks.main]
region = "JP"

[rules]
zone = "Asia/Tokyo"
"""
TWILIO = """
[texts]
gateway = "twilio"
[texts.twilio.eu-1]
account_sid = "AC00000000000000000000000000000000"
from = "+12125550199"
"""
HTTP = """
[texts]
gateway = "http"
[texts.http]
url = "https://sms.example.org/send"
body = "to={to}&text={text}"
"""


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "callback.toml"
    path.write_text(BARE, encoding="utf-8")
    return path


def put(folder: Path, name: str, held: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(held, encoding="utf-8")
    return folder / name


def faults(path: Path, environ: Mapping[str, str]) -> str:
    with pytest.raises(SettingsError) as told:
        load(path, environ)
    return "\n".join(told.value.faults)


def test_a_secret_stands_in_a_file_of_its_own_that_the_settings_name(settings: Path) -> None:
    put(settings.parent / "kept", "ami", "from the file\n")
    settings.write_text(BARE.replace('username = "lcr"', 'username = "lcr"\nsecret_file = "kept/ami"'))
    assert load(settings, {}).pbx.secret == "from the file"  # noqa: S105


def test_a_variable_names_the_file_of_a_secret(settings: Path) -> None:
    file = put(settings.parent, "url", "postgresql+psycopg://lcr:hush@db/lcr\r\n")
    environ = {"CALLBACK_PBX__SECRET": "s", "CALLBACK_DATABASE__URL_FILE": str(file)}
    assert load(settings, environ).database.url == "postgresql+psycopg://lcr:hush@db/lcr"


@pytest.mark.parametrize(
    ("more", "name", "held"),
    [
        ("", "database.key", "ab" * 32),
        ("", "database.url", "postgresql+psycopg://lcr:hush@db/lcr"),
        ("", "pbx.queue_log", "mysql+pymysql://a:hush@db/asterisk"),
        ("", "alarms.url", "https://alarms.example.org/hush"),
        (TWILIO, "texts.twilio.eu-1.auth_token", "hush"),
        (HTTP, "texts.http.headers.Authorization", "Bearer hush"),
        (HTTP.replace('url = "https://sms.example.org/send"\n', ""), "texts.http.url", "https://sms.example.org/hush"),
        (HTTP.replace('body = "to={to}&text={text}"\n', ""), "texts.http.body", "key=hush&to={to}&text={text}"),
    ],
)
def test_credentials_of_systemd_bear_section_and_key(settings: Path, more: str, name: str, held: str) -> None:
    folder = settings.parent / "credentials"
    put(folder, "pbx.secret", "of systemd")
    put(folder, name, held + "\n")
    settings.write_text(BARE + more, encoding="utf-8")
    loaded = load(settings, {"CREDENTIALS_DIRECTORY": str(folder)})
    assert loaded.pbx.secret == "of systemd"  # noqa: S105
    value: object = loaded.model_dump(by_alias=True)
    for key in name.split("."):
        assert isinstance(value, dict)
        value = value[key]
    assert value == held
    assert "hush" not in repr(loaded)


def test_credentials_of_other_programs_are_not_ours(settings: Path) -> None:
    folder = settings.parent / "credentials"
    put(folder, "tls.pem", "a certificate")
    put(folder, "pbx", "another's")
    assert load(settings, {"CREDENTIALS_DIRECTORY": str(folder), "CALLBACK_PBX__SECRET": "s"}).pbx.secret == "s"  # noqa: S105


def test_a_misspelt_credential_is_a_fault_that_names_it(settings: Path) -> None:
    put(settings.parent / "credentials", "pbx.sceret", "hush")
    told = faults(settings, {"CREDENTIALS_DIRECTORY": str(settings.parent / "credentials")})
    assert "[pbx] sceret: is a credential" in told
    assert "[pbx] secret: is missing" in told
    assert "hush" not in told


@pytest.mark.parametrize("written", ['secret = "hush"', "variable", "credential"])
def test_a_secret_has_one_place(settings: Path, written: str) -> None:
    put(settings.parent / "credentials", "pbx.secret", "hush")
    put(settings.parent, "ami", "hush")
    line = written if "=" in written else ""
    settings.write_text(BARE.replace('username = "lcr"', f'username = "lcr"\nsecret_file = "ami"\n{line}'))
    environ = {"variable": {"CALLBACK_PBX__SECRET": "hush"}}.get(written, {})
    if written == "credential":
        environ["CREDENTIALS_DIRECTORY"] = str(settings.parent / "credentials")
    told = faults(settings, environ)
    assert "[pbx] secret: is written, or in the environment, and comes by" in told
    assert "leave one of them" in told
    assert "hush" not in told


@pytest.mark.parametrize(
    ("held", "told"),
    [
        (None, "cannot be read: No such file"),
        (b"", "it is empty"),
        (b"\n", "it is empty"),
        (b"one\ntwo\n", "on one line"),
        (b"\xff\xfe", "no text"),
        (b"x" * 70_000, "more than 64 KiB"),
    ],
)
def test_a_file_that_holds_no_secret_is_one_fault_with_its_line(settings: Path, held: bytes | None, told: str) -> None:
    if held is not None:
        (settings.parent / "ami").write_bytes(held)
    settings.write_text(BARE.replace('username = "lcr"', 'username = "lcr"\nsecret_file = "ami"\nport = 0'))
    said = faults(settings, {})
    assert f"secret_file {settings.parent}/ami " in said
    assert told in said
    assert "secret: is missing" not in said
    assert "[pbx] port" in said


@pytest.mark.parametrize("written", ['["hush"]', '{a = "hush"}', "7"])
def test_what_is_no_text_beside_a_file_is_a_fault_and_no_traceback(settings: Path, written: str) -> None:
    put(settings.parent, "ami", "hush")
    both = f'username = "lcr"\nsecret_file = "ami"\nsecret = {written}'
    settings.write_text(BARE.replace('username = "lcr"', both))
    told = faults(settings, {})
    assert "[pbx] secret: is written, or in the environment" in told
    assert "hush" not in told


def test_a_byte_order_mark_is_no_part_of_a_secret(settings: Path) -> None:
    (settings.parent / "ami").write_bytes(b"\xef\xbb\xbfhush\r\n")
    settings.write_text(BARE.replace('username = "lcr"', 'username = "lcr"\nsecret_file = "ami"'))
    assert load(settings, {}).pbx.secret == "hush"  # noqa: S105 - a test's


def test_a_section_that_is_none_is_told_as_that(settings: Path) -> None:
    put(settings.parent / "credentials", "alarms.url", "https://alarms.example.org")
    settings.write_text("alarms = 1\n" + BARE)
    environ = {"CREDENTIALS_DIRECTORY": str(settings.parent / "credentials"), "CALLBACK_PBX__SECRET": "s"}
    assert "[alarms]" in faults(settings, environ)


def test_key_file_keeps_its_own_meaning(settings: Path) -> None:
    settings.write_text(BARE + '[database]\nkey_file = "site.key"\n')
    loaded = load(settings, {"CALLBACK_PBX__SECRET": "s"})
    assert (loaded.database.key_file, loaded.database.key) == (settings.parent / "site.key", "")


def test_every_key_that_may_hold_a_secret_is_marked_as_one() -> None:
    words = ("secret", "token", "password", "url", "key", "redis")
    public = {"public_url", "api_url", "tell_number"}
    marked = {keys[-1] if keys[-1] != "*" else keys[-2] for keys in secrets_of(Settings)}
    for section in sections():
        for key in section.keys:
            if any(word in key.name.split("_") for word in words) and key.name not in public | {"key_file"}:
                assert key.name in marked, f"[{section.name}] {key.name}: make it a Secret"
