"""What an Asterisk's own files tell of a site: queues, trunks, the manager interface, logs. Nothing is changed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from callback.operations.init.conf import Conf, Section, read

_OWN: Final = re.compile(r"lcr(-.*)?|general", re.IGNORECASE)
_EVERYWHERE: Final = {"", "0.0.0.0", "::", "[::]"}  # noqa: S104 - where the PBX listens, not we
DEFAULT_PORT: Final = 5038
_NO: Final = {"no", "false", "0", "off"}


@dataclass(frozen=True, slots=True)
class Manager:
    """The manager interface: whether it listens, and where this machine finds it."""

    enabled: bool = False
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    tls: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of the Asterisk whose files lie in `etc`; `is_there`: there are such files."""

    etc: Path
    is_there: bool = False
    is_freepbx: bool = False
    owner: str = ""
    queues: tuple[str, ...] = ()
    trunks: tuple[str, ...] = ()
    manager: Manager = Manager()
    queue_log: str = ""
    cdr: str = ""
    included: frozenset[str] = frozenset()
    unread: tuple[str, ...] = ()


FILES: Final = ("asterisk", "manager", "queues", "pjsip", "cdr", "logger", "extensions", "features")


def look(etc: Path) -> Found:
    """Read the files of an Asterisk; what may not be read is named."""
    confs = {name: read(etc / f"{name}.conf") for name in FILES}
    if not (etc / "manager.conf").exists() and not (etc / "asterisk.conf").exists():
        return Found(etc)
    directories = next((one for one in _real(confs["asterisk"]) if one.name == "directories"), Section("directories"))
    logs = Path(directories.get("astlogdir", "/var/log/asterisk"))  # [directories](!), as shipped, says nothing
    unread = tuple(f"{name}.conf" for name in FILES if not _is_read(etc / f"{name}.conf"))
    return Found(
        etc,
        is_there=True,
        is_freepbx=(etc / "freepbx.conf").exists() or (etc / "extensions_additional.conf").exists(),
        owner=_owner(etc / "manager.conf"),
        queues=tuple(dict.fromkeys(one.name for one in _real(confs["queues"]) if not _OWN.fullmatch(one.name))),
        trunks=_trunks(confs["pjsip"], confs["queues"]),
        manager=_manager(confs["manager"].first("general")),
        queue_log=_queue_log(confs["logger"], logs),
        cdr=_cdr(confs["cdr"], logs),
        included=frozenset(name for conf in confs.values() for name in conf.included),
        unread=unread,
    )


def _real(conf: Conf) -> list[Section]:
    return [one for one in conf.sections if not one.is_template]


def _manager(general: Section) -> Manager:
    address = general.get("bindaddr")
    port = general.get("port", str(DEFAULT_PORT))
    return Manager(
        enabled=general.get("enabled", "no").lower() not in _NO,
        host="127.0.0.1" if address in _EVERYWHERE else address,
        port=int(port) if port.isdecimal() else DEFAULT_PORT,
        tls=general.get("tlsenable", "no").lower() not in _NO,
    )


def _trunks(pjsip: Conf, queues: Conf) -> tuple[str, ...]:
    """Give the endpoints that look like a trunk: known by their address, or logged in to, and no queue's member."""
    known = {one.get("endpoint") or one.name for one in _real(pjsip) if one.get("type") in {"identify", "registration"}}
    members = " ".join(value for one in queues.sections for value in one.all("member"))
    agents = set(re.findall(r"PJSIP/([\w.-]+)", members))
    real = [one for one in _real(pjsip) if not _OWN.fullmatch(one.name)]  # the probe's: docs/probe.md
    endpoints = [one for one in real if one.get("type") == "endpoint" and one.name not in agents]
    return tuple(dict.fromkeys(one.name for one in endpoints if one.name in known or one.get("outbound_auth")))


def _queue_log(logger: Conf, logs: Path) -> str:
    written = logger.first("general").get("queue_log", "yes").lower() not in _NO
    return str(logs / "queue_log") if written else ""


def _cdr(cdr: Conf, logs: Path) -> str:
    """Name the call records where they prove something: with Uniqueids."""
    proves = cdr.first("csv").get("loguniqueid", "no").lower() not in _NO
    return str(logs / "cdr-csv" / "Master.csv") if proves else ""


def _is_read(path: Path) -> bool:
    try:
        path.open("rb").close()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _owner(path: Path) -> str:
    try:
        return f"{path.owner()}:{path.group()}"
    except (OSError, KeyError):
        return ""
