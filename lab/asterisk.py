"""A real Asterisk on loopback, with a directory and ports of its own; it ends when this process ends."""

import re
import secrets
import shutil
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from lab import child, fetch, rtp
from lab.console import Console, Reply
from lab.errors import LabError
from lab.fetch import AsteriskTree
from lab.phone import AGENT_HZ, Carrier, Phone, Script
from lab.seat import Seat
from lab.sip import Address

MUSIC_HZ = 350
"""What a waiting caller hears."""

QUEUES: Mapping[str, Sequence[str]] = {"support": ("agent1", "agent2"), "sales": ("agent2",)}

_TEMPLATES = Path(__file__).parent / "conf"
_PRODUCT_DIALPLAN = Path(__file__).parents[1] / "telephony" / "dialplan"
_HOST = "127.0.0.1"
_TRUNKS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "trunk": ("127.0.0.2", {}),
    "watched": ("127.0.0.3", {"rtp_timeout": "2"}),
    "direct": ("127.0.0.4", {"direct_media": "yes"}),
}
"""Carriers: where each sits, and what its endpoint has otherwise than the others."""

_BOOT_S, _STOP_S = 20, 5
_LOCAL = re.compile(r"Local/([0-9]+)@.+")


@dataclass(frozen=True, slots=True)
class Habits:
    """What a site has set otherwise than its Asterisk came: all of it empty is the lab's ordinary PBX.

    `options` are lines of asterisk.conf such as maxcalls, `endpoints` settings in pjsip.conf of agents' phones, such as
    rtp_timeout. A phone that does not reply is given up after `patience_s`, 6.4 at least.
    """

    options: Mapping[str, str] = field(default_factory=dict)
    endpoints: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    patience_s: float = 32


