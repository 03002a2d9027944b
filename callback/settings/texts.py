"""The part of the settings about texts: which gateway carries them, and where its callbacks and our page are found."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from phonenumbers import SUPPORTED_REGIONS
from pydantic import Field, field_validator, model_validator

from callback.settings.addresses import host_and_port, place, safe_url
from callback.settings.part import Part
from callback.settings.secrets import Hidden, Secret
from sms.errors import SmsError
from sms.gateway import PAUSE_S
from sms.http import TEXTS_PER_S, BodyForm, check

_PRINTED: Final = re.compile(r"[!-~]+")
_TOKEN: Final = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")  # of RFC 9110
_HEADER: Final = re.compile(r"[ -~]*")
Status = Annotated[int, Field(ge=100, le=599)]


class TwilioAccount(Part):
    """An account of Twilio, and the sender it texts by: a number, or a messaging service."""

    account_sid: Annotated[str, Field(pattern=r"^AC[0-9a-fA-F]{32}$")]  # as the console of Twilio shows it
    auth_token: Annotated[Secret, Field(min_length=1)]  # of the account; also proves its callbacks
    from_: Annotated[str, Field(alias="from", pattern=r"^(\+[1-9][0-9]{6,14}|[0-9A-Za-z ]{3,11})?$")] = (
        ""  # the sender: E.164, or a name
    )
    messaging_service: Annotated[str, Field(pattern=r"^(MG[0-9a-fA-F]{32})?$")] = ""  # or this instead of from
    texts_per_s: Annotated[float, Field(ge=0.5, le=1000)] = (
        10  # by this sender, of all services on this database; a US long code has 1, a toll-free number 3
    )
    api_url: str = "https://api.twilio.com"  # of a region of Twilio, or of a test

    @field_validator("api_url")
    @classmethod
    def _safe(cls, url: str) -> str:
        return safe_url(url)

    @model_validator(mode="after")
    def _one_sender(self) -> TwilioAccount:
        if bool(self.from_) == bool(self.messaging_service):
            raise ValueError("give it either from (a number) or messaging_service (MG…), not both")
        return self

    @property
    def sender(self) -> str:
        """Either of the two."""
        return self.from_ or self.messaging_service


class HttpRequest(Part):
    """A gateway that takes a text as one HTTP request; see sms/http.py."""

    url: Secret  # with {to}, {digits}, {text}, {line} or {ref} where they belong
    body: Secret = ""  # the same for a POST; empty: a GET
    body_form: BodyForm = "form"  # how what is put into the body is escaped
    headers: Annotated[dict[str, str], Hidden()] = Field(default_factory=dict, repr=False)  # as in Authorization
    accepted: Annotated[tuple[Status, ...], Field(min_length=1)] = (200, 201, 202)  # statuses: the text was taken
    accepted_if: str = ""  # an expression that the answer must hold too
    refused_if: str = ""  # and one that says that it was not taken
    ref_in: str = ""  # one with a group: the gateway's name of the text
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 10  # then nobody knows whether it went out
    keep_alive_s: Annotated[float, Field(ge=0, le=60)] = (
        0  # an idle connection is kept so long for the next text; 0: each text has its own
    )
    texts_per_s: Annotated[float, Field(ge=0.5, le=1000)] = TEXTS_PER_S  # by its host, of all services on this database

    @field_validator("url", "body")
    @classmethod
    def _placeholders(cls, template: str) -> str:
        try:
            check(template)
        except SmsError as error:
            raise ValueError(str(error)) from error
        return template

    @field_validator("url")
    @classmethod
    def _absolute(cls, url: str) -> str:
        parts = urlsplit(url)
        if not _PRINTED.fullmatch(url):
            raise ValueError("must hold plain letters alone, and no space: write others as %20")
        if parts.port == 0 or parts.scheme not in {"http", "https"} or not parts.hostname or "{" in parts.netloc:
            raise ValueError(
                "must be a URL whose host is no placeholder: https://sms.example.org/send?to={to}&text={text}"
            )
        return url

    @field_validator("headers")
    @classmethod
    def _one_line_each(cls, headers: dict[str, str]) -> dict[str, str]:
        if any(not _TOKEN.fullmatch(name) or not _HEADER.fullmatch(told) for name, told in headers.items()):
            raise ValueError("must be plain letters on one line, name and value, and a name without blank or bracket")
        return headers

    @field_validator("accepted_if", "refused_if", "ref_in")
    @classmethod
    def _pattern(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from error
        return pattern

    @model_validator(mode="after")
    def _says_what_and_to_whom(self) -> HttpRequest:
        both = self.url + self.body
        if "{text}" not in both or not ("{to}" in both or "{digits}" in both):
            raise ValueError("url or body must hold {text}, and {to} or {digits}")
        if self.ref_in and re.compile(self.ref_in).groups != 1:
            raise ValueError("ref_in must have one group, around the gateway's name of the text")
        return self


class Texts(Part):
    """The gateway that carries texts, and the site's own wording."""

    gateway: Literal["console", "twilio", "http"] = "console"  # the console prints them, and nobody is texted
    templates: Path | None = None  # a folder with the site's own wording, and other languages
    senders: Annotated[int, Field(ge=1, le=500)] = 32  # texts on their way at once; Twilio lets an account have 100
    pause_s: Annotated[float, Field(gt=0, le=60)] = (
        PAUSE_S  # rest of an account that was asked too fast; then 2, 4 … times
    )
    two_way: tuple[str, ...] = ()  # countries (ISO 3166) whose phones can answer, with [web] public_url
    twilio: dict[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")], TwilioAccount] = Field(
        default_factory=dict
    )
    http: HttpRequest | None = None

    @field_validator("two_way")
    @classmethod
    def _known_regions(cls, regions: tuple[str, ...]) -> tuple[str, ...]:
        for region in regions:
            if region not in SUPPORTED_REGIONS:
                raise ValueError(f"'{region}' is no country of ISO 3166, as in US, GB, JP")
        return regions

    @model_validator(mode="after")
    def _described(self) -> Texts:
        if self.gateway == "twilio" and not self.twilio:
            raise ValueError("gateway twilio needs an account: [texts.twilio.main] account_sid, auth_token, from")
        if self.gateway == "http" and self.http is None:
            raise ValueError("gateway http needs [texts.http] url")
        for name, account in self.twilio.items() if self.two_way else ():
            if any(map(str.isalpha, account.from_)):
                why = f"'{account.from_}' of [texts.twilio.{name}] is a name, which nobody can answer"
                raise ValueError(f"two_way needs numbers to answer to: {why}")
        return self


class Web(Part):
    """The web server for Twilio's callbacks and our customers' page: where it listens, and its address from outside."""

    listen: str = ""  # host:port; empty: none
    public_url: str = ""  # what stands before it in the world, a proxy with a certificate

    @field_validator("listen")
    @classmethod
    def _host_and_port(cls, listen: str) -> str:
        return place(listen)

    @field_validator("public_url")
    @classmethod
    def _safe(cls, url: str) -> str:
        if not url:
            return url
        if "_" in (urlsplit(url).hostname or ""):
            raise ValueError("its host must have no underscore: Twilio calls none such")
        return safe_url(url)

    @model_validator(mode="after")
    def _found(self) -> Web:
        if self.listen and not self.public_url:
            raise ValueError("public_url must say how the web server is found from outside: https://texts.example.org")
        return self

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on."""
        return host_and_port(self.listen)
