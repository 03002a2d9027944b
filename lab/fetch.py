"""Debian packages beside the system: without root, without touching the machine's own packages.

The mirror and its key are the ones this machine already uses. What was unpacked is kept under
`${XDG_CACHE_HOME:-~/.cache}/lost-call-recovery/`, so it is fetched once.
"""

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError, NoAsterisk

__all__ = [
    "AsteriskTree",
    "LabError",
    "NoAsterisk",
    "asterisk",
    "cache",
    "made_once",
    "mirror",
    "own_suite",
    "unpack",
]

Say = Callable[[str], None]

SUITES = {22: "forky", 16: "bullseye"}
"""The Debian suites that carry an Asterisk; Debian 12 and 13 have none."""

_ENOUGH = {
    22: "asterisk asterisk-modules asterisk-core-sounds-en-gsm libbsd0 libc6 libcap2 libcrypt1 libedit2 "
    "libgcc-s1 libgsm1 libjansson4 libmd0 libsqlite3-0 libssl3t64 libstdc++6 libsystemd0 libtinfo6 "
    "liburiparser1 libuuid1 libxml2-16 libxslt1.1 libzstd1 zlib1g",
    16: "asterisk asterisk-modules asterisk-core-sounds-en-gsm libbsd0 libc6 libcap2 libcrypt1 libedit2 "
    "libgcc-s1 libgcrypt20 libgpg-error0 libgsm1 libicu67 libjansson4 liblz4-1 liblzma5 libmd0 libsqlite3-0 "
    "libssl1.1 libstdc++6 libsystemd0 libtinfo6 liburiparser1 libuuid1 libxml2 libxslt1.1 libzstd1 zlib1g",
}
"""What the lab's modules link to, measured with `ld.so --list`: 20 MB where the whole closure is 70."""

_NEVER_MIND_AGAIN_S = 60
"""A fetch that failed is not tried again for so long: test workers wait for one failure, not four."""

_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_DPKG_STATUS = Path("/var/lib/dpkg/status")


@dataclass(frozen=True, slots=True)
class AsteriskTree:
    """An Asterisk that can be started: `command` plus options; its settings name `modules` and `data`."""

    version: str
    prefix: Path
    binary: Path
    modules: Path
    data: Path
    loader: Path | None = None
    library_path: str = ""

    @property
    def command(self) -> list[str]:
        """Argument vector of the real binary: to be exec'd, so that the pid is Asterisk's own."""
        if self.loader is None:
            return [str(self.binary)]
        return [str(self.loader), "--library-path", self.library_path, str(self.binary)]


def cache() -> Path:
    """Where the lab keeps what it fetched."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lost-call-recovery"


def unpack(packages: Sequence[str], *, suite: str | None = None, into: Path, say: Say = print) -> Path:
    """Have `packages` and what they need unpacked under `into`, and return it; at once if it is there.

    `suite` names a Debian suite and brings the whole dependency closure, C library included. None is the
    machine's own suite and brings only what the machine lacks. Raises `LabError` with the remedy.
    """
    with made_once(into) as room:
        if room is not None:
            say(f"fetching {', '.join(packages)} from the Debian suite {suite or own_suite()} (once) ...")
            started = time.monotonic()
            with _Apt.private(suite) as apt:
                _extract(apt.closure(packages), room)
            say(f"unpacked in {time.monotonic() - started:.1f} s")
    return into


def asterisk(version: int = 22, *, say: Say = print) -> AsteriskTree:
    """Have an Asterisk of this major version: the machine's own if it is that, else fetched from Debian.

    Raises `NoAsterisk` where none can be had: no apt, no network, not Debian.
    """
    own = _installed()
    if own is not None and own.version.startswith(f"{version}."):
        return own
    into = cache() / f"asterisk-{version}"
    try:
        with made_once(into) as room:
            if room is not None:
                _fetch_asterisk(version, room, say)
    except LabError as error:
        if own is not None:
            say(f"{error} Using Asterisk {own.version} of this machine instead.")
            return own
        raise NoAsterisk(f"No Asterisk {version}: {error}") from error
    return _tree(into)


def _fetch_asterisk(version: int, room: Path, say: Say) -> None:
    suite = SUITES.get(version)
    if suite is None:
        raise LabError(f"the lab knows where to find versions {sorted(SUITES)}; ask for one of them.")
    say(f"fetching Asterisk {version} from the Debian suite {suite} (once, about 20 MB) ...")
    started = time.monotonic()
    with _Apt.private(suite) as apt:
        try:
            _extract(apt.only(_ENOUGH[version].split()), room)
            _link_sounds(room)
            _tree(room)
        except LabError:  # the suite moved on: its libraries have other names by now
            say("the short list of packages does not suffice any more; fetching all they depend on ...")
            _extract(apt.closure(["asterisk", "asterisk-modules", "asterisk-core-sounds-en-gsm"]), room)
            _link_sounds(room)
    found = _tree(room).version
    say(f"Asterisk {found} is ready for the lab ({time.monotonic() - started:.1f} s)")


def _link_sounds(prefix: Path) -> None:
    """Make the link that Debian's post-install step would make."""
    english = prefix / "usr/share/asterisk/sounds/en"
    if not english.is_symlink():
        english.symlink_to("en_US_f_Allison")


