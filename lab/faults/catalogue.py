"""What breaks, one after the other: how each fault strikes, how long it lasts, and how it is over."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from lab.errors import LabError
from lab.faults import gateway
from lab.faults.site import Site
from lab.faults.switchboard import Condition
from lab.twilio import Conduct

Act = Callable[[Site], None]
Sign = Literal["verdict", "callback", "text", "door"]
"""By what it is seen that the service works again."""
_DOWN_S: Final = 18.0  # a node that is to be replaced by the one that stands by
_CLOCK_OFF_S: Final = 5.0
_COMMITS: Final = "commit_process"
_FILLER: Final = "filler"
_WITH_DOOR: Final[tuple[Sign, ...]] = ("verdict", "callback", "text", "door")


def _nothing(_site: Site) -> None:
    return


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault: `strike` begins it, `mend` ends it `lasts_s` later; `quiet`: nobody may be dialled meanwhile."""

    name: str
    words: str
    strike: Act
    mend: Act = _nothing
    lasts_s: float = 0.0
    quiet: bool = False
    disk: bool = False
    signs: tuple[Sign, ...] = ("verdict", "callback", "text")


# Processes


def _kill_holder(site: Site) -> None:
    site.nodes.kill(site.held("pbx"), _DOWN_S)


def _kill_standby(site: Site) -> None:
    site.nodes.kill(site.standby("pbx"))


def _kill_texts(site: Site) -> None:
    site.nodes.kill(site.held("text"), _DOWN_S)


def _kill_web(site: Site) -> None:
    for node in site.nodes.of("web"):
        site.nodes.kill(node)


def _kill_committer(site: Site) -> None:
    pid = site.held("pbx").command_of(_COMMITS)
    if pid is None:
        raise LabError("the holder has no process that commits")
    os.kill(pid, signal.SIGKILL)


def _freeze_holder(site: Site) -> None:
    site.held("pbx").signal(signal.SIGSTOP)


def _freeze_texts(site: Site) -> None:
    site.held("text").signal(signal.SIGSTOP)


def _thaw_all(site: Site) -> None:
    for node in site.nodes.all:
        node.signal(signal.SIGCONT)


# The manager connection and the network


def _cable(condition: Condition) -> Act:
    def turn(site: Site) -> None:
        site.cables.turn(condition, f"{site.held('pbx').name}/pbx")

    return turn


def _cut_off(site: Site) -> None:
    """Pull the cable of the host that listens; where none can be had, all that it is connected with hangs."""
    name = site.held("pbx").name
    if name in site.hosts:
        site.hosts[name].turn("down")
    else:
        site.cables.turn("hanging", f"{name}/")


def _connect(site: Site) -> None:
    for host in site.hosts.values():
        host.turn("up")
    _mend_cables(site)


def _mend_cables(site: Site) -> None:
    site.cables.turn("whole", "")


# The database, Redis, the PBX


def _restart_database(site: Site) -> None:
    site.database.stop()


def _end_sessions(site: Site) -> None:
    site.say(f"{site.database.end_sessions()} sessions of the database were ended")


def _kill_pbx(site: Site) -> None:
    site.pbx.kill()
    site.centre.lines_died()


# The gateway


def _treat(conduct: Conduct) -> Act:
    def treat(site: Site) -> None:
        site.gateway.usual = conduct

    return treat


# Clock and disk


def _clock_off(site: Site) -> None:
    site.turn_clock(site.held("pbx"), _CLOCK_OFF_S)


def _clocks_right(site: Site) -> None:
    for node in site.nodes.of("pbx"):
        site.turn_clock(node, 0)


def _fill_disk(site: Site) -> None:
    disk = site.disks[site.held("pbx").name]
    with suppress(OSError), (disk / _FILLER).open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))


def _free_disks(site: Site) -> None:
    for disk in site.disks.values():
        Path(disk / _FILLER).unlink(missing_ok=True)


NOTHING: Final = Fault("nothing", "for comparison: nothing breaks", _nothing)
FAULTS: Final = (
    NOTHING,
    Fault("pbx-holder-killed", "kill -9 of the node that listens and dials", _kill_holder),
    Fault("pbx-standby-killed", "kill -9 of the node that stands by for it", _kill_standby),
    Fault("committer-killed", "kill -9 of the process that commits", _kill_committer),
    Fault("text-holder-killed", "kill -9 of the node that sends texts", _kill_texts),
    Fault("web-killed", "kill -9 of the web node and its processes", _kill_web, signs=_WITH_DOOR),
    Fault("holder-frozen", "the node that listens stands still, and goes on", _freeze_holder, _thaw_all, 16),
    Fault("text-holder-frozen", "the node that sends texts stands still", _freeze_texts, _thaw_all, 16),
    Fault("ami-cut", "the manager connection is reset, and refused", _cable("cut"), _mend_cables, 5),
    Fault("ami-half-open", "nothing comes through it, and nobody says so", _cable("hanging"), _mend_cables, 8),
    Fault("database-restarted", "it dies and is begun again", _restart_database, lambda s: s.database.start(), 3),
    Fault("database-sessions-ended", "pg_terminate_backend of every session", _end_sessions),
    Fault("database-paused", "all of it stands still", lambda s: s.database.freeze(), lambda s: s.database.thaw(), 8),
    Fault("redis-killed", "kill -9, and begun again empty", lambda s: s.redis.kill(), lambda s: s.redis.start(), 6),
    Fault("redis-hung", "it stands still", lambda s: s.redis.freeze(), lambda s: s.redis.thaw(), 6),
    Fault("pbx-killed", "kill -9 of Asterisk with calls in it", _kill_pbx, lambda s: s.pbx.boot(), 3),
    Fault("gateway-500", "each text is refused with a 500", _treat(gateway.BROKEN), _treat(Conduct()), 8),
    Fault("gateway-500-taken", "accepted, and answered by a 500", _treat(gateway.SWALLOWS), _treat(Conduct()), 8),
    Fault("gateway-silent", "each is accepted, and never answered", _treat(gateway.SILENT), _treat(Conduct()), 8),
    Fault("clock-off", f"its clock goes {_CLOCK_OFF_S:g} s ahead", _clock_off, _clocks_right, 12, quiet=True),
    Fault("journal-disk-full", "no room on the journal's disk", _fill_disk, _free_disks, 8, disk=True),
    Fault("network-blip", "the node that listens reaches nobody, shortly", _cut_off, _connect, 4),
    Fault("network-cut", "the node that listens reaches nobody", _cut_off, _connect, 18),
)  # fmt: skip


def chosen(names: list[str]) -> list[Fault]:
    """The faults of these names, in our order; all of them where none is named."""
    unknown = [name for name in names if name not in {fault.name for fault in FAULTS}]
    if unknown:
        raise LabError(f"no such fault: {', '.join(unknown)}. `make faults ARGS=--list` names them.")
    return [fault for fault in FAULTS if not names or fault.name in names]
