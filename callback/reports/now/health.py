"""Whether the parts of the service work, as the database tells: each by itself, so that a dead one stands alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from callback.attempts.snapshot import STALE_S, Live
from callback.site.work import Work
from callback.store import lease
from callback.texts import compose
from scheduler.clock import MINUTE, SECOND

PartName = Literal["pbx", "service", "outbox"]
PartState = Literal["ok", "late", "dead", "unknown"]
SILENT_S: Final = 60
"""A PBX that is connected says something more often: our own questions are answered each few seconds."""
LATE: Final = MINUTE
DEAD: Final = 10 * MINUTE
MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class Part:
    """One part. `at` is when it was last known to work; of the outbox, since when its oldest text could have left.

    `word` says what is wrong, as a why-not word does; `many` are the texts that wait.
    """

    name: PartName
    state: PartState
    at: int | None = None
    word: str | None = None
    many: int | None = None


def look(work: Work, picture: tuple[Live, int] | None) -> tuple[Part, ...]:
    """Look at the PBX, the service and the outbox."""
    return (_pbx(picture, work.now), _service(work, picture), _outbox(work))


def _pbx(picture: tuple[Live, int] | None, now: int) -> Part:
    if picture is None:
        return Part("pbx", "unknown")
    live, seen_at = picture
    if now - seen_at > STALE_S * SECOND:
        return Part("pbx", "unknown", live.heard_at)
    if live.closed is not None:
        return Part("pbx", "dead", live.heard_at, live.closed)
    if live.heard_at is None:
        return Part("pbx", "unknown")
    return Part("pbx", "late" if now - live.heard_at > SILENT_S * SECOND else "ok", live.heard_at)


def _service(work: Work, picture: tuple[Live, int] | None) -> Part:
    """Whether a service has the lease of the PBX, and shows what it sees."""
    row = lease.holder(work.connection, f"pbx:{work.pbx}")
    seen_at = picture[1] if picture is not None else None
    if row is None or row.until_at <= work.now:
        return Part("service", "dead", seen_at, "service-not-running")
    stale = seen_at is None or work.now - seen_at > STALE_S * SECOND
    return Part("service", "late" if stale else "ok", seen_at, "service-not-running" if stale else None)


def _outbox(work: Work) -> Part:
    waiting = compose.backlog(work, MOST)
    age = 0 if waiting.since_at is None else work.now - waiting.since_at
    state: PartState = "dead" if age > DEAD else "late" if age > LATE else "ok"
    return Part("outbox", state, waiting.since_at, many=waiting.texts)