def _tree(prefix: Path) -> AsteriskTree:
    """Describe the Asterisk under `prefix`; raises `LabError` if it cannot run with all its libraries."""
    loader = _first(prefix, "usr/lib64/ld-linux*.so.*", "lib/*-linux-gnu/ld-linux*.so.*", "usr/lib/ld-linux*.so.*")
    roots = [*prefix.glob("usr/lib/*-linux-gnu"), prefix / "usr/lib", *prefix.glob("lib/*-linux-gnu")]
    libraries = ":".join(str(root) for root in roots if root.is_dir())
    binary = prefix / "usr/sbin/asterisk"
    modules = _first(prefix, "usr/lib/*-linux-gnu/asterisk/modules", "usr/lib/asterisk/modules")
    command = [str(loader), "--library-path", libraries]
    for linked in (binary, *(modules / name for name in _wanted_modules())):
        if "not found" in _output([*command, "--list", str(linked)]):
            raise LabError(f"{linked.name} lacks a library. Remove {prefix} and fetch again.")
    version = _output([*command, str(binary), "-V"]).removeprefix("Asterisk ").strip()
    data = prefix / "usr/share/asterisk"
    return AsteriskTree(version, prefix, binary, modules, data, loader, libraries)


def _wanted_modules() -> list[str]:
    """Modules of the lab that link to libraries of their own."""
    return [
        "res_pjproject.so",
        "res_pjsip.so",
        "res_rtp_asterisk.so",
        "chan_pjsip.so",
        "app_queue.so",
        "codec_gsm.so",
    ]


def _installed() -> AsteriskTree | None:
    """Describe the machine's own Asterisk, if there is one whose modules can be found."""
    found = shutil.which("asterisk")
    if found is None:
        return None
    modules = [
        *Path("/usr/lib").glob("*-linux-gnu/asterisk/modules"),
        *Path("/usr").glob("lib*/asterisk/modules"),
    ]
    data = [path for path in map(Path, ("/usr/share/asterisk", "/var/lib/asterisk")) if (path / "sounds").is_dir()]
    version = _output([found, "-V"]).removeprefix("Asterisk ").strip()
    if not modules or not data or not version:
        return None
    return AsteriskTree(version, Path("/"), Path(found), modules[0], data[0])


def _first(prefix: Path, *patterns: str) -> Path:
    for pattern in patterns:
        for path in sorted(prefix.glob(pattern)):
            if path.exists():
                return path
    raise LabError(f"{prefix} holds no {patterns[0]}. Remove {prefix} and fetch again.")


