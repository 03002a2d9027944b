"""A bare Debian in a folder: what a newcomer's machine has, and no more. It ends with this process, and leaves nothing.

What debootstrap brought is kept in the cache of the lab. Each use lays a layer in memory over it (overlayfs), in a
mount and a process namespace of its own: to end its first process ends all of it. The network is this machine's.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab import child, fetch
from lab.errors import LabError

ENVIRONMENT: Final = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
}
_PIP_KEYS: Final = ("index-url", "extra-index-url", "proxy", "trusted-host", "timeout", "cert")
_APT_KEYS: Final = ("Acquire::Check", "Acquire::http", "Acquire::https::Proxy", "Acquire::Retries")
_UP_S: Final = 20
_MOST: Final = "6g"
"""Of memory for what is written in one: it is gone with its namespace."""


class Failed(Exception):
    """A command ended with another status than 0; the sentence holds its last words."""


@dataclass(frozen=True, slots=True)
class Bare:
    """A running one: its first process as this machine numbers it, and its root as that process sees it."""

    pid: int
    root: Path

    def run(self, commands: str, *, within_s: float = 300, cwd: str = "/root") -> str:
        """Run lines of a shell, stop at the first that fails, and give what they printed."""
        script = f"set -eu\ncd {cwd}\n{commands}"
        try:
            done = subprocess.run(
                [*self.enter(), "bash", "-c", script],
                capture_output=True,
                text=True,
                check=False,
                timeout=within_s,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired as error:
            raise Failed(f"not done within {within_s} s: {commands}\n{error.stdout!r}") from error
        if done.returncode != 0:
            raise Failed(f"status {done.returncode} of\n{commands}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        return done.stdout + done.stderr

    def start(self, command: str, out: Path) -> subprocess.Popen[bytes]:
        """Start something that goes on; what it prints goes to a file of this machine."""
        with out.open("ab") as file:
            return child.start([*self.enter(), "bash", "-c", f"exec {command}"], out=file, errors=subprocess.STDOUT)

    def put(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file as somebody in it would."""
        held = subprocess.run(
            [*self.enter(), "sh", "-c", f"mkdir -p {Path(path).parent} && cat > {path} && chmod {mode:o} {path}"],
            input=text,
            text=True,
            capture_output=True,
            check=False,
        )
        if held.returncode != 0:
            raise Failed(held.stderr)

    def enter(self) -> list[str]:
        """Give the command before which another runs in it."""
        given = [f"{name}={value}" for name, value in ENVIRONMENT.items()]
        namespaces = ["/usr/bin/nsenter", "--target", str(self.pid), "--mount", "--pid"]
        return [*namespaces, "/usr/sbin/chroot", str(self.root), "env", "-i", *given]


@contextmanager
def debian(folder: Path, binds: dict[Path, str], *, say: fetch.Say = print) -> Iterator[Bare]:
    """Have one, with folders of this machine at places of its own. Raises LabError where none can be had."""
    base = _base(say)
    root, layer = folder / "root", folder / "layer"
    for each in (root, layer):
        each.mkdir(parents=True)
    script = [f"mount -t tmpfs -o size={_MOST} tmpfs {layer}", f"mkdir {layer}/upper {layer}/work"]
    script += [f"mount -t overlay overlay -o lowerdir={base},upperdir={layer}/upper,workdir={layer}/work {root}"]
    script += [f"mount -t proc proc {root}/proc", f"mount --rbind /dev {root}/dev", f"mount -t tmpfs tmpfs {root}/tmp"]
    script += [f"mkdir -p {root}{place} && mount --bind {ours} {root}{place}" for ours, place in binds.items()]
    script += [f"exec chroot {root} sleep infinity"]
    log = folder / "namespace.log"
    unshare = ["/usr/bin/unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"]
    with log.open("ab") as out:
        holder = child.start([*unshare, "sh", "-ec", "\n".join(script)], out=out, errors=subprocess.STDOUT)
    try:
        bare = Bare(_first_process(holder, log), root)
        _configure(bare)
        yield bare
    finally:
        child.stop(holder, 5)


def _first_process(holder: subprocess.Popen[bytes], log: Path) -> int:
    """Wait until the first process in it is the one that only sleeps, and give its id on this machine."""
    deadline = time.monotonic() + _UP_S
    children = Path(f"/proc/{holder.pid}/task/{holder.pid}/children")
    while holder.poll() is None and time.monotonic() < deadline:
        for pid in children.read_text().split():
            if Path(f"/proc/{pid}/comm").read_text().strip() == "sleep":
                return int(pid)
        time.sleep(0.02)
    raise LabError(f"no chroot of its own can be made here: {log.read_text(errors='replace')[-500:]}")


def _base(say: fetch.Say) -> Path:
    """Have the base system of this machine's own suite, from its own mirror, made once."""
    if os.geteuid() != 0:
        raise LabError("only root can make a chroot. Run this test as root.")
    suite = fetch.own_suite()
    tool = fetch.unpack(["debootstrap"], into=fetch.cache() / "debootstrap", say=say)
    into = fetch.cache() / f"debian-{suite}"
    with fetch.made_once(into) as room:
        if room is not None:
            say(f"fetching a bare Debian {suite} (once, about a minute) ...")
            _bootstrap(tool, suite, room)
    return into


def _bootstrap(tool: Path, suite: str, room: Path) -> None:
    done = subprocess.run(
        [str(tool / "usr/sbin/debootstrap"), "--variant=minbase", suite, str(room), fetch.mirror()],
        env={**os.environ, "DEBOOTSTRAP_DIR": str(tool / "usr/share/debootstrap")},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise LabError(f"debootstrap failed: {done.stdout[-300:]} Look at the network and apt's sources.")


def _configure(bare: Bare) -> None:
    """Let it reach what this machine reaches: names, certificates, mirrors, as this machine's own settings say."""
    bare.put("/etc/resolv.conf", Path("/etc/resolv.conf").read_text())
    bare.put("/etc/apt/apt.conf.d/99walk", "\n".join([*_apt_lines(), 'APT::Get::Assume-Yes "true";']) + "\n")
    pip = dict(_pip_settings())
    if cert := pip.get("cert"):
        bare.put("/etc/walk-ca.pem", Path(cert).read_text())
        pip["cert"] = "/etc/walk-ca.pem"
    bare.put("/etc/pip.conf", "[global]\n" + "".join(f"{key} = {value}\n" for key, value in pip.items()))


def _apt_lines() -> list[str]:
    said = _output(["apt-config", "dump"]).splitlines()
    return [line for line in said if line.startswith(_APT_KEYS) and not line.endswith('"";')]


def _pip_settings() -> Iterator[tuple[str, str]]:
    for line in _output(["python3", "-m", "pip", "config", "list"]).splitlines():
        told = re.fullmatch(r"(?:global|:env:)\.([\w-]+)='(.*)'", line)
        if told and told[1] in _PIP_KEYS and "file:" not in told[2]:
            yield told[1], told[2]


def _output(command: Sequence[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
