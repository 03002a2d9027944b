"""The settings of gateways and of the web server: what is wrong is named, and no secret is shown."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from callback.errors import SettingsError
from callback.settings.sections import Settings, load
from callback.texts.send import gateway_of, two_way_of
from tests.callback.settings.test_sections import LEAST, written
from tests.sms.gateways import sent

SID, SERVICE = f"AC{'1' * 32}", f"MG{'2' * 32}"
TWILIO = f"""
[texts]
gateway = "twilio"
two_way = ["US", "GB"]

[texts.twilio.main]
account_sid = "{SID}"
auth_token = "hush-hush"
from = "+442079460000"

[texts.twilio.sales]
account_sid = "{SID}"
auth_token = "hush-hush"
messaging_service = "{SERVICE}"

[web]
listen = "127.0.0.1:8080"
public_url = "https://texts.example.org/lcr/"

[rules.queues.sales]
text_from = "sales"
"""
HTTP = """
[texts]
gateway = "http"

[texts.http]
url = "https://sms.example.org/send?to={to}"
body = "{text}"
body_form = "plain"
headers = { Authorization = "hush-hush" }
"""


def _load(folder: Path, text: str, environ: dict[str, str] | None = None) -> Settings:
    return load(written(folder, LEAST + text), environ or {})


def test_texts_are_printed_where_no_gateway_is_named(tmp_path: Path) -> None:
    assert gateway_of(_load(tmp_path, ""), io.StringIO()).name == "console"


@pytest.mark.parametrize(("numbers", "shown"), [("masked", "+81…78"), ("full", "+819012345678")])
def test_what_is_printed_has_numbers_as_the_log_has_them(tmp_path: Path, numbers: str, shown: str) -> None:
    stream = io.StringIO()
    gateway = gateway_of(_load(tmp_path, f'[logs]\nnumbers = "{numbers}"\n'), stream)
    sent(gateway, "+819012345678", "We call you back.", "1")
    assert stream.getvalue() == f"text (console, nobody's phone) to {shown}: We call you back.\n"


def test_twilio_is_made_of_its_accounts(tmp_path: Path) -> None:
    settings = _load(tmp_path, TWILIO, {"CALLBACK_TEXTS__TWILIO__MAIN__AUTH_TOKEN": "other"})
    assert gateway_of(settings, io.StringIO()).name == "twilio"
    assert settings.texts.twilio["main"].auth_token == "other"  # noqa: S105
    assert [account.sender for account in settings.texts.twilio.values()] == ["+442079460000", SERVICE]
    assert (settings.web.address, settings.web.public_url) == (("127.0.0.1", 8080), "https://texts.example.org/lcr")
    assert [two_way_of(settings)(number) for number in ("+12125550100", "+819012345678")] == [True, False]


def test_any_other_gateway_is_a_request(tmp_path: Path) -> None:
    settings = _load(tmp_path, HTTP)
    assert gateway_of(settings, io.StringIO()).name == "http"
    assert not two_way_of(settings)("+12125550100")
    assert "hush" not in repr(settings.texts.http)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (f'"{SID}"', '"AC1"', "[texts.twilio.main] account_sid"),
        ('"hush-hush"', '""', "[texts.twilio.main] auth_token"),
        ('from = "+442079460000"', "", "either from (a number) or messaging_service (MG…), not both"),
        ('"+442079460000"', '"+44"', "[texts.twilio.main] from"),
        ('"+442079460000"', '"Acme Ltd"', "'Acme Ltd' of [texts.twilio.main] is a name, which nobody can answer"),
        (f'"{SERVICE}"', '"MG1"', "[texts.twilio.sales] messaging_service"),
        ('["US", "GB"]', '["UK"]', "'UK' is no country of ISO 3166"),
        (
            'text_from = "sales"',
            'text_from = "other"',
            "[rules.queues.sales] text_from is no account of [texts.twilio]",
        ),
        ('"127.0.0.1:8080"', '"8080"', "[web] listen: must be host:port"),
        ('"127.0.0.1:8080"', '"127.0.0.1:70000"', "[web] listen: must be host:port"),
        ("https://texts", "http://texts", "must begin with https://"),
        ("https://texts.example.org/lcr/", "", "[web]: public_url must say how the web server is found from outside"),
        ("texts.example.org", "my_texts.example.org", "its host must have no underscore"),
        ("/lcr/", "/?x=1", "must be a URL without ? and #"),
        ('gateway = "twilio"', 'gateway = "smpp"', "[texts] gateway"),
        ('gateway = "twilio"', 'gateway = "http"', "gateway http needs [texts.http] url"),
    ],
)
def test_a_fault_in_twilio_or_the_door_is_named(tmp_path: Path, old: str, new: str, fault: str) -> None:
    assert old in TWILIO
    with pytest.raises(SettingsError) as told:
        _load(tmp_path, TWILIO.replace(old, new, 1))
    assert fault in str(told.value)
    assert "hush" not in str(told.value)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("{to}", "{number}", "no such placeholder as {number}"),
        ("{to}", "him", "must hold {text}, and {to} or {digits}"),
        ("https://sms.example.org", "https://{to}.example.org", "whose host is no placeholder"),
        ("sms.example.org", "sms.example.org:99999", "Port out of range"),
        ("/send?", "/send it?", "must hold plain letters alone, and no space"),
        ("/send?", "/发送?", "must hold plain letters alone, and no space"),
        ('"hush-hush"', '"hush\\nhush"', "must be plain letters on one line"),
        ('"hush-hush"', '"hush 密"', "must be plain letters on one line"),
        ("{ Authorization", '{ "X-Key (ours)"', "a name without blank or bracket"),
        ('"{text}"', '"pin=hush&text={text}&to={nobody}"', "no such placeholder as {nobody}"),
        ('body_form = "plain"', 'body_form = "yaml"', "[texts.http] body_form"),
        ('body_form = "plain"', 'accepted_if = "("', "is no regular expression"),
        ('body_form = "plain"', 'ref_in = "id"', "ref_in must have one group"),
        ('{ Authorization = "hush-hush" }', '{ Authorization = ["hush-hush"] }', "Authorization"),
        ('gateway = "http"', 'gateway = "twilio"', "gateway twilio needs an account"),
    ],
)
def test_a_fault_in_a_request_is_named(tmp_path: Path, old: str, new: str, fault: str) -> None:
    assert old in HTTP
    with pytest.raises(SettingsError) as told:
        _load(tmp_path, HTTP.replace(old, new, 1))
    assert fault in str(told.value)
    assert "hush" not in str(told.value)
