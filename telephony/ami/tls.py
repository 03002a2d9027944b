"""TLS to a manager: which certificate it must show, and what to do where it shows another.

Nothing is sent before the certificate was found to be right, the secret least of all.
"""

from __future__ import annotations

import asyncio
import hmac
import ssl
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from telephony.errors import TelephonyError


class Untrusted(TelephonyError):
    """Who answers did not prove to be the PBX that is meant; the sentence says what to mend."""


@dataclass(frozen=True, slots=True)
class Tls:
    """What the certificate of a manager must be.

    `ca` is a file with the certificates of who may have signed it; None: whom this machine trusts. `name` is the host
    that it must name; empty: the one that is connected to. With `fingerprint`, the SHA-256 of the certificate itself,
    neither is asked: it is that certificate, or none.
    """

    ca: Path | None = None
    name: str = ""
    fingerprint: str = ""

    def context(self) -> ssl.SSLContext:
        """Make what a connection is made with. It reads files, so that a renewed one is taken the next time."""
        if self.fingerprint:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # the certificate itself is compared
            return context
        try:
            return ssl.create_default_context(cafile=self.ca)
        except OSError as error:  # SSLError is one: a file without certificates
            why = error.strerror if not isinstance(error, ssl.SSLError) else "it holds no certificate (PEM)"
            raise Untrusted(f"tls_ca {self.ca} cannot be read: {why or error}") from error

    def check(self, transport: asyncio.BaseTransport) -> None:
        """Compare the certificate that was shown with the one that is pinned."""
        if not self.fingerprint:
            return  # it was checked by the handshake
        shown = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
        found = sha256(shown or b"").hexdigest()
        if not hmac.compare_digest(found, plain(self.fingerprint)):
            raise Untrusted(
                f"the certificate is not the one that is pinned: its fingerprint is {found}; look on the PBX itself "
                "(openssl x509 -noout -sha256 -fingerprint -in FILE) whether it was renewed, then mend tls_fingerprint"
            )


def plain(fingerprint: str) -> str:
    """Give a fingerprint without colons, in small letters."""
    return fingerprint.replace(":", "").lower()


def why_refused(error: ssl.SSLError, name: str) -> str:
    """Say why no TLS came about with the host of that name, and what to mend."""
    if isinstance(error, ssl.SSLCertVerificationError):
        told = _BY_CODE.get(error.verify_code, f"it is refused: {error.verify_message}")
        return f"the certificate of the PBX is not trusted: {told}".format(name=name)
    if error.reason in _PLAIN:
        return (
            "what answers there speaks no TLS: name the port of tlsbindaddr (mostly 5039) and see tlsenable in "
            "manager.conf, or set tls = false"
        )
    return f"no TLS came about ({error.reason or error}): see tlsenable, tlscertfile and tlsprivatekey in manager.conf"


_NOBODY: Final = (
    "nobody whom this machine trusts has signed it: name the file of who did as tls_ca, or the certificate's own "
    "SHA-256 as tls_fingerprint"
)
_OTHER_NAME: Final = (
    "it does not name {name}: connect by a name that it bears, name that one as tls_name, or have it made anew with "
    "{name} among its subject alternative names"
)
_BY_CODE: Final = {
    9: "it is not valid yet: compare the clocks of this machine and the PBX",
    10: "it has expired: renew it on the PBX, `manager reload`",
    18: f"it signed itself, and {_NOBODY}",
    19: _NOBODY,
    20: _NOBODY,
    21: _NOBODY,
    62: _OTHER_NAME,
    64: _OTHER_NAME,
}
"""By the error numbers of OpenSSL (X509_V_ERR_…)."""
_PLAIN: Final = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL", "HTTP_REQUEST"}
