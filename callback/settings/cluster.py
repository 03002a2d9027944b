"""The part of the settings about several nodes: what they share beside the database."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, field_validator

from callback.settings.part import Part
from callback.settings.secrets import Secret

REDIS = 6379
"""The port on which it listens if nothing is said."""
SCHEMES = ("redis", "rediss", "unix")
OF_TLS = {"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"}
"""What may stand behind a question mark: a certificate authority of one's own, and a certificate to show."""


class Cluster(Part):
    """Several nodes of one site: what they share beside the database, and how this one is called there."""

    redis: Secret = ""  # redis://:password@host:6379/0, rediss:// (TLS) or unix:///socket; none: nodes ask the database
    node: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{0,64}$")] = ""  # this node's name; none: its host and process

    @property
    def place(self) -> str:
        """Where that Redis is, without its password."""
        parts = urlsplit(self.redis)
        return parts.path if parts.scheme == "unix" else f"{parts.hostname}:{parts.port or REDIS}"

    @field_validator("redis")
    @classmethod
    def _known(cls, url: str) -> str:
        """Check what can be checked without asking it. What is wrong is not quoted: a password may stand there."""
        if url and not _is_address(url):
            raise ValueError(
                "is no address of a Redis: write redis://:password@host:6379/0, rediss:// with TLS, or"
                " unix:///path/to/socket, behind ? nothing but ssl_ca_certs, ssl_certfile and ssl_keyfile;"
                " write : / @ # % in a password as %3A %2F %40 %23 %25"
            )
        return url


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port > 0
        asked = set(parse_qs(parts.query, strict_parsing=bool(parts.query)))
    except ValueError:
        return False
    if asked - (OF_TLS if parts.scheme == "rediss" else set()):
        return False
    path = parts.path.strip("/")
    if parts.scheme == "unix":
        return bool(path)
    return parts.scheme in SCHEMES and bool(parts.hostname) and has_port and (not path or path.isdigit())
