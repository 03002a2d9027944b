"""TLS to a manager: only who proves to be the PBX that is meant gets the secret; each refusal says what to mend."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from pathlib import Path

import pytest

from telephony.ami.client import Account, Client, Handlers, Limits
from telephony.ami.tls import Tls
from tests.telephony.ami.certificates import Authority, Certificate
from tests.telephony.ami.manager import Ear, Manager, numbered, run, running

QUICK = Limits(connect_timeout_s=3, ping_every_s=0.05, ping_deadline_s=0.2, backoff_s=(0.01, 0.05))


@dataclass(frozen=True, slots=True)
class Site:
    """An authority, and what it signed: sound, for another name, expired; one that another authority signed."""

    authority: Authority
    sound: Certificate
    named: Certificate
    expired: Certificate
    foreign: Certificate


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority(folder)
    other = Authority(folder / "other", "nobody")
    return Site(
        authority,
        authority.sign("127.0.0.1"),
        authority.sign("pbx.example.org"),
        authority.sign("127.0.0.1", days=-1),
        other.sign("127.0.0.1"),
    )


def serving(shown: Certificate | None) -> Manager:
    if shown is None:
        return Manager()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown.file, shown.key)
    return Manager(context)


def client(port: int, ear: Ear, tls: Tls | None, limits: Limits = QUICK) -> Client:
    account = Account("127.0.0.1", port, "lcr", "hunter2", tls)
    return Client(account, Handlers(ear.on_messages, ear.on_up, ear.on_down), limits)


def good_terms(site: Site) -> list[tuple[Certificate, Tls]]:
    return [
        (site.sound, Tls(site.authority.file)),
        (site.named, Tls(site.authority.file, "pbx.example.org")),
        (site.expired, Tls(fingerprint=site.expired.fingerprint)),
        (site.foreign, Tls(fingerprint=site.foreign.fingerprint.replace(":", "").lower())),
    ]


@pytest.mark.parametrize("which", range(4), ids=["ca", "another-name", "pinned-expired", "pinned-foreign"])
def test_it_logs_in_to_who_shows_the_right_certificate_and_hears_events(site: Site, which: int) -> None:
    shown, tls = good_terms(site)[which]

    async def main() -> None:
        ear = Ear()
        async with serving(shown) as manager, running(client(manager.port, ear, tls)):
            peer = await manager.accept()
            login = await peer.log_in()
            assert login.get("Secret") == "hunter2"
            await ear.until(ups=1)
            peer.send(numbered(0, 2000, padding=500))  # more than one record of TLS, and than one read
            await ear.until(heard=2001)
            assert [message.get("Number") for message, _ in ear.heard[1:]] == [str(n) for n in range(2000)]

    run(main())


def bad_terms(site: Site, tmp_path: Path) -> list[tuple[Certificate | None, Tls, str]]:
    empty = tmp_path / "empty.pem"
    empty.write_text("no certificate")
    by_ca = Tls(site.authority.file)
    return [
        (site.named, by_ca, "does not name 127.0.0.1"),
        (site.sound, Tls(site.authority.file, "pbx.example.org"), "does not name pbx.example.org"),
        (site.foreign, by_ca, "name the file of who did as tls_ca"),
        (site.sound, Tls(), "name the file of who did as tls_ca"),
        (site.expired, by_ca, "has expired: renew it"),
        (
            site.sound,
            Tls(fingerprint="ab" * 32),
            f"its fingerprint is {site.sound.fingerprint.replace(':', '').lower()}",
        ),
        (None, by_ca, "speaks no TLS: name the port of tlsbindaddr"),
        (site.sound, Tls(tmp_path / "none.pem"), "cannot be read: No such file"),
        (site.sound, Tls(empty), "it holds no certificate"),
    ]


BAD = ["no-ip-name", "wrong-name", "foreign", "system-cas", "expired", "not-pinned", "plain-port", "no-ca", "no-pem"]


@pytest.mark.parametrize("which", range(len(BAD)), ids=BAD)
def test_who_does_not_prove_it_gets_nothing_and_the_reason_names_the_remedy(
    site: Site, tmp_path: Path, which: int
) -> None:
    shown, tls, told = bad_terms(site, tmp_path)[which]

    async def main() -> None:
        ear = Ear()
        async with serving(shown) as manager, running(client(manager.port, ear, tls)):
            if shown is None:
                (await manager.accept()).send(b"Asterisk Call Manager/11.0.0\r\n")
            await ear.until(downs=2)  # it is tried again, in vain
            assert told in ear.downs[0]
            assert manager.said == b"" or shown is None
            assert b"hunter2" not in manager.said
        assert ear.ups == 0

    run(main())


def test_a_plain_client_on_a_port_of_tls_says_so(site: Site) -> None:
    async def main() -> None:
        ear = Ear()
        limits = Limits(connect_timeout_s=0.2, backoff_s=(0.01, 0.05))
        async with serving(site.sound) as manager, running(client(manager.port, ear, None, limits)):
            await ear.until(downs=1)
            assert "then set tls = true" in ear.downs[0]

    run(main())


def test_a_port_that_says_nothing_is_given_up_in_time(site: Site) -> None:
    async def main() -> None:
        ear = Ear()
        limits = Limits(connect_timeout_s=0.2, backoff_s=(0.01, 0.05))
        async with Manager() as manager, running(client(manager.port, ear, Tls(site.authority.file), limits)):
            await ear.until(downs=1)
            assert "no answer to connecting within 0.2 s" in ear.downs[0]

    run(main())


def test_it_comes_back_by_tls_after_a_loss_and_after_silence(site: Site) -> None:
    async def main() -> None:
        ear = Ear()
        async with serving(site.sound) as manager, running(client(manager.port, ear, Tls(site.authority.file))):
            first = await manager.accept()
            await first.log_in()
            await ear.until(ups=1)
            first.close()
            second = await manager.accept()
            await second.log_in()
            await ear.until(ups=2, downs=1)
            await ear.until(downs=2)  # it answers no ping: half open
            assert "no sign of life" in ear.downs[1]
            third = await manager.accept()
            await third.log_in()
            await ear.until(ups=3)
            await asyncio.sleep(0)

    run(main())
