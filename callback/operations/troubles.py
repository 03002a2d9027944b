"""Troubles that last: rows, so that each is told once when it begins and once when it is over, whoever finds it.

Any process may look: the one whose row is new tells that it began, the one that takes the row away that it is over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from sqlalchemy import bindparam, delete, select, update

from callback import events
from callback.attempts import snapshot
from callback.clock import CLOCK_MAY_BE_OFF_S
from callback.cluster import nodes
from callback.cluster.nodes import Node
from callback.events import Event
from callback.site.work import Work
from callback.store import tables as t
from callback.store.engine import clock
from callback.store.inserting import insert_new
from scheduler.clock import MINUTE, SECOND

KINDS: Final[Mapping[str, tuple[Callable[[str, str], Event], Callable[[str, str], Event]]]] = {
    "node-gone": (events.NodeGone, events.NodeBack),
    "clock-off": (events.ClockOff, events.ClockRight),
    "disk-low": (events.DiskLow, events.DiskEnough),
    "redis-away": (events.RedisAway, events.RedisBack),
}
OF_SITE: Final = frozenset({"node-gone", "clock-off"})
OF_MACHINE: Final = frozenset({"disk-low", "redis-away"})
SILENT_US: Final = 10 * MINUTE
"""A machine's own trouble that nobody has confirmed for so long is over: its process is."""
_CONFIRM_US: Final = MINUTE
_OVER: Final = "it is over"
_T: Final = t.trouble.c
_STANDING: Final = select(_T.name, _T.about, _T.seen_at).where(
    _T.pbx == bindparam("of_pbx"), _T.name.in_(bindparam("names", expanding=True))
)
_THIS: Final = (
    _T.pbx == bindparam("of_pbx"),
    _T.name == bindparam("of_name"),
    _T.about == bindparam("of_about"),
)
_SEEN: Final = update(t.trouble).where(*_THIS)
_GONE: Final = delete(t.trouble).where(*_THIS)


class Trouble(NamedTuple):
    """What it is, and whom it concerns: a machine, a role at a place."""

    name: str
    about: str


def settle(
    work: Work,
    names: frozenset[str],
    present: Mapping[Trouble, str],
    ours: Callable[[str], bool] = lambda _about: True,
) -> None:
    """Tell which troubles of these names began or ended; `present` says why of each that there is now.

    `ours` says about whom we know: what is not ours stays as it is.
    """
    rows = work.connection.execute(_STANDING, {"of_pbx": work.pbx, "names": sorted(names)}).all()
    standing = {Trouble(name, about): int(seen_at) for name, about, seen_at in rows}
    for one in sorted(present.keys() - standing.keys()):
        row = {"pbx": work.pbx, "name": one.name, "about": one.about, "since_at": work.now, "seen_at": work.now}
        if insert_new(work.connection, t.trouble, row | {"why": present[one][:400]}):
            work.tell(KINDS[one.name][0](one.about, present[one]))
    for one in sorted(present.keys() & standing.keys()):
        if work.now - standing[one] > _CONFIRM_US:
            work.connection.execute(_SEEN.values(seen_at=work.now), _asked(work, one))
    for one in sorted(standing.keys() - present.keys()):
        if ours(one.about):
            _end(work, one, _OVER)


def look_at_site(work: Work) -> None:
    """Look which nodes are gone and whose clocks are off, and whether a machine's own troubles are still confirmed."""
    now = clock(work.connection)
    here = [one for one in nodes.listed(work.connection) if one.pbx == work.pbx]
    settle(work, OF_SITE, _gone(here, now) | _off(work, here, now))
    rows = work.connection.execute(_STANDING, {"of_pbx": work.pbx, "names": sorted(OF_MACHINE)}).all()
    for name, about, seen_at in rows:
        if work.now - seen_at > SILENT_US:
            _end(work, Trouble(name, about), "nobody there tells of it any more")


def _end(work: Work, one: Trouble, why: str) -> None:
    if work.connection.execute(_GONE, _asked(work, one)).rowcount:
        work.tell(KINDS[one.name][1](one.about, why))


def _asked(work: Work, one: Trouble) -> dict[str, str]:
    return {"of_pbx": work.pbx, "of_name": one.name, "of_about": one.about}


def place_of(node: Node) -> str:
    """Where a node is, without the id of its process: one that is begun again there takes its place."""
    place, _, pid = node.name.rpartition(":")
    return place if place and pid.isdecimal() else node.name


def _gone(here: list[Node], now: int) -> dict[Trouble, str]:
    """The roles at a place of which no process lives; who ended by itself is on the list no more."""
    by_place: defaultdict[str, list[Node]] = defaultdict(list)
    for one in here:
        by_place[f"{one.role} on {place_of(one)}"].append(one)
    return {
        Trouble("node-gone", about): f"no sign of life for more than {nodes.GONE_S} s: see whether it runs there, and"
        " whether it reaches the database"
        for about, ones in by_place.items()
        if all(one.is_gone(now) for one in ones)
    }


def _off(work: Work, here: list[Node], now: int) -> dict[Trouble, str]:
    found = {
        Trouble("clock-off", place_of(one)): f"{abs(one.clock_off_s):.1f} s"
        f" {'behind' if one.clock_off > 0 else 'ahead of'} the database's: nothing is dialled from there; set it by NTP"
        for one in here
        if abs(one.clock_off_s) > CLOCK_MAY_BE_OFF_S and not one.is_gone(now)
    }
    picture = snapshot.recall(work.connection, work.pbx)
    if picture is not None and picture[0].closed == "pbx-clock-off":
        fresh = work.now - picture[1] < snapshot.STALE_S * SECOND
        standing = Trouble("clock-off", f"PBX {work.pbx}")
        found |= {standing: "its clock is off its listener's: nothing is dialled; set both by NTP"} if fresh else {}
    return found
