"""Webhooks reach no address inside: not by number, by name, by a name that changes, or by a redirect."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from callback.accounts.webhooks import addresses
from callback.errors import CallbackError
from callback.service.webhooks.sender import Sender
from tests.callback.service.hooks import run

INSIDE = (
    "127.0.0.1", "127.8.9.1", "0.0.0.0",  # noqa: S104 - nothing listens there
    "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
    "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::", "192.0.2.1",
    "fec0::1", "::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b:1::7f00:1", "3fff::1", "5f00::1", "192.88.99.1",
)  # fmt: skip
ODD = (
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.1",
    "0x7f.1",
    "017700000001",
    "127.0.0.1.",
    "\uff11\uff12\uff17.\uff10.\uff10.\uff11",
)
"""Loopback in writings that a system's resolver may know."""


class Names(AbstractResolver):
    """Gives one answer after the other, the last for good."""

    def __init__(self, *answers: str) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Give the next one."""
        del family
        self.asked += 1
        address = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        of = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [ResolveResult(hostname=host, host=address, port=port, family=of, proto=0, flags=0)]

    async def close(self) -> None:
        """Nothing."""


class Trap:
    """A port of this machine, by IPv4 and IPv6, that counts who connects."""

    def __init__(self) -> None:
        self.connections = 0
        self.port = 0

    def take(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        writer.close()


@asynccontextmanager
async def trap() -> AsyncIterator[Trap]:
    made = Trap()
    server = await asyncio.start_server(made.take, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    others = [await asyncio.start_server(made.take, "::1", made.port)] if socket.has_dualstack_ipv6() else []
    try:
        yield made
    finally:
        for one in (server, *others):
            one.close()


@pytest.mark.parametrize("address", INSIDE + ODD)
def test_no_address_inside_is_public(address: str) -> None:
    assert not addresses.is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_others_are(address: str) -> None:
    assert addresses.is_public(address)


@pytest.mark.parametrize("host", [*(f"[{one}]" if ":" in one else one for one in INSIDE), *ODD])
def test_an_address_inside_is_refused_when_it_is_given_and_never_connected_to(host: str) -> None:
    async def main() -> None:
        async with trap() as inside:
            for scheme in ("https", "http"):
                url = f"{scheme}://{host}:{inside.port}/"
                with pytest.raises(CallbackError):
                    addresses.checked(url, ())
                outcome = await Sender((), timeout_s=5).post(url, b"{}", {})
                assert outcome.fault == "not-allowed"
            assert inside.connections == 0

    run(main())


@pytest.mark.parametrize("address", INSIDE)
def test_a_name_that_leads_inside_is_never_connected_to(address: str) -> None:
    async def main() -> None:
        async with trap() as inside:
            names = Names(address.partition("%")[0])
            url = f"https://crm.example.org:{inside.port}/"
            assert addresses.checked(url, ()) == url
            outcome = await Sender((), names, timeout_s=5).post(url, b"{}", {})
            assert (outcome.fault, names.asked, inside.connections) == ("not-allowed", 1, 0)

    run(main())


def test_a_name_that_is_public_once_and_then_inside_is_never_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with trap() as inside:
            names = Names("127.0.0.1", "::1", "127.0.0.1")
            sender = Sender((), names, timeout_s=5)
            outcomes = [await sender.post(f"https://crm.example.org:{inside.port}/", b"{}", {}) for _ in range(3)]
            assert [one.fault for one in outcomes] == ["not-allowed"] * 3
            assert (names.asked, inside.connections) == (3, 0)
            # Positive control: the same port is reached where the settings file allows the name
            allowed = Sender(("crm.example.org",), names, timeout_s=5)
            await allowed.post(f"http://crm.example.org:{inside.port}/", b"{}", {})
            assert inside.connections == 1

    run(main())


def test_the_systems_own_names_of_this_machine_are_never_connected_to() -> None:
    async def main() -> None:
        async with trap() as inside:
            outcome = await Sender((), timeout_s=5).post(f"https://localhost:{inside.port}/", b"{}", {})
            assert (outcome.fault, inside.connections) == ("not-allowed", 0)

    run(main())


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ftp://crm.example.org/", "an address like https"),
        ("https:///path", "an address like https"),
        ("https://crm.example.org:99999/", "an address like https"),
        ("https://crm.example.org/a b", "an address like https"),
        ("https://crm.example.org/#x", "an address like https"),
        ("https://user:secret@crm.example.org/", "no name and password"),
        ("http://crm.example.org/", "begins with https://"),
        ("https://10.1.2.3/", "not one of the public internet"),
        (f"https://crm.example.org/{'x' * 500}", "at most 500"),
    ],
)
def test_what_is_wrong_with_an_address_is_said_without_it(url: str, says: str) -> None:
    with pytest.raises(CallbackError, match=says) as told:
        addresses.checked(url, ())
    assert "secret" not in str(told.value)


def test_a_host_of_the_settings_file_may_be_inside_and_without_a_certificate() -> None:
    for url in ("http://crm.lan:8080/x", "http://10.1.2.3/", "http://[::1]:1/"):
        assert addresses.checked(url, ("crm.lan", "10.1.2.3", "::1")) == url
