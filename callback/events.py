"""What happens at a site, one class for each event: what narration, alarms, feed and programs read.

An event is stored in the transaction that made it happen (`store/feed.py`) and holds no telephone number: whose it is,
its reservation or call tells, for as long as that person is known. Instants are microseconds UTC and end in `_at`.
A fact that is None by default is left out of JSON while it is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    NAME: ClassVar[str] = ""
    ALARMING: ClassVar[bool] = False
    """Whether people who watch no screen are told of it too."""

    def facts(self) -> dict[str, Any]:
        """Its facts as plain JSON values, in the order in which they are declared."""
        values = ((one, getattr(self, one.name)) for one in fields(self))
        return {one.name: value for one, value in values if value is not None or one.default is MISSING}


# Calls and losses


@dataclass(frozen=True, slots=True)
class CallJudged(Event):
    """A call is over and was judged."""

    NAME = "call"
    call_id: str
    queue: str | None
    kind: str
    reason: str | None
    side: str | None
    waited_s: float
    talked_s: float


@dataclass(frozen=True, slots=True)
class NotRecovered(Event):
    """A lost call makes no reservation."""

    NAME = "not-recovered"
    call_id: str
    why: str


@dataclass(frozen=True, slots=True)
class TrunkUnclear(Event):
    """A caller's number on this trunk may be several people's."""

    NAME = "trunk-unclear"
    trunk: str


@dataclass(frozen=True, slots=True)
class Reserved(Event):
    """A lost call made a reservation."""

    NAME = "reserved"
    reservation: int
    queue: str
    kind: str
    clock_starts_at: int
    aim_at: int
    deadline_at: int
    promise: str
    text: bool
    held: bool


@dataclass(frozen=True, slots=True)
class Merged(Event):
    """One more loss joined a reservation that stands."""

    NAME = "merged"
    reservation: int
    queue: str
    text: bool
    clock_starts_at: int
    aim_at: int
    deadline_at: int
    losses: int


@dataclass(frozen=True, slots=True)
class Withdrawn(Event):
    """A better verdict came: the call was not lost."""

    NAME = "withdrawn"
    reservation: int


@dataclass(frozen=True, slots=True)
class Held(Event):
    """The service holds a reservation until a person resumes it."""

    NAME = "held"
    reservation: int
    why: str


@dataclass(frozen=True, slots=True)
class Returned(Event):
    """The customer was served otherwise: nothing more is owed."""

    NAME = "returned"
    reservation: int


@dataclass(frozen=True, slots=True)
class CalledByHand(Event):
    """An agent's own call settled a reservation."""

    NAME = "called-by-hand"
    reservation: int
    call_id: str
    phone: str
    talked_s: float


@dataclass(frozen=True, slots=True)
class RestsAfterOwnCall(Event):
    """An agent's own call rang the customer: not called again before `until_at`."""

    NAME = "rests-after-own-call"
    reservation: int
    phone: str
    until_at: int


@dataclass(frozen=True, slots=True)
class IncidentChanged(Event):
    """An incident began, went on to another state, or was decided by a person."""

    NAME = "incident"
    ALARMING = True
    incident: int
    cause: str
    state: str
    losses: int | None = None
    who: str | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class GapClosed(Event):
    """Nobody listened for a while; `calls` ended in it, as the logs tell."""

    NAME = "gap"
    ALARMING = True
    since_at: int
    until_at: int
    calls: int
    why_not: str
    forged: int
    unproved: int
    recorded: bool


# Promises


@dataclass(frozen=True, slots=True)
class CarriedOver(Event):
    """What was not kept by the evening is promised for the next opening."""

    NAME = "carried-over"
    reservation: int
    from_at: int
    deadline_at: int


@dataclass(frozen=True, slots=True)
class Overdue(Event):
    """A promise was broken: the customer was told a new time, if `text`."""

    NAME = "overdue"
    reservation: int
    queue: str
    by_at: int
    text: bool


@dataclass(frozen=True, slots=True)
class Expired(Event):
    """A reservation is left to people."""

    NAME = "expired"
    reservation: int
    queue: str
    why: str


@dataclass(frozen=True, slots=True)
class PromisesInDanger(Event):
    """Promises of a group of queues will be broken with the agents there are."""

    NAME = "alarm"
    ALARMING = True
    group: str
    due: int
    missed: int
    more: int
    until_at: int
    again: bool


