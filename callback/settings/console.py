"""The part of the settings about the console: where it listens, how a browser finds it, and what it may take."""

from __future__ import annotations

import ipaddress
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from callback.settings.addresses import host_and_port, is_this_machine, place, safe_url
from callback.settings.part import Part


class Console(Part):
    """The console, in which people watch over callbacks and decide: where it listens, and its address in a browser."""

    listen: str = ""  # host:port; empty: none
    public_url: str = ""  # as a browser finds it, by a proxy with a certificate; none: only on this machine
    trusted_proxies: tuple[str, ...] = ()  # addresses of that proxy; of others X-Forwarded-For is not believed
    memory_max_mb: Annotated[int, Field(ge=256, le=65536)] = 1024  # beyond it the console ends, and is begun again

    @field_validator("listen")
    @classmethod
    def _host_and_port(cls, listen: str) -> str:
        return place(listen)

    @field_validator("public_url")
    @classmethod
    def _safe(cls, url: str) -> str:
        if url and urlsplit(url).path.strip("/"):
            raise ValueError("must have no path, for the console has all of a host: https://console.example.org")
        return safe_url(url) if url else url

    @field_validator("trusted_proxies")
    @classmethod
    def _known_places(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            try:
                ipaddress.ip_network(proxy)
            except ValueError as error:
                raise ValueError(
                    f"'{proxy}' is no address, as in 127.0.0.1, and no network, as in 10.0.0.0/8"
                ) from error
        return proxies

    @model_validator(mode="after")
    def _private(self) -> Console:
        if self.listen and not self.is_https and not is_this_machine(self.address[0]):
            raise ValueError(
                "others may read what is sent to it there: listen on 127.0.0.1, put a proxy with a certificate"
                ' before it, and name its address: public_url = "https://console.example.org"'
            )
        return self

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on."""
        return host_and_port(self.listen)

    @property
    def url(self) -> str:
        """Give its address as it is typed into a browser."""
        return self.public_url or f"http://{self.listen}"

    @property
    def is_https(self) -> bool:
        """Whether browsers speak to it by https alone."""
        return self.public_url.startswith("https://")
