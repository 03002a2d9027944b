"""A call when it is over, as frozen values: the verdict is passed on them.

A call is (pbx, Uniqueid of the customer's first channel). A queue visit is (pbx, Uniqueid, queue, join time,
matched within 2 s): a call has one for each time that it waited in a queue, or was refused by one. Instants
are µs UTC.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, Literal

from telephony.ids import SECOND
from telephony.values import value

Kind = Literal["served", "abandoned", "blocked", "dropped", "silent", "requested", "callback", "unfinished", "unknown"]
Side = Literal["customer", "agent", "system", "network"]
Source = Literal["live-complete", "live-partial", "log"]
VisitEnd = Literal[
    "connected",  # an agent answered
    "abandoned",  # the caller hung up while waiting
    "timed-out",  # removed by Queue's time-out
    "left-empty",  # removed because no agent was left
    "withdrawn",  # removed by a program
    "full",  # never got in
    "join-empty",  # never got in: no agent was there
    "no-queue",  # never got in: there is no such queue
    "closed",  # never got in: the queue was closed
    "diverted",  # never got in: the dialplan sent the caller elsewhere, for too many waited or for too long
    "key",  # left by pressing a key
    "unserved",  # left unserved, nobody said why: the caller gave up, or was removed
    "left",  # left, nobody said how
    "unknown",  # the call ended, and nobody said how the visit did
    "waiting",  # still there when we stopped looking
]
Onward = Literal[
    "met",  # somebody talked with the caller
    "rung",  # a phone rang, and nobody answered
    "left",  # parked, or alone in a conference, and nobody came
]
Ending = Literal["hangup", "capture-ended", "ended-unseen", "pbx-restarted", "overdue"]

LOST: Final[frozenset[Kind]] = frozenset({"abandoned", "blocked", "dropped", "silent"})
RANKS: Final[dict[Source, int]] = {"live-complete": 3, "live-partial": 2, "log": 1}
NOT_KNOWN: Final[frozenset[Kind]] = frozenset({"unknown", "unfinished"})
"""Any other verdict replaces one of these, whatever its source."""
LEFT_UNSERVED: Final = "left-unserved"
"""The reason of an `unknown` that is a loss all the same: the call ended unserved, nobody knows how."""


@value
class QueueVisit:
    """One stay in one queue. `ended_at`: the end of the wait, or of the talk that followed."""

    queue: str | None
    joined_at: int
    connected_at: int | None
    agent: str | None
    ended_at: int | None
    end: VisitEnd
    key: str | None = None
    ringing: bool = False  # an agent's phone rang when it ended
    handed_on: bool = False  # the agent transferred the caller

    def waited(self, until: int) -> int:
        """Give the wait, µs; what was not over counts until then."""
        over_at = self.ended_at if self.connected_at is None else self.connected_at
        return max(0, (until if over_at is None else over_at) - self.joined_at)

    def talked(self, until: int) -> int:
        """Give the talk, µs; what was not over counts until then."""
        if self.connected_at is None:
            return 0
        return max(0, (until if self.ended_at is None else self.ended_at) - self.connected_at)


@value
class Mute:
    """A side that sent no sound all through the last talk: no packet at all, or nothing that was talk."""

    side: Literal["customer", "agent"]
    why: Literal["no-media", "no-sound"]


@value
class Call:
    """A customer's call, or one that a program placed. Nothing in it is a judgement.

    `number` is as signalled on the customer's own channel, None where that is no number; `did` is the
    number dialled. `cause` is the Q.850 cause of that channel's Hangup, `causes` those of every channel when the last
    talk, or the wait, ended; `hangup_by` is the side that ended it. `seen_until` is when something was heard
    of it last. `complete` is False when events are known to be missing.
    """

    pbx: str
    call_id: str
    linkedid: str
    channel: str
    number: str | None
    did: str | None
    started_at: int
    ended_at: int | None
    seen_until: int
    visits: tuple[QueueVisit, ...]
    cause: int | None = None
    causes: frozenset[int] = frozenset()
    hangup_by: Side | None = None
    talked_at: int | None = None  # when the last talk began; None: after the last visit there was none
    talking: bool = False
    went_on: bool = False  # the caller stayed after the last talk had ended: a survey, another desk
    cut: bool = False  # a program or an operator hung up
    media_lost: bool = False  # ended because no sound came any more
    placed: bool = False  # a program placed it: ours, or somebody's Originate
    ending: Ending = "hangup"
    complete: bool = True
    confirmed: bool | None = None  # the PBX, asked, knew the channel; None: it was not asked
    onward: Onward | None = None  # what came of a hand-over, outside the queues
    mute: Mute | None = None
    stalled: bool = False  # the agent's phone had died when the caller hung up
    said: str | None = None  # why the talk broke off, by the agent's word
    asked: bool = False  # our dialplan: the caller asked for a callback, and nothing came after
    closed: bool = False  # our dialplan: the site was closed for the caller
    told_queue: str | None = None  # the queue that our dialplan told with either
    refused_with: int | None = None  # the Q.850 cause with which the PBX refused the caller before any queue
    gave_up: bool = False  # the caller hung up, and talked with nobody
    turned_away: bool = False  # the dialplan hung up, and the caller talked with nobody
    stepped: bool | None = None  # the dialplan ran for the caller; None: not known
    doubtful: bool = False  # nothing tells of it but lines that a caller may have written
    evidence: tuple[str, ...] = ()

    @property
    def last(self) -> QueueVisit | None:
        """Give the visit that the call is judged by: the last one."""
        return self.visits[-1] if self.visits else None

    @property
    def queue(self) -> str | None:
        """Give the queue visited last, or else the one that our dialplan told; None where none is known."""
        visited = self.visits[-1].queue if self.visits else None
        return visited or self.told_queue


@value
class Verdict:
    """How a call went. `because` is the line of the table that held; seconds add up all its queue visits."""

    kind: Kind
    reason: str | None
    side: Side | None
    waited_s: float
    talked_s: float
    evidence: tuple[str, ...]
    source: Source
    because: str

    @property
    def rank(self) -> int:
        """Give how far it is to be believed: a verdict of higher rank replaces one of lower."""
        return 0 if self.kind in NOT_KNOWN else RANKS[self.source]

    @property
    def lost(self) -> bool:
        """Tell whether the caller was lost for certain, be it in a way that could not be told."""
        return self.kind in LOST or self.reason == LEFT_UNSERVED


Judged = tuple[Call, Verdict]


def moment(at: int) -> str:
    """Give an instant as RFC 3339 with microseconds, in UTC."""
    seconds, micros = divmod(at, SECOND)
    return f"{_second(seconds)}.{micros:06d}Z"


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    """Put a second into words; most instants of what is over are in the same ones."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
