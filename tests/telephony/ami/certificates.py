"""An authority of a test's own, and certificates that it signs: by openssl, as a site makes them."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Certificate:
    """Two files in PEM, as `tlscertfile` and `tlsprivatekey` name them."""

    file: Path
    key: Path

    @property
    def fingerprint(self) -> str:
        said = openssl("x509", "-noout", "-sha256", "-fingerprint", "-in", str(self.file))
        return said.partition("=")[2].strip()


class Authority:
    """Signs certificates; `file` is what who trusts it names as its CA."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        own = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
        self.file, self._key = own.file, own.key
        subject = ("-subj", f"/CN={name}", "-keyout", str(own.key), "-out", str(own.file), "-days", "2")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", *subject)

    def sign(self, named: str, *, days: int = 1) -> Certificate:
        """Give a certificate for a host or an address; one of fewer than no days has expired."""
        label = re.sub(r"\W", "-", f"{named}{days}")
        made = Certificate(self._folder / f"{label}.pem", self._folder / f"{label}.key")
        request, extensions = self._folder / f"{label}.csr", self._folder / f"{label}.ext"
        subject = ("-subj", "/CN=pbx", "-keyout", str(made.key), "-out", str(request))
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", *subject)
        kind = "IP" if re.fullmatch(r"[0-9.]+", named) else "DNS"
        extensions.write_text(f"subjectAltName = {kind}:{named}\nbasicConstraints = CA:FALSE\n")
        by = ("-CA", str(self.file), "-CAkey", str(self._key), "-CAcreateserial", "-extfile", str(extensions))
        openssl("x509", "-req", "-in", str(request), "-out", str(made.file), "-days", str(days), *by)
        return made


def openssl(*arguments: str) -> str:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
