"""The part of the settings about being watched: where metrics and health checks are served, how logs are written."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import field_validator, model_validator

from callback.settings.addresses import host_and_port, is_this_machine, place
from callback.settings.part import Part
from callback.settings.secrets import Secret

_LEAST: Final = 16  # characters of a token


class Metrics(Part):
    """Metrics for Prometheus, and health checks, of this node: docs/watching.md."""

    listen: str = ""  # host:port of /metrics, /healthz and /readyz; empty: none
    token: Secret = ""  # what a reader sends as Authorization: Bearer …; needed where others than this machine find it

    @field_validator("listen")
    @classmethod
    def _host_and_port(cls, listen: str) -> str:
        return place(listen)

    @field_validator("token")
    @classmethod
    def _long_enough(cls, token: str) -> str:
        if token and (len(token) < _LEAST or not token.isascii() or not token.isprintable() or " " in token):
            raise ValueError(f"must be {_LEAST} characters at least, as `openssl rand -hex 16` prints them")
        return token

    @model_validator(mode="after")
    def _private(self) -> Metrics:
        if self.listen and not self.token and not is_this_machine(self.address[0]):
            raise ValueError(
                "others may read how the site is doing there: listen on 127.0.0.1, or set a token that readers send"
            )
        return self

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on."""
        return host_and_port(self.listen)


class Logs(Part):
    """What stands in the service's lines, its log, `--events-json` and alarms."""

    numbers: Literal["masked", "full"] = "masked"  # what is written there outlives an erasure
    form: Literal["text", "json"] = "text"  # json: each line of the log, and each event, is one object with its ids
