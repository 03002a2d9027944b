"""What happens at a site, one class for each event: what narration, alarms, feed and programs read.

An event is stored in the transaction that made it happen (`store/feed.py`) and holds no telephone number: whose it is,
its reservation or call tells, for as long as that person is known. Instants are microseconds UTC and end in `_at`.
A fact that is None by default is left out of JSON while it is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, ClassVar, TypeVar, dataclass_transform

_T = TypeVar("_T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def _event(kind: type[_T]) -> type[_T]:
    """Make of a class a dataclass whose fields nobody may set again, as the type checker holds.

    What is the same for all is inherited: made anew for each of the many, it took 18 ms of every command's start.
    """
    return dataclass(eq=False, repr=False, slots=True)(kind)


@_event
class Event:
    """One thing that happened."""

    NAME: ClassVar[str] = ""
    ALARMING: ClassVar[bool] = False
    """Whether people who watch no screen are told of it too."""

    def facts(self) -> dict[str, Any]:
        """Its facts as plain JSON values, in the order in which they are declared."""
        values = ((one, getattr(self, one.name)) for one in fields(self))
        return {one.name: value for one, value in values if value is not None or one.default is MISSING}

    def _values(self) -> tuple[object, ...]:
        return tuple(getattr(self, one.name) for one in fields(self))

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, Event) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        shown = (f"{one.name}={getattr(self, one.name)!r}" for one in fields(self))
        return f"{type(self).__qualname__}({', '.join(shown)})"


# Calls and losses


@_event
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


@_event
class NotRecovered(Event):
    """A lost call makes no reservation."""

    NAME = "not-recovered"
    call_id: str
    why: str


@_event
class TrunkUnclear(Event):
    """A caller's number on this trunk may be several people's."""

    NAME = "trunk-unclear"
    trunk: str


@_event
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


@_event
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


@_event
class Withdrawn(Event):
    """A better verdict came: the call was not lost."""

    NAME = "withdrawn"
    reservation: int


@_event
class Held(Event):
    """The service holds a reservation until a person resumes it."""

    NAME = "held"
    reservation: int
    why: str


@_event
class Returned(Event):
    """The customer was served otherwise: nothing more is owed."""

    NAME = "returned"
    reservation: int


@_event
class CalledByHand(Event):
    """An agent's own call settled a reservation."""

    NAME = "called-by-hand"
    reservation: int
    call_id: str
    phone: str
    talked_s: float


@_event
class RestsAfterOwnCall(Event):
    """An agent's own call rang the customer: not called again before `until_at`."""

    NAME = "rests-after-own-call"
    reservation: int
    phone: str
    until_at: int


@_event
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


@_event
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


@_event
class CarriedOver(Event):
    """What was not kept by the evening is promised for the next opening."""

    NAME = "carried-over"
    reservation: int
    from_at: int
    deadline_at: int


@_event
class Overdue(Event):
    """A promise was broken: the customer was told a new time, if `text`."""

    NAME = "overdue"
    reservation: int
    queue: str
    by_at: int
    text: bool


@_event
class Expired(Event):
    """A reservation is left to people."""

    NAME = "expired"
    reservation: int
    queue: str
    why: str


@_event
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


@_event
class PromisesOutOfDanger(Event):
    """No promise of the group is in danger any more."""

    NAME = "alarm-over"
    ALARMING = True
    group: str
    raised_at: int


@_event
class HelpAsked(Event):
    """A person asked for more agents: with them `after` promises of the group would be missed, else `before`."""

    NAME = "help-asked"
    ALARMING = True
    group: str
    more: int
    until_at: int
    before: int
    after: int
    who: str


# Attempts


@_event
class Dialling(Event):
    """An attempt was claimed: an agent is looked for; `number` counts the reservation's attempts."""

    NAME = "dialling"
    reservation: int
    attempt: str
    number: int  # from 1; in JSON it stands in the place of the customer's number
    queue: str


@_event
class _AttemptStep(Event):
    """How far an attempt has come."""

    attempt: str
    reservation: int
    agent: str | None


@_event
class AgentConnected(_AttemptStep):
    """An agent answered."""

    NAME = "agent-connected"


@_event
class CustomerDialled(_AttemptStep):
    """The customer's phone is being rung."""

    NAME = "customer-dialled"


@_event
class CustomerAnswered(_AttemptStep):
    """The customer answered."""

    NAME = "customer-answered"


@_event
class AttemptEnded(Event):
    """An attempt is over; `state` is what became of its reservation."""

    NAME = "outcome"
    attempt: str
    reservation: int
    outcome: str
    evidence: list[str]
    state: str
    again_at: int | None = None


@_event
class Cancelled(Event):
    """The service cancelled a reservation."""

    NAME = "cancelled"
    reservation: int
    why: str


@_event
class AgentsSilent(Event):
    """Callbacks of a queue found agents free who did not answer."""

    NAME = "agents-silent"
    ALARMING = True
    queue: str
    times: int
    since_at: int


@_event
class AgentsBack(Event):
    """An agent of the queue answered a callback again."""

    NAME = "agents-back"
    ALARMING = True
    queue: str


