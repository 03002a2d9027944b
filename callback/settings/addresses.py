"""Addresses in the settings: where a server of ours listens, and how it is found from outside."""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

_LISTEN: Final = re.compile(r"(\[[0-9a-fA-F:]+\]|[^:\s]+):([0-9]{1,5})")
_TOP_PORT: Final = 65535


def place(listen: str) -> str:
    """Give host:port as it is written; empty is nowhere. ValueError where it is neither."""
    told = _LISTEN.fullmatch(listen)
    if listen and (told is None or not 0 < int(told.group(2)) <= _TOP_PORT):
        raise ValueError("must be host:port, as in 127.0.0.1:8080")
    return listen


def host_and_port(listen: str) -> tuple[str, int]:
    """Take host:port apart."""
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)


def is_this_machine(host: str) -> bool:
    """Whether only programs of this machine find that host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def safe_url(url: str) -> str:
    """Give a URL without a stroke at its end. ValueError unless what is said there is safe from others on the way.

    That is https, or a machine that is this one.
    """
    parts = urlsplit(url)
    if not parts.hostname or parts.scheme not in {"http", "https"} or parts.query or parts.fragment:
        raise ValueError("must be a URL without ? and #: https://texts.example.org")
    if parts.scheme == "http" and not is_this_machine(parts.hostname):
        raise ValueError("must begin with https:// (http only on this machine itself)")
    return url.rstrip("/")
