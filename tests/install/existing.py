"""An Asterisk that was there before us, as a Debian of its own has one: user, folders, queue, trunk, one agent."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab import child, fetch
from lab.phone import AGENT_HZ, Carrier, Phone, no_answer
from lab.seat import Seat
from tests.install.bare import Bare, Failed

PLACE: Final = "/srv/asterisk"
"""Where the lab's Asterisk lies in the chroot: bring it there by a bind mount."""
_SITE: Final = Path(__file__).parent / "site"
_MODULES: Final = Path(__file__).parents[2] / "lab" / "conf" / "modules.conf"
_FOLDERS: Final = "/etc/asterisk /var/run/asterisk /var/spool/asterisk /var/lib/asterisk /var/log/asterisk"
_UP_S: Final = 15


@dataclass(frozen=True, slots=True)
class Existing:
    """The running PBX, and where its carrier's calls come from."""

    seat: Seat
    process: subprocess.Popen[bytes]

    def carrier(self) -> Carrier:
        """Set up the outside world behind its trunk."""
        return Carrier(("127.0.0.2", self.seat.phones), ("127.0.0.1", self.seat.sip))

    def agent(self) -> Phone:
        """Set up the phone of its agent, who is away."""
        address = ("127.0.0.11", self.seat.phones)
        return Phone(address, ("127.0.0.1", self.seat.sip), hz=AGENT_HZ, script=no_answer())


@contextmanager
def existing(bare: Bare, tree: fetch.AsteriskTree, folder: Path) -> Iterator[Existing]:
    """Install and start it."""
    seat = Seat.take()
    bare.run("useradd --system --home-dir /var/lib/asterisk --shell /usr/sbin/nologin asterisk")
    _install(bare, tree, seat)
    process = bare.start("runuser -u asterisk -- /usr/sbin/asterisk -f", folder / "asterisk.log")
    try:
        _until_booted(bare, folder / "asterisk.log")
        yield Existing(seat, process)
    finally:
        child.stop(process, 5)
        seat.leave()


def _install(bare: Bare, tree: fetch.AsteriskTree, seat: Seat) -> None:
    def inside(path: Path) -> str:
        return f"{PLACE}/{path.relative_to(tree.prefix)}"

    values = {
        "MODULES": inside(tree.modules),
        "DATA": inside(tree.data),
        "AMI": seat.ami,
        "SIP": seat.sip,
        "PHONES": seat.phones,
        "RTP_FIRST": seat.voice[0],
        "RTP_LAST": seat.voice[1],
    }
    for file in [*_SITE.glob("*.conf"), _MODULES]:
        filled = re.sub(r"@([A-Z_]+)@", lambda found: str(values[found[1]]), file.read_text())
        bare.put(f"/etc/asterisk/{file.name}", filled, 0o640)
    command = " ".join(word.replace(str(tree.prefix), PLACE) for word in tree.command)
    bare.put("/usr/sbin/asterisk", f'#!/bin/sh\nexec {command} "$@"\n', 0o755)
    bare.run(f"mkdir -p {_FOLDERS} /var/log/asterisk/cdr-csv /var/lib/asterisk/moh")
    bare.run(f"chown -R asterisk:asterisk {_FOLDERS} && chmod 750 /etc/asterisk")


def _until_booted(bare: Bare, log: Path) -> None:
    deadline = time.monotonic() + _UP_S
    while True:
        try:
            bare.run("asterisk -rx 'core waitfullybooted'", within_s=_UP_S)
        except Failed as error:
            if time.monotonic() > deadline:
                raise Failed(log.read_text(errors="replace")[-2000:]) from error
            time.sleep(0.2)
        else:
            return
