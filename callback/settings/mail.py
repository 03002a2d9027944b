"""The part of the settings about mail: the server that takes letters to departments."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator, model_validator

from callback.settings.addresses import is_this_machine
from callback.settings.part import Part
from callback.settings.secrets import Secret

_ADDRESS: Final = re.compile(r"[^@\s<>,;:\"]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_HOST: Final = re.compile(r"[A-Za-z0-9.:-]{1,253}")


class Mail(Part):
    """The mail server that takes letters to departments: docs/care.md."""

    host: str = ""  # of the mail server; empty: no letter is sent, and each is an alarm
    port: Annotated[int, Field(ge=1, le=65_535)] = 587  # by tls mostly 465
    security: Literal["starttls", "tls", "none"] = "starttls"  # none only where the server is this machine
    user: str = ""  # empty: without signing in
    password: Secret = ""
    from_: Annotated[str, Field(alias="from")] = ""  # the address that letters come from
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 20  # of each step of a conversation with it

    @field_validator("host")
    @classmethod
    def _plain(cls, host: str) -> str:
        if host and not _HOST.fullmatch(host):
            raise ValueError(f"'{host}' is no host: mail.example.org")
        return host

    @field_validator("from_")
    @classmethod
    def _address(cls, address: str) -> str:
        if address and not _ADDRESS.fullmatch(address):
            raise ValueError(f"'{address}' is no mail address: care@example.org")
        return address

    @model_validator(mode="after")
    def _whole(self) -> Mail:
        if self.host and not self.from_:
            raise ValueError("from must say which address letters come from: care@example.org")
        if bool(self.user) != bool(self.password):
            raise ValueError("user and password belong together: write both, or neither")
        if self.host and self.security == "none" and not is_this_machine(self.host):
            raise ValueError('security = "none" is for a server on this machine alone: write starttls or tls')
        return self
