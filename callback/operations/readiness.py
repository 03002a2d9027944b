"""Whether a node lives, and whether it does its job: said so that load balancers, systemd and people can act on it.

Pure. Alive: its loop turns. Ready: what its role is for works now. A node that stands by is ready to take over, and
says that it stands by; whoever wants the one at work asks for that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from callback.clock import CLOCK_MAY_BE_OFF_S
from callback.cluster import line
from callback.operations.vitals import Listening, Vitals

SILENT_S: Final = 5.0
"""A process that told nothing for so long does not turn any more: it tells each second."""
STUCK_S: Final = 15.0
"""So long nothing that was heard was committed, though something waits."""
BEHIND_S: Final = 15.0
STALE_S: Final = 10.0
"""A picture of the PBX that is older shows nothing of now."""
SENDING_JOBS: Final = frozenset({"text"})


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a node: what it told last and how long ago, and what its database told who asks for it.

    `picture_age_s` and `line_age_s` (since it was known who is on the line) are None where nobody ever listened;
    `database` is why it cannot be used, empty where it can.
    """

    vitals: Vitals | None
    told_s_ago: float = 0.0
    database: str = ""
    picture_age_s: float | None = None
    line_age_s: float | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """Whether all is well, and if not, what is not, by a word each with its sentence."""

    ok: bool
    stands_by: bool = False
    wrong: dict[str, str] = field(default_factory=dict)

    def as_json(self, about: Vitals | None) -> dict[str, Any]:
        """Plain values."""
        who = {} if about is None else {"role": about.role, "pbx": about.pbx, "node": about.node, "state": about.state}
        return {"ok": self.ok, **who, "stands_by": self.stands_by, "wrong": self.wrong}


def alive(seen: Seen) -> Health:
    """Whether the process lives, and its loop turns. Whatever else is wrong, a restart would not mend it."""
    wrong = dict(_silent(seen))
    return Health(not wrong, wrong=wrong)


def ready(seen: Seen) -> Health:
    """Whether it does its job, or stands by to do it."""
    wrong = dict(_silent(seen))
    vitals = seen.vitals
    if wrong or vitals is None:
        return Health(ok=False, wrong=wrong)
    wrong |= dict(_database(seen, vitals))
    stands_by = vitals.state == "stands-by"
    if vitals.state == "starting":
        wrong["starting"] = vitals.why or "it has just begun"
    elif not stands_by:
        wrong |= dict(_at_work(seen, vitals))
    return Health(not wrong, stands_by, wrong)


def _silent(seen: Seen) -> Iterator[tuple[str, str]]:
    if seen.vitals is None:
        yield "no-service", "no service process has told anything yet: this is served by itself, or it has just begun"
    elif seen.told_s_ago > SILENT_S:
        yield "hangs", f"the service process has told nothing for {seen.told_s_ago:.0f} s: it hangs or was stopped"


def _database(seen: Seen, vitals: Vitals) -> Iterator[tuple[str, str]]:
    if seen.database:
        yield "database-away", seen.database
    off_s = vitals.database_off_s
    if off_s is not None and abs(off_s) > CLOCK_MAY_BE_OFF_S:
        yield "database-clock-off", f"the database's clock is {off_s:+.1f} s off this node's: nothing is dialled"


def _at_work(seen: Seen, vitals: Vitals) -> Iterator[tuple[str, str]]:
    if vitals.role in {"all", "pbx"}:
        if vitals.listening is None:
            yield "deaf", "nobody listens to the PBX in this process"
        else:
            yield from _listening(vitals.listening)
    if vitals.role in {"all", "text"}:
        for job in sorted(SENDING_JOBS & vitals.failing.keys()):
            yield "texts-stuck", vitals.failing[job]
    if vitals.role == "web" and not seen.database:
        yield from _sees(seen)
    if vitals.role == "text" and not seen.database:
        yield from _knows_who_is_on_the_line(seen)
    for name, child in sorted(vitals.children.items()):
        if not child.up:
            yield f"{name}-down", f"the process '{name}' is not running: {child.why or 'it has just been begun'}"


def _listening(told: Listening) -> Iterator[tuple[str, str]]:
    if not told.connected:
        yield "pbx-not-connected", told.why_not or "the manager interface is not connected"
    elif not told.level and told.behind_s > BEHIND_S:
        yield "pbx-behind", f"what the PBX says is digested {told.behind_s:.0f} s late"
    if abs(told.clock_off_s) > CLOCK_MAY_BE_OFF_S:
        yield "pbx-clock-off", f"the PBX's clock is {told.clock_off_s:+.1f} s off this node's: nothing is dialled"
    if told.oldest_waits_s > STUCK_S:
        yield "commits-stuck", f"nothing that was heard was committed for {told.oldest_waits_s:.0f} s"


def _sees(seen: Seen) -> Iterator[tuple[str, str]]:
    if seen.picture_age_s is None:
        yield "no-picture", "no service has ever listened to this PBX"
    elif seen.picture_age_s > STALE_S:
        yield "picture-stale", f"the picture of the PBX is {seen.picture_age_s:.0f} s old: no service listens to it"


def _knows_who_is_on_the_line(seen: Seen) -> Iterator[tuple[str, str]]:
    """Nobody is texted while on the line, so no text leaves while nobody knows who is."""
    if seen.line_age_s is None:
        yield "line-unknown", "no text leaves: nobody has listened to the PBX yet, so who is on the line is not known"
    elif not line.is_fresh(seen.line_age_s):
        yield "line-unknown", f"no text leaves: who is on the line was known {seen.line_age_s:.0f} s ago"