@_event
class TrunkResting(Event):
    """A trunk failed several times in a row."""

    NAME = "trunk-resting"
    ALARMING = True
    trunk: str
    until_at: int
    again: bool


@_event
class TrunkBack(Event):
    """A trunk that rested works again."""

    NAME = "trunk-back"
    ALARMING = True
    trunk: str


@_event
class PutFirst(Event):
    """A caller who is owed a callback called again and was put first in the queue."""

    NAME = "put-first"
    reservation: int
    queue: str


# Decisions


@_event
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


@_event
class Started(Event):
    """The service listens to its PBX from now on."""

    NAME = "started"
    pbx: str
    journal_from: int


@_event
class Stopped(Event):
    """The service has ended."""

    NAME = "stopped"


@_event
class Standby(Event):
    """The service waits for its turn."""

    NAME = "standby"
    why: str


@_event
class LeaseLost(Event):
    """Another process took the lease."""

    NAME = "lease-lost"
    ALARMING = True
    pbx: str
    why: str


@_event
class TextingBegun(Event):
    """Texts of a PBX are sent by this process from now on."""

    NAME = "texting"
    pbx: str


@_event
class TextingLost(Event):
    """Another process took the lease to send texts; this one stands by."""

    NAME = "texting-lost"
    ALARMING = True
    pbx: str
    why: str


@_event
class LineUnknown(Event):
    """Nobody knows who is on the line of another PBX of this database: they may be rung from here meanwhile."""

    NAME = "line-unknown"
    ALARMING = True
    pbx: str
    why: str


@_event
class LineKnown(Event):
    """It is known again who is on the line of another PBX."""

    NAME = "line-known"
    ALARMING = True
    pbx: str


@_event
class LeaseKept(Event):
    """The lease could not be given back."""

    NAME = "lease-kept"
    why: str


@_event
class _Pbx(Event):
    """How the connection to the PBX is."""

    pbx: str
    why: str
    remedy: str | None = None
    still_since_at: int | None = None


@_event
class PbxUp(_Pbx):
    """The PBX is connected."""

    NAME = "pbx-up"


@_event
class PbxDown(_Pbx):
    """The PBX is away."""

    NAME = "pbx-down"
    ALARMING = True


@_event
class PbxJournalFull(_Pbx):
    """The journal cannot be written."""

    NAME = "pbx-journal-full"
    ALARMING = True


@_event
class PbxRefused(_Pbx):
    """Messages of the PBX were refused."""

    NAME = "pbx-refused"


@_event
class PbxBehind(_Pbx):
    """More is heard of the PBX than is committed in time."""

    NAME = "pbx-behind"
    ALARMING = True


@_event
class PbxLevel(_Pbx):
    """All that was heard of the PBX is committed again."""

    NAME = "pbx-level"


@_event
class PbxStrangers(_Pbx):
    """Calls on no trunk of the settings are left out."""

    NAME = "pbx-strangers"


@_event
class UnknownQueue(Event):
    """The settings name a queue that the PBX does not have."""

    NAME = "unknown-queue"
    queue: str
    why: str


@_event
class RulesInForce(Event):
    """The service goes by another version of the rules from now on."""

    NAME = "rules-in-force"
    version: int
    who: str
    why: str


@_event
class RulesConflict(Event):
    """The settings file's rules were changed, though people publish the rules: the file's are not in force."""

    NAME = "rules-conflict"
    ALARMING = True
    keys: list[str]
    version: int


@_event
class SiteKey(Event):
    """Where the root of the site's keys is kept."""

    NAME = "site-key"
    inside: bool
    why: str


@_event
class AuditHead(Event):
    """Where the audit's chain ends."""

    NAME = "audit-head"
    ALARMING = True
    anchor: str


@_event
class Restored(Event):
    """The database was made of a backup: what happened after it was made is not known there."""

    NAME = "restored"
    ALARMING = True
    backup_at: int
    texts: int


@_event
class Compared(Event):
    """After a restore: what the PBX tells of the time since the backup was compared, and callbacks go on."""

    NAME = "compared"
    ALARMING = True
    go_on: int
    done: int
    left: int
    texts: int
    why: str


@_event
class PutAside(Event):
    """Something that was heard could not be committed, and nothing was done about it."""

    NAME = "put-aside"
    ALARMING = True
    item: str
    why: str


@_event
class CommitterDied(Event):
    """The process that commits has ended; another begins."""

    NAME = "committer-died"
    why: str
    again_in_s: float


@_event
class DoorOpened(Event):
    """The web process began."""

    NAME = "door-opened"
    pid: int


@_event
class DoorDied(Event):
    """The web process has ended; another begins."""

    NAME = "door-died"
    why: str
    again_in_s: float


@_event
class ConsoleOpened(Event):
    """The console's process began; `url` is its address in a browser."""

    NAME = "console-opened"
    pid: int
    url: str


@_event
class ConsoleDied(Event):
    """The console's process has ended; another begins."""

    NAME = "console-died"
    why: str
    again_in_s: float