@contextmanager
def made_once(into: Path) -> Iterator[Path | None]:
    """Yield an empty room that becomes `into` when the block succeeds, or None where `into` is there already.

    One process at a time: the others wait, then find it made. A failure is remembered for a minute.
    """
    into.parent.mkdir(parents=True, exist_ok=True)
    failed = into.with_name(into.name + ".failed")
    with into.with_name(into.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if into.is_dir():
            yield None
            return
        if failed.exists() and time.time() - failed.stat().st_mtime < _NEVER_MIND_AGAIN_S:
            raise LabError(failed.read_text())
        room = into.with_name(into.name + ".part")
        shutil.rmtree(room, ignore_errors=True)  # of somebody who was killed
        room.mkdir()
        try:
            yield room
            room.rename(into)
            failed.unlink(missing_ok=True)
        except LabError as error:
            failed.write_text(str(error))
            os.utime(failed, (now := time.time(), now))  # by the clock that will read it: a mount may have its own
            raise
        finally:
            shutil.rmtree(room, ignore_errors=True)


class _Apt:
    """apt with directories of its own: it reads the machine's mirror, key and proxy, and writes none."""

    def __init__(self, home: Path, options: dict[str, str]) -> None:
        self._home = home
        self._options = options

    @classmethod
    @contextmanager
    def private(cls, suite: str | None) -> Iterator["_Apt"]:
        """Bring an apt that knows one suite (None: the machine's own, beside what is installed)."""
        for tool in ("apt-get", "dpkg"):
            if shutil.which(tool) is None:
                raise LabError(f"this machine has no {tool}. Use a Debian machine, or install asterisk by hand.")
        address = mirror()
        with tempfile.TemporaryDirectory(prefix="lcr-apt-") as name:
            home = Path(name)
            for room in ("state/lists/partial", "cache/archives/partial", "debs"):
                (home / room).mkdir(parents=True)
            (home / "none").touch()
            signed_by = f"[signed-by={_KEYRING}] " if _KEYRING.exists() else ""
            (home / "sources.list").write_text(f"deb {signed_by}{address} {suite or own_suite()} main\n")
            apt = cls(home, _options(home, _DPKG_STATUS if suite is None else home / "none"))
            apt._run("update")
            yield apt

    def only(self, packages: Sequence[str]) -> list[Path]:
        """Download these packages and nothing they depend on."""
        self._run("download", *packages, cwd=self._home / "debs")
        return sorted((self._home / "debs").glob("*.deb"))

    def closure(self, packages: Sequence[str]) -> list[Path]:
        """Download these packages and everything they depend on that is not installed."""
        self._run("--yes", "--download-only", "--reinstall", "install", *packages)
        debs = sorted((self._home / "cache/archives").glob("*.deb"))
        if not debs:
            raise LabError(f"apt-get brought nothing for {' '.join(packages)}. Look at its sources.")
        return debs

    def _run(self, *arguments: str, cwd: Path | None = None) -> None:
        options = [part for key, value in self._options.items() for part in ("-o", f"{key}={value}")]
        done = subprocess.run(
            ["apt-get", *options, "-qq", *arguments], cwd=cwd, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            said = " ".join(re.sub(r"\S+://\S+", "(address)", done.stderr).split()) or f"status {done.returncode}"
            raise LabError(f"apt-get {arguments[0]} failed: {said[:300]} Look at the network and apt's sources.")


def _options(home: Path, status: Path) -> dict[str, str]:
    return {
        "Dir::Etc::sourcelist": str(home / "sources.list"),
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferences": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "Dir::State": str(home / "state"),
        "Dir::State::status": str(status),
        "Dir::Cache": str(home / "cache"),
        "Acquire::Languages": "none",
        "Acquire::Retries": "1",
        "Acquire::http::Timeout": "15",
        "Acquire::https::Timeout": "15",
        "APT::Update::Error-Mode": "any",
        "APT::Install-Recommends": "0",
        "APT::Sandbox::User": "root",
        "Debug::NoLocking": "1",
    }


def _extract(debs: Sequence[Path], root: Path) -> None:
    for deb in debs:
        done = subprocess.run(["dpkg", "-x", str(deb), str(root)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise LabError(f"dpkg could not unpack {deb.name}: {done.stderr.strip()} Is the disk full?")


def mirror() -> str:
    """Address of the Debian mirror that this machine's apt uses."""
    listed = _output(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"])
    sources = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    written = "\n".join(path.read_text(errors="replace") for path in sources if path.is_file())
    plain = re.sub(r"#.*", "", written)
    for address in re.findall(r"\S+://\S+", f"{listed}\n{plain}"):
        if re.search(r"/debian/?$", address):
            return str(address)
    raise LabError("apt's sources on this machine name no Debian mirror. Use Debian, or install asterisk by hand.")


def own_suite() -> str:
    """Code name of the Debian that this machine runs."""
    release = Path("/etc/os-release")
    found = re.search(r"^VERSION_CODENAME=(\w+)", release.read_text() if release.exists() else "", re.MULTILINE)
    if found is None:
        raise LabError("/etc/os-release names no VERSION_CODENAME. Use a Debian machine.")
    return found[1]


def _output(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout
