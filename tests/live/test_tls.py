"""The manager interface of a real Asterisk by TLS: the right certificate is trusted, and no other gets the secret."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from callback.operations import doctor
from callback.operations.doctor import Finding
from lab.asterisk import Asterisk
from lab.phone import Carrier, Phone
from tests.live.desk import CUSTOMER, lose, pause
from tests.live.service import Service
from tests.telephony.ami.certificates import Authority, Certificate

pytestmark = pytest.mark.live


@contextmanager
def showing(pbx: Asterisk, shown: Certificate) -> Iterator[int]:
    """Let the manager listen by TLS, too; give its port."""
    path, port = pbx.run_dir / "etc" / "manager.conf", pbx.ami_port + 3
    before = path.read_text()
    lines = (
        f"tlsenable = yes\ntlsbindaddr = 127.0.0.1:{port}\ntlscertfile = {shown.file}\ntlsprivatekey = {shown.key}\n"
    )
    path.write_text(before.replace("enabled = yes\n", f"enabled = yes\n{lines}", 1))
    pbx.command("manager reload")
    try:
        yield port
    finally:
        path.write_text(before)
        pbx.command("manager reload")


def settings(pbx: Asterisk, folder: Path, port: int, *more: str) -> Service:
    service = Service(pbx, folder, port=port)
    written = service.settings.read_text().replace("[pbx]\n", "\n".join(["[pbx]", "tls = true", *more, ""]))
    service.settings.write_text(written)
    return service


def of_manager(service: Service) -> Finding:
    return next(one for one in doctor.examine(service.settings) if one.what.startswith("manager "))


def test_a_service_that_trusts_the_certificate_hears_calls_and_calls_back(
    pbx: Asterisk, carrier: Carrier, agent: Phone, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    with showing(pbx, authority.sign("127.0.0.1")) as port:
        service = settings(pbx, tmp_path, port, f'tls_ca = "{authority.file}"')
        findings = [(one.level, one.what) for one in doctor.examine(service.settings)]
        assert ("ok", "the manager is reached by TLS, with a certificate for 127.0.0.1") in findings
        with service:
            lose(carrier, service)
            pause(pbx, paused=False)
            customer = carrier.wait_call(CUSTOMER).wait_answered()
            agent.wait_call().wait_answered()
            service.wait("customer-answered")
            customer.hang_up()


@pytest.mark.parametrize(
    ("named", "days", "trusted", "told"),
    [
        ("pbx.example.org", 1, True, "does not name 127.0.0.1"),
        ("127.0.0.1", 1, False, "name the file of who did as tls_ca"),
        ("127.0.0.1", -1, True, "it has expired: renew it on the PBX"),
    ],
    ids=["wrong-name", "unknown-authority", "expired"],
)
def test_a_certificate_that_proves_nothing_is_refused_before_the_login(
    pbx: Asterisk, tmp_path: Path, named: str, days: int, told: str, *, trusted: bool
) -> None:
    authority, other = Authority(tmp_path / "its"), Authority(tmp_path / "another")
    with showing(pbx, authority.sign(named, days=days)) as port:
        service = settings(pbx, tmp_path, port, f'tls_ca = "{(authority if trusted else other).file}"')
        finding = of_manager(service)
        assert finding.level == "fault"
        assert told in finding.what
