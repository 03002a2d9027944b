"""The probe's own settings file, with no code of the service's: what is broken there must not blind the probe."""

from __future__ import annotations

import os
import re
import tomllib
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from callback.errors import SettingsError

DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
SECRETS: Final = {
    "LCR_PROBE_SECRET": ("pbx", "secret"),
    "LCR_PROBE_AUTH_TOKEN": ("texts", "auth_token"),
    "LCR_PROBE_API_TOKEN": ("api", "token"),
}
"""Variables of the environment that stand for a secret in the file."""

_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.@/:+-]{1,200}")
_DAY_S: Final = 24 * 3600
Seconds = Annotated[float, Field(gt=0, le=24 * 3600)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Pbx(_Section):
    """The manager interface, and the user of manager_lcr_probe.conf."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 5038
    username: str = "lcr-probe"
    secret: SecretStr
    timeout_s: Seconds = 10  # of one conversation with it


class Call(_Section):
    """The call that the probe makes."""

    numbers: Annotated[tuple[str, ...], Field(min_length=1)]  # ours, E.164: the texts go there; taken in turn
    a_day: Annotated[int, Field(ge=1, le=100)] = (
        5  # of each: [rules] rings_a_day and texts_a_day of the service allow so many
    )
    dial: str = "PJSIP/lcr-probe@lcr-probe-out"
    waits_s: Annotated[int, Field(ge=2, le=290)] = 15  # before it gives up: longer than short_abandon_s and one_ring_s
    talks_s: Annotated[int, Field(ge=1, le=290)] = 15  # at the callback: longer than reached_after_s

    @field_validator("numbers")
    @classmethod
    def _in_e164(cls, numbers: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [number for number in numbers if not _E164.fullmatch(number)]:
            raise ValueError(f"{', '.join(wrong)}: write it in E.164, as in +12125550123")
        return numbers

    @field_validator("dial")
    @classmethod
    def _plain(cls, dial: str) -> str:
        if not _PLAIN.fullmatch(dial):
            raise ValueError("holds a character that a dialplan reads as more than a value")
        return dial


class Expect(_Section):
    """By when the service must have done what."""

    found_within_s: Seconds = 60  # after the probe gave up; asked of the API alone
    texted_within_s: Seconds = 180  # after it gave up
    called_within_s: Seconds = 300  # after the pretend agent was free


class Hours(_Section):
    """When the probe may call: outside of it the service calls nobody, and the probe would prove nothing."""

    zone: str = "UTC"
    begin: time = Field(time(9), alias="from")
    until: time = time(18)
    days: tuple[Day, ...] = DAYS[:5]

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"there is no zone {zone}: write one as in Europe/Berlin") from error
        return zone

    @model_validator(mode="after")
    def _some(self) -> Hours:
        if self.begin >= self.until:
            raise ValueError("from must be before until, on one day")
        return self

    @property
    def seconds(self) -> int:
        """How long it may call on a day."""
        begin, until = ((at.hour * 60 + at.minute) * 60 + at.second for at in (self.begin, self.until))
        return until - begin


class Texts(_Section):
    """Where the gateway itself says which texts went to our number: at Twilio, in a file, or at a URL."""

    watch: Literal["twilio", "file", "url", "nothing"] = "nothing"
    account_sid: str = ""
    auth_token: SecretStr = SecretStr("")
    api_url: str = "https://api.twilio.com"
    file: Path | None = None
    url: str = ""
    holds: str = ""  # an expression with {number} or {digits}: found more often than before the call, it is a text
    timeout_s: Seconds = 15

    @model_validator(mode="after")
    def _whole(self) -> Texts:
        needed: dict[str, dict[str, object]] = {
            "twilio": {"account_sid": self.account_sid, "auth_token": self.auth_token.get_secret_value()},
            "file": {"file": self.file, "holds": self.holds},
            "url": {"url": self.url, "holds": self.holds},
            "nothing": {},
        }
        if missing := [key for key, value in needed[self.watch].items() if not value]:
            raise ValueError(f'watch = "{self.watch}" needs {" and ".join(missing)}')
        for key, address in {"api_url": self.api_url, "url": self.url}.items():
            if address and not address.startswith(("https://", "http://")):
                raise ValueError(f"{key} must begin with https:// (or http://)")
        try:
            re.compile(self.holds.replace("{number}", "").replace("{digits}", ""))
        except re.error as error:
            raise ValueError(f"holds is no regular expression: {error}") from error
        return self


class Api(_Section):
    """The service's own API, with a token that may read reservations: says sooner that it was not found."""

    url: str = ""  # as in http://127.0.0.1:8090/api/v1; empty: not asked
    token: SecretStr = SecretStr("")
    queue: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,80}$")] = "lcr-probe"
    timeout_s: Seconds = 10

    @model_validator(mode="after")
    def _whole(self) -> Api:
        if self.url and not self.url.startswith(("https://", "http://")):
            raise ValueError("url must begin with https:// (or http://)")
        if self.url and not self.token.get_secret_value():
            raise ValueError("url needs a token: callback token add probe --scope reservations:read")
        return self


class Alarms(_Section):
    """Who is told what is not ok: a program, a URL, or both; each gets one JSON object."""

    command: tuple[str, ...] = ()
    url: str = ""
    timeout_s: Seconds = 10

    @field_validator("url")
    @classmethod
    def _web(cls, url: str) -> str:
        if url and not url.startswith(("https://", "http://")):
            raise ValueError("must begin with https:// (or http://)")
        return url


class Settings(_Section):
    """The whole file."""

    pbx: Pbx
    call: Call
    expect: Expect = Expect()
    hours: Hours = Hours.model_validate({})
    texts: Texts = Texts()
    api: Api = Api()
    alarms: Alarms = Alarms()

    def least_every_s(self) -> float:
        """How often it may call at most, so that each number is called no more than `a_day` times a day."""
        calls = len(self.call.numbers) * self.call.a_day
        return min(self.hours.seconds, _DAY_S) / calls


def load(file: Path) -> Settings:
    """Read the file; SettingsError says every fault with its key."""
    try:
        with file.open("rb") as opened:
            written = tomllib.load(opened)
    except OSError as error:
        reason = f"{error.strerror}: write it (docs/probe.md), or name another by --settings"
        raise SettingsError(str(file), [reason]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(str(file), [f"no TOML: {error}"]) from error
    try:
        return Settings.model_validate(_with_secrets(written))
    except ValidationError as error:
        raise SettingsError(str(file), [_said(fault) for fault in error.errors()]) from error


def _with_secrets(written: dict[str, Any]) -> dict[str, Any]:
    """Put in the secrets that the environment holds."""
    for variable, (section, key) in SECRETS.items():
        if (value := os.environ.get(variable)) and isinstance(written.setdefault(section, {}), dict):
            written[section][key] = value
    return written


def _said(fault: Any) -> str:  # noqa: ANN401 - as pydantic gives it
    section, *key = [str(part) for part in fault["loc"]]
    place = f"[{section}]" + "".join(f" {part}" for part in key[:1])
    if fault["type"] == "missing":
        variable = next((name for name, where in SECRETS.items() if [section, *key] == list(where)), None)
        return f"{place}: must be written" + (f", or {variable} be set in the environment" if variable else "")
    if fault["type"] == "extra_forbidden":
        return f"{place}: no such key (docs/probe.md has all of them)"
    return f"{place}: {fault['msg'].removeprefix('Value error, ')}"
