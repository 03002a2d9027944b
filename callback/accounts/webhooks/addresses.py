"""Where webhooks may go: to public hosts by https, and to those of one's own network that the settings file names.

A name is looked at when an endpoint is made, but what counts is the address that is connected to: see `is_public`,
which the sender asks for each connection.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from typing import Final
from urllib.parse import SplitResult, urlsplit

from callback.errors import CallbackError

LONGEST: Final = 500
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_GIVEN_OUT: Final = ipaddress.ip_network("2000::/3")
"""Of IPv6 nothing else belongs to the public internet; what reaches an address of IPv4 is looked at as that one."""
_RESERVED: Final = (ipaddress.ip_network("3fff::/20"), ipaddress.ip_network("192.88.99.0/24"))
"""Of documents, and of what once led to 6to4: the library takes them for public."""
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet. What is no plain address, as 127.1 or 0x7f000001, is not."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return all(map(_is_public, _reached(found)))


def _is_public(address: _Address) -> bool:
    if any(address in network for network in _RESERVED) or address.is_multicast:
        return False
    return address.is_global and (address.version == 4 or address in _GIVEN_OUT)  # noqa: PLR2004 - of the protocol


def _reached(address: _Address) -> list[_Address]:
    """What is reached by an address: itself, or those of IPv4 that stand in one of IPv6."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address in _NAT64:
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    inside = (address.sixtofour, *(address.teredo or ()))
    return [address, *(one for one in inside if one is not None)]


def host_of(url: str) -> str:
    """The host of an endpoint's address, in small letters."""
    return _parts(url).hostname or ""


def checked(url: str, allowed: Collection[str]) -> str:
    """Give an address that may be an endpoint's. CallbackError where it may not; `allowed`: hosts of the settings file.

    It is not quoted: it may hold a secret.
    """
    parts, host = _parts(url), host_of(url)
    plain = url.isascii() and url.isprintable() and " " not in url
    if parts.scheme not in {"http", "https"} or not host or parts.fragment or not plain:
        raise CallbackError("an endpoint is an address like https://crm.example.org/callbacks")
    if len(url) > LONGEST:
        raise CallbackError(f"an address has at most {LONGEST} characters")
    if parts.username is not None or parts.password is not None:
        raise CallbackError("an address has no name and password in it: the signature proves who sends")
    if host in allowed:
        return url
    if parts.scheme != "https":
        raise CallbackError(
            "an address begins with https://; a host of your own network may have http where the settings file names"
            f' it: [webhooks] allowed_hosts = ["{host}"]'
        )
    if _looks_numeric(host) and not is_public(host):
        raise CallbackError(
            "this address is not one of the public internet; a host of your own network must stand in the settings"
            f' file: [webhooks] allowed_hosts = ["{host}"]'
        )
    return url


def _looks_numeric(host: str) -> bool:
    """Whether a host is no name, but an address in whatever writing: no top level domain begins with a digit."""
    return ":" in host or host.rstrip(".").rpartition(".")[2][:1].isdigit()


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is none
    except ValueError:
        return urlsplit("")
    return parts