@dataclass(frozen=True, slots=True)
class PromisesOutOfDanger(Event):
    """No promise of the group is in danger any more."""

    NAME = "alarm-over"
    ALARMING = True
    group: str
    raised_at: int


# Attempts


@dataclass(frozen=True, slots=True)
class Dialling(Event):
    """An attempt was claimed: an agent is looked for; `number` counts the reservation's attempts."""

    NAME = "dialling"
    reservation: int
    attempt: str
    number: int  # from 1; in JSON it stands in the place of the customer's number
    queue: str


@dataclass(frozen=True, slots=True)
class _AttemptStep(Event):
    """How far an attempt has come."""

    attempt: str
    reservation: int
    agent: str | None


@dataclass(frozen=True, slots=True)
class AgentConnected(_AttemptStep):
    """An agent answered."""

    NAME = "agent-connected"


@dataclass(frozen=True, slots=True)
class CustomerDialled(_AttemptStep):
    """The customer's phone is being rung."""

    NAME = "customer-dialled"


@dataclass(frozen=True, slots=True)
class CustomerAnswered(_AttemptStep):
    """The customer answered."""

    NAME = "customer-answered"


@dataclass(frozen=True, slots=True)
class AttemptEnded(Event):
    """An attempt is over; `state` is what became of its reservation."""

    NAME = "outcome"
    attempt: str
    reservation: int
    outcome: str
    evidence: list[str]
    state: str
    again_at: int | None = None


@dataclass(frozen=True, slots=True)
class Cancelled(Event):
    """The service cancelled a reservation."""

    NAME = "cancelled"
    reservation: int
    why: str


@dataclass(frozen=True, slots=True)
class AgentsSilent(Event):
    """Callbacks of a queue found agents free who did not answer."""

    NAME = "agents-silent"
    ALARMING = True
    queue: str
    times: int
    since_at: int


@dataclass(frozen=True, slots=True)
class AgentsBack(Event):
    """An agent of the queue answered a callback again."""

    NAME = "agents-back"
    ALARMING = True
    queue: str


@dataclass(frozen=True, slots=True)
class TrunkResting(Event):
    """A trunk failed several times in a row."""

    NAME = "trunk-resting"
    ALARMING = True
    trunk: str
    until_at: int
    again: bool


@dataclass(frozen=True, slots=True)
class TrunkBack(Event):
    """A trunk that rested works again."""

    NAME = "trunk-back"
    ALARMING = True
    trunk: str


@dataclass(frozen=True, slots=True)
class PutFirst(Event):
    """A caller who is owed a callback called again and was put first in the queue."""

    NAME = "put-first"
    reservation: int
    queue: str


# Decisions


@dataclass(frozen=True, slots=True)
class Decided(Event):
    """A person or a customer decided something; the facts of the `action` follow (see `store/audit_words.py`)."""

    NAME = "decided"
    action: str
    who: str
    why: str
    reservation: int | None = None
    about: Mapping[str, Any] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """Its facts, those of the action among them."""
        of = {} if self.reservation is None else {"reservation": self.reservation}
        return {"action": self.action, "who": self.who, "why": self.why, **of, **self.about}


# The service and its PBX


@dataclass(frozen=True, slots=True)
class Started(Event):
    """The service listens to its PBX from now on."""

    NAME = "started"
    pbx: str
    journal_from: int


@dataclass(frozen=True, slots=True)
class Stopped(Event):
    """The service has ended."""

    NAME = "stopped"


@dataclass(frozen=True, slots=True)
class Standby(Event):
    """The service waits for its turn."""

    NAME = "standby"
    why: str


@dataclass(frozen=True, slots=True)
class LeaseLost(Event):
    """Another process took the lease."""

    NAME = "lease-lost"
    ALARMING = True
    pbx: str
    why: str


@dataclass(frozen=True, slots=True)
class LeaseKept(Event):
    """The lease could not be given back."""

    NAME = "lease-kept"
    why: str


@dataclass(frozen=True, slots=True)
class _Pbx(Event):
    """How the connection to the PBX is."""

    pbx: str
    why: str
    remedy: str | None = None
    still_since_at: int | None = None


@dataclass(frozen=True, slots=True)
class PbxUp(_Pbx):
    """The PBX is connected."""

    NAME = "pbx-up"


@dataclass(frozen=True, slots=True)
class PbxDown(_Pbx):
    """The PBX is away."""

    NAME = "pbx-down"
    ALARMING = True