@_event
class ProcessDown(Event):
    """A process that is kept beside the service ended: `commit`, `door`, `console` or `metrics`."""

    NAME = "process-down"
    ALARMING = True
    process: str
    why: str


@_event
class ProcessBack(Event):
    """It has lived for a minute again."""

    NAME = "process-back"
    ALARMING = True
    process: str


@_event
class MetricsOpened(Event):
    """The process that serves metrics and health checks began."""

    NAME = "metrics-opened"
    pid: int
    where: str


@_event
class MetricsDied(Event):
    """The process that serves metrics and health checks has ended; another begins."""

    NAME = "metrics-died"
    why: str
    again_in_s: float


@_event
class _Trouble(Event):
    """Something that lasts, and is told once when it begins and once when it is over."""

    about: str
    why: str


@_event
class NodeGone(_Trouble):
    """A process of the site has given no sign of life: it was killed, or cut off from the database."""

    NAME = "node-gone"
    ALARMING = True


@_event
class NodeBack(_Trouble):
    """It is there again, or another one in its place."""

    NAME = "node-back"
    ALARMING = True


@_event
class ClockOff(_Trouble):
    """A machine's clock is off the database's, or the PBX's off the machine's: nothing is dialled from there."""

    NAME = "clock-off"
    ALARMING = True


@_event
class ClockRight(_Trouble):
    """They agree again."""

    NAME = "clock-right"
    ALARMING = True


@_event
class DiskLow(_Trouble):
    """A disk that the service writes to is nearly full."""

    NAME = "disk-low"
    ALARMING = True


@_event
class DiskEnough(_Trouble):
    """It has room again."""

    NAME = "disk-enough"
    ALARMING = True


@_event
class RedisAway(_Trouble):
    """Redis is away from a node: nothing is lost, and some things take a moment longer."""

    NAME = "redis-away"


@_event
class RedisBack(_Trouble):
    """It is there again."""

    NAME = "redis-back"


@_event
class AlarmNotPassed(Event):
    """An alarm did not get through a channel."""

    NAME = "alarm-not-passed"
    channel: str
    why: str


@_event
class _TextsStuck(Event):
    """Texts that do not leave, or do not arrive, for another reason than their recipients."""

    line: str
    code: str
    texts: int
    lost: int
    why: str


@_event
class TextsRefused(_TextsStuck):
    """Texts do not leave, or do not arrive: somebody must act, or they are lost."""

    NAME = "texts-refused"
    ALARMING = True


@_event
class TextsDelayed(_TextsStuck):
    """Texts are late; that passes by itself."""

    NAME = "texts-delayed"


@_event
class TextFailed(Event):
    """A text to a customer was refused, or did not arrive."""

    NAME = "text-failed"
    reservation: int
    code: str


@_event
class Answered(Event):
    """A customer answered by text; `for_people`: somebody must read it."""

    NAME = "answered"
    answer: int
    for_people: bool
    reservation: int | None = None


# Programs


@_event
class WebhookDisabled(Event):
    """Nothing is sent to an endpoint any more; `why`: gone, failing or full."""

    NAME = "webhook-disabled"
    ALARMING = True
    endpoint: int
    host: str
    why: str


# Care and campaigns


@_event
class FollowUpReserved(Event):
    """A callback was reserved that no lost call made: `about` names its case, campaign or flag."""

    NAME = "follow-up-reserved"
    reservation: int
    queue: str
    about: str
    clock_starts_at: int
    deadline_at: int


@_event
class ContactRefused(Event):
    """A customer was flagged for today, and may not be called: the owner of the flag has to know."""

    NAME = "contact-refused"
    flag: int
    queue: str
    owner: str
    why: str


@_event
class SurveyAsked(Event):
    """A customer was asked by text about one service."""

    NAME = "survey-asked"
    survey: int
    queue: str
    kind: str
    agent: str | None


@_event
class SurveyAnswered(Event):
    """A customer answered such a question, 1 to 5."""

    NAME = "survey-answered"
    survey: int
    queue: str
    kind: str
    agent: str | None
    score: int


@_event
class CaseOpened(Event):
    """A customer is not content: a case was opened."""

    NAME = "case-opened"
    case: int
    queue: str
    kind: str
    topic: str
    department: str
    due_at: int
    repeats: int


@_event
class CaseMoved(Event):
    """A case went on: what happened, and how it stands."""

    NAME = "case-moved"
    case: int
    queue: str
    kind: str
    event: str
    state: str
    department: str
    owner: str | None


@_event
class CaseAtRisk(Event):
    """A case was not answered, and its time is nearly over, or is."""

    NAME = "case-at-risk"
    ALARMING = True
    case: int
    queue: str
    kind: str
    department: str
    owner: str | None
    due_at: int


@_event
class LetterFailed(Event):
    """A mail to a department could not be sent."""

    NAME = "letter-failed"
    ALARMING = True
    letter: int
    department: str
    why: str


@_event
class CampaignMoved(Event):
    """A campaign was built, started, stopped or done."""

    NAME = "campaign-moved"
    campaign: int
    name: str
    state: str
    people: int
    told: int
    who: str


@_event
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