class Asterisk:
    """A running Asterisk; make one with `start`, end it with `close` or as a context manager.

    `ami_port`, `username` and `secret` are for the service, with the least privilege that suffices, `probe_secret` for
    its probe; the lab itself asks by `action` and `command`. Phones sit at `trunks[name]` and `agents[name]`: the
    carrier "trunk", the carrier "watched" whose calls end when no voice comes for 2 s, the carrier "direct" whose voice
    goes past the PBX.
    """

    username = "lcr"

    def __init__(
        self, tree: AsteriskTree, run_dir: Path, agents: Sequence[str], queues: Mapping[str, Sequence[str]]
    ) -> None:
        self.tree = tree
        self.run_dir = run_dir
        self.secret = secrets.token_hex(12)
        self.boot_s = 0.0
        self.probe_secret = secrets.token_hex(12)
        self._lab_secret = secrets.token_hex(12)
        self._queues = queues
        self._seat = Seat.take()
        self._process: subprocess.Popen[bytes] | None = None
        self._console: Console | None = None
        self._one_at_a_time = threading.Lock()
        self.host = _HOST
        self.ami_port = self._seat.ami
        self.sip: Address = (_HOST, self._seat.sip)
        self.trunks: dict[str, Address] = {name: (host, self._seat.phones) for name, (host, _) in _TRUNKS.items()}
        self.agents: dict[str, Address] = {
            name: (f"127.0.0.{11 + place}", self._seat.phones) for place, name in enumerate(agents)
        }
        self.queue_log = run_dir / "log" / "queue_log"
        self.log = run_dir / "log" / "full.log"

    @classmethod
    def start(
        cls,
        run_dir: Path,
        *,
        version: int = 22,
        agents: Sequence[str] = ("agent1", "agent2"),
        queues: Mapping[str, Sequence[str]] = QUEUES,
        variables: Mapping[str, str] | None = None,
        habits: Habits | None = None,
        tree: AsteriskTree | None = None,
    ) -> Self:
        """Write the configuration into `run_dir`, start, and return when it is fully booted.

        `queues` maps names to their members among `agents`; a member Local/17@from-queue/n is agent17 behind a Local
        channel. `variables` become dialplan globals. Raises `NoAsterisk` where none can be had, `LabError` where it
        does not come up.
        """
        tree = tree or fetch.asterisk(version)
        pbx = cls(tree, run_dir, agents, queues)
        try:
            pbx._configure(variables or {}, habits or Habits())
            pbx.boot()
        except BaseException:
            pbx.close()
            raise
        return pbx

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    # Life and death.

    def boot(self) -> None:
        """Start the process and wait until it is fully booted; `boot_s` says how long that took."""
        started = time.monotonic()
        command = [*self.tree.command, "-C", str(self.run_dir / "etc/asterisk.conf"), "-f"]
        with (self.run_dir / "log/console.log").open("ab") as out:
            self._process = child.start(command, out=out, errors=subprocess.STDOUT)
        self._console = self._first_console(started + _BOOT_S)
        self._console.wait_event("FullyBooted", _BOOT_S)
        self.boot_s = time.monotonic() - started

    def stop(self) -> None:
        """Ask it to end (SIGTERM), and make it end if it takes too long. AstDB and ports are kept."""
        if self._process is not None:
            child.stop(self._process, _STOP_S)
        self.kill()

    def kill(self) -> None:
        """End it as a power failure would (SIGKILL). AstDB and ports are kept."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if self._console is not None:
            self._console.close()
            self._console = None

    def restart(self) -> None:
        """Boot again, with the same AstDB, ports and secrets."""
        self.stop()
        self.boot()

    def close(self) -> None:
        """End it for good, quickly."""
        self.kill()
        self._seat.leave()

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Process id of Asterisk itself; raises `LabError` if it does not run."""
        if self._process is None:
            raise LabError("this Asterisk does not run; boot it first.")
        return self._process.pid

    @property
    def memory_mb(self) -> float:
        """Resident memory."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    # What the lab asks of it.

    def action(self, name: str, **headers: str) -> list[Reply]:
        """Ask by AMI, with all rights: the response, then the events that belong to it."""
        if self._console is None:
            raise LabError("this Asterisk does not run; boot it first.")
        with self._one_at_a_time:
            return self._console.action(name, **headers)

    def console(self) -> Console:
        """Open another session with all rights, to listen to everything from now on."""
        return Console(self.ami_port, "lab", self._lab_secret)

    def command(self, line: str) -> str:
        """Ask by a line of Asterisk's command line, such as "queue show support"."""
        return self.action("Command", Command=line)[0].get("Output", "")

    def channels(self) -> list[Reply]:
        """Every channel that is live now."""
        return self.action("CoreShowChannels")[1:-1]

    def wait_quiet(self, timeout_s: float = 20) -> None:
        """Wait until no channel is live; raises `LabError` if some stay."""
        deadline = time.monotonic() + timeout_s
        while live := self.channels():
            if time.monotonic() > deadline:
                raise LabError(f"channels stay after {timeout_s} s: {[one.get('Channel') for one in live]}")
            time.sleep(0.05)

    def carrier(self, trunk: str = "trunk") -> Carrier:
        """Set up the outside world behind that trunk."""
        return Carrier(self.trunks[trunk], self.sip)

    def phone(self, agent: str, script: Script | None = None) -> Phone:
        """Set up the phone of an agent."""
        return Phone(self.agents[agent], self.sip, hz=AGENT_HZ, script=script)

    # How it is set up.

    def _first_console(self, deadline: float) -> Console:
        """Log in as soon as it listens: that our own secret is accepted proves that the Asterisk is ours."""
        while True:
            try:
                return self.console()
            except OSError:
                if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                    said = (self.run_dir / "log/console.log").read_text(errors="replace")[-500:]
                    raise LabError(f"Asterisk did not start; its last words in {self.run_dir}/log: {said}") from None
                time.sleep(0.02)

    def _configure(self, variables: Mapping[str, str], habits: Habits) -> None:
        for name in ("etc", "lib", "run", "log/cdr-csv", "spool", "agi", "music"):
            (self.run_dir / name).mkdir(parents=True, exist_ok=True)
        values = {
            "RUN": str(self.run_dir),
            "MODULES": str(self.tree.modules),
            "DATA": str(self.tree.data),
            "AMI_PORT": str(self.ami_port),
            "LCR_SECRET": self.secret,
            "PROBE_SECRET": self.probe_secret,
            "LAB_SECRET": self._lab_secret,
            "SIP_ADDRESS": _written(self.sip),
            "TRUNKS": "\n".join(
                _endpoint(name, "carrier", self.trunks[name], settings) for name, (_, settings) in _TRUNKS.items()
            ),
            "ASKS_AGAIN_MS": str(int(habits.patience_s * 1000 / 64)),
            "PATIENCE_MS": str(int(habits.patience_s * 1000)),
            "OPTIONS": _lines(habits.options),
            "RTP_FIRST": str(self._seat.voice[0]),
            "RTP_LAST": str(self._seat.voice[1]),
            "AGENTS": "\n".join(
                _agent(name, address, habits.endpoints.get(name, {})) for name, address in self.agents.items()
            ),
            "QUEUES": "\n".join(_queue(name, members) for name, members in self._queues.items()),
            "GLOBALS": _lines(variables),
        }
        for template in _TEMPLATES.glob("*.conf"):
            filled = re.sub(r"@([A-Z_]+)@", lambda found: values[found[1]], template.read_text())
            (self.run_dir / "etc" / template.name).write_text(filled)
        for name in _SILENT:
            (self.run_dir / "etc" / f"{name}.conf").touch()
        for shipped in _PRODUCT_DIALPLAN.rglob("*.conf"):
            shutil.copy(shipped, self.run_dir / "etc")
        probe = self.run_dir / "etc" / "pjsip_lcr_probe.conf"
        probe.write_text(probe.read_text().replace("127.0.0.1:5060", _written(self.sip)))  # as a site does
        (self.run_dir / "music" / "tone.ulaw").write_bytes(b"".join(rtp.tone(MUSIC_HZ)) * 25)


_SILENT = ("acl", "ccss", "cel", "codecs", "pjproject", "queuerules", "stasis", "udptl")
"""Files that Asterisk misses aloud and reads empty."""


def _written(address: Address) -> str:
    return f"{address[0]}:{address[1]}"


def _lines(settings: Mapping[str, str]) -> str:
    return "".join(f"{name} = {value}\n" for name, value in settings.items())


def _agent(name: str, address: Address, settings: Mapping[str, str]) -> str:
    number = 1000 + int(address[0].rpartition(".")[2]) - 10
    return _endpoint(name, "agent", address, {"callerid": f"{name} <{number}>", **settings}, user=f"{name}@")


def _endpoint(name: str, kind: str, address: Address, settings: Mapping[str, str], *, user: str = "") -> str:
    return (
        f"\n[{name}]({kind})\naors = {name}\n{_lines(settings)}"
        f"[{name}]\ntype = aor\ncontact = sip:{user}{_written(address)}\n"
        f"[{name}]\ntype = identify\nendpoint = {name}\nmatch = {address[0]}\n"
    )


def _queue(name: str, members: Sequence[str]) -> str:
    return f"[{name}](desk)\n{''.join(_member(member) for member in members)}"


def _member(member: str) -> str:
    local = _LOCAL.fullmatch(member)
    agent = f"agent{local[1]}" if local else member
    return f"member => {member if local else f'PJSIP/{agent}'},0,{agent},PJSIP/{agent}\n"
