"""For which host a request is: the public one, or this machine; no name of another's leads here (DNS rebinding)."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def is_loopback(host: str) -> bool:
    """Whether a Host header names this machine itself, at whatever port: no name of another's is resolved to it."""
    try:
        return urlsplit(f"//{host}").hostname in _LOOPBACK
    except ValueError:
        return False


def is_ours(host: str, public_url: str) -> bool:
    """Whether a Host header names this machine, or the host of that address; empty: there is none."""
    public = urlsplit(public_url).netloc
    return is_loopback(host) or (bool(public) and host == public)