@dataclass(frozen=True, slots=True)
class PbxJournalFull(_Pbx):
    """The journal cannot be written."""

    NAME = "pbx-journal-full"
    ALARMING = True


@dataclass(frozen=True, slots=True)
class PbxRefused(_Pbx):
    """Messages of the PBX were refused."""

    NAME = "pbx-refused"


@dataclass(frozen=True, slots=True)
class PbxBehind(_Pbx):
    """More is heard of the PBX than is committed in time."""

    NAME = "pbx-behind"
    ALARMING = True


@dataclass(frozen=True, slots=True)
class PbxLevel(_Pbx):
    """All that was heard of the PBX is committed again."""

    NAME = "pbx-level"


@dataclass(frozen=True, slots=True)
class PbxStrangers(_Pbx):
    """Calls on no trunk of the settings are left out."""

    NAME = "pbx-strangers"


@dataclass(frozen=True, slots=True)
class UnknownQueue(Event):
    """The settings name a queue that the PBX does not have."""

    NAME = "unknown-queue"
    queue: str
    why: str


@dataclass(frozen=True, slots=True)
class SiteKey(Event):
    """Where the root of the site's keys is kept."""

    NAME = "site-key"
    inside: bool
    why: str


@dataclass(frozen=True, slots=True)
class AuditHead(Event):
    """Where the audit's chain ends."""

    NAME = "audit-head"
    ALARMING = True
    anchor: str


@dataclass(frozen=True, slots=True)
class PutAside(Event):
    """Something that was heard could not be committed, and nothing was done about it."""

    NAME = "put-aside"
    ALARMING = True
    item: str
    why: str


@dataclass(frozen=True, slots=True)
class CommitterDied(Event):
    """The process that commits has ended; another begins."""

    NAME = "committer-died"
    ALARMING = True
    why: str
    again_in_s: float


@dataclass(frozen=True, slots=True)
class DoorOpened(Event):
    """The web process began."""

    NAME = "door-opened"
    pid: int


@dataclass(frozen=True, slots=True)
class DoorDied(Event):
    """The web process has ended; another begins."""

    NAME = "door-died"
    why: str
    again_in_s: float


@dataclass(frozen=True, slots=True)
class AlarmNotPassed(Event):
    """An alarm did not get through a channel."""

    NAME = "alarm-not-passed"
    channel: str
    why: str


@dataclass(frozen=True, slots=True)
class _TextsStuck(Event):
    """Texts that do not leave, or do not arrive, for another reason than their recipients."""

    line: str
    code: str
    texts: int
    lost: int
    why: str


@dataclass(frozen=True, slots=True)
class TextsRefused(_TextsStuck):
    """Texts do not leave, or do not arrive: somebody must act, or they are lost."""

    NAME = "texts-refused"
    ALARMING = True


@dataclass(frozen=True, slots=True)
class TextsDelayed(_TextsStuck):
    """Texts are late; that passes by itself."""

    NAME = "texts-delayed"


@dataclass(frozen=True, slots=True)
class Other(Event):
    """An event of another version: its name and facts as they were stored."""

    name: str
    stored: Mapping[str, Any] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """The facts as they were stored."""
        return dict(self.stored)


def _named(base: type[Event]) -> dict[str, type[Event]]:
    found = {base.NAME: base} if base.NAME else {}
    for kind in base.__subclasses__():
        found |= _named(kind)
    return found


KINDS: Mapping[str, type[Event]] = _named(Event)
"""Every event by its name."""


@dataclass(frozen=True, slots=True)
class Happened:
    """An event and when it happened; `number` of the caller or customer, where the reader may know it."""

    at: int
    event: Event
    number: str | None = None

    @property
    def name(self) -> str:
        """The event's name."""
        return self.event.name if isinstance(self.event, Other) else self.event.NAME

    @property
    def facts(self) -> dict[str, Any]:
        """The event's facts as plain JSON values."""
        return self.event.facts()


def restored(name: str, facts: Mapping[str, Any]) -> Event:
    """Make an event of what was stored of it; `Other` where this version has no such event."""
    kind = KINDS.get(name)
    try:
        if kind is Decided:
            own = {key: value for key, value in facts.items() if key in {"action", "who", "why", "reservation"}}
            return Decided(**own, about={key: value for key, value in facts.items() if key not in own})
        return Other(name, facts) if kind is None else kind(**facts)
    except TypeError:
        return Other(name, facts)
