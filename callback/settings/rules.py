"""A site's rules: what a supervisor may change from one day to the next.

They come from the [rules] part of the settings file and are kept as immutable versions in SQL: every verdict,
promise and decision records the version it was made under.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, time
from typing import Annotated, Literal

from phonenumbers import SUPPORTED_REGIONS
from pydantic import Field, ValidationInfo, field_validator, model_validator

from callback.settings.care import Campaigns, Care, QueueCare
from callback.settings.part import Part
from scheduler import clock
from scheduler.candidate import IN_AIM, IN_WINDOW, OVERDUE
from scheduler.days_off import DaysOff
from scheduler.errors import SchedulerError
from scheduler.hours import EVERY_DAY, MIDNIGHT, Hours, Quiet, spans
from scheduler.incident import IncidentTerms
from scheduler.policy import CallbackPolicy, Lane
from scheduler.promise import PromiseTerms
from scheduler.retry import RetryPolicy, default_min
from telephony.dialling.dialler import First, safe_value

E164 = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")]
Switch = Literal["watch", "on"]
OwnCalls = Literal["settle", "settle-any-phone", "grace", "ignore"]
Minutes = Annotated[float, Field(gt=0, le=24 * 60)]
Seconds = Annotated[float, Field(ge=0, le=3600)]
Price = Annotated[float, Field(ge=0, le=1000)]

AIM_LONGER = "aim_min must not be longer than window_min"

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def told(rule: Callable[..., object], *values: str) -> None:
    """Let a rule of time refuse a value in the way that pydantic reports."""
    try:
        rule(*values)
    except SchedulerError as error:
        raise ValueError(str(error)) from error


class QueueRules(Part):
    """What holds for one queue. Both switches start in `watch`: recorded, neither texted nor dialled."""

    texts: Switch = "watch"  # "on": its lost callers are texted
    calls: Switch = "watch"  # "on": and called back
    only_numbers: tuple[E164, ...] = ()  # not empty: act for these E.164 numbers alone
    caller_id: str = ""  # the number that the customer sees, which leads back into the queue
    caller_name: str = ""  # the name beside it
    group: str = "site"  # served in one queue of the group is served in all
    detect_silence: bool = False  # TALK_DETECT on every talk: finds silent calls, costs native bridging
    language: str = "en"  # of its texts
    text_from: str = ""  # the account of [texts.twilio] that its texts go by; empty: the first
    record: bool = False  # keep what both say in a callback
    first: First = "agent"  # whom a callback rings first; "customer": who then waits for the agent that was free
    tell_number: bool = False  # text this queue's caller_id to whom another had to hand on to it
    care: QueueCare = QueueCare()

    @model_validator(mode="after")
    def _has_caller_id(self) -> QueueRules:
        if "on" in (self.texts, self.calls) and not re.fullmatch(r"\+?[0-9]{2,15}", self.caller_id):
            raise ValueError("caller_id must be the number that leads back into the queue before texts or calls are on")
        if (self.texts, self.calls) == ("on", "watch"):
            raise ValueError("texts promise a callback: switch calls on too, or texts off")
        if not safe_value(self.caller_name):
            raise ValueError("caller_name must hold none of & | , $ [ ] { } \\ and quotes: the dialplan reads them")
        return self


_TERMS, _INCIDENT = PromiseTerms(), IncidentTerms()  # the defaults' home is the scheduler: no figure stands here twice
_UNNAMED = QueueRules()  # made once: it is asked for at each decision


class QuietRules(Part):
    """When no phone may ring besides the site's own quiet hours: in a country, or over a trunk. The strictest holds."""

    no_ring_after: time | None = None  # as below [rules]; none: as there
    no_ring_before: time | None = None  # the same
    days: tuple[str, ...] = WEEKDAYS  # on others no phone rings at all

    @model_validator(mode="after")
    def _says_something(self) -> QuietRules:
        if unknown := set(self.days) - set(WEEKDAYS):
            raise ValueError(f"'{min(unknown)}' is no weekday; write some of {', '.join(WEEKDAYS)}")
        if not self.days:
            raise ValueError("days must name a weekday on which phones may ring")
        if self.quiet() == Quiet() or None is not self.no_ring_after == self.no_ring_before:
            raise ValueError("say no_ring_after, no_ring_before or days, and let the two times differ")
        return self

    def quiet(self) -> Quiet:
        """The same on any clock; a time that is not said is midnight."""
        days = frozenset(WEEKDAYS.index(day) for day in self.days)
        return Quiet(self.no_ring_after or MIDNIGHT, self.no_ring_before or MIDNIGHT, days)


class Pacing(Part):
    """What is left for live callers: agents kept free, and how many callers a callback may cost (docs/policy.md).

    What it costs is reckoned once enough calls are known to say how long they take and how patient callers are.
    """

    keep_free: Annotated[int, Field(ge=0, le=1000)] = 0  # agents, whatever the load
    price_in_aim: Price = 0.17  # callers who may hang up because of a callback that is within its aim
    price_in_window: Price = 0.12  # after its aim, before its deadline
    price_overdue: Price = 0.03  # after its deadline, where no live promise is held back
    binds_min: Annotated[float, Field(ge=0, le=60)] = 5  # before its deadline a callback waits its turn like a caller
    price_binding: Price = 0.17  # and may then cost this, if it is more; keep_free does not hold it back
    most_at_once: Annotated[int, Field(ge=1, le=10_000)] = 100  # callbacks under way

    def callback_policy(self) -> CallbackPolicy:
        """Whom to call first, and what holds a callback back."""
        lanes = {
            IN_AIM: Lane("oldest", self.price_in_aim),
            IN_WINDOW: Lane("newest", self.price_in_window),
            OVERDUE: Lane("oldest", self.price_overdue),
        }
        return CallbackPolicy(
            lanes,
            self.keep_free,
            bind_s=round(self.binds_min * 60),
            bind_price=self.price_binding,
            by_queue=True,
        )


class SiteRules(Part):
    """Hours, promises, retries and switches of one site."""

    zone: str  # of the site, as in Europe/Berlin
    opening: dict[str, str] = Field(default_factory=dict)  # monday = "09:00-12:00, 13:00-18:00"; none: always
    holidays_of: Annotated[str, Field(pattern=r"^([A-Z]{2}(-[A-Z0-9]{1,3})?)?$")] = ""  # a country: JP, or US-CA
    holidays: tuple[date, ...] = ()  # closed on these days too
    no_holidays: tuple[date, ...] = ()  # at work on these, though they are holidays
    special: dict[date, str] = Field(default_factory=dict)  # one day's own hours: "2026-02-14" = "09:00-18:00"
    no_ring_after: time = time(21, 30)  # on the customer's clock, where the number tells it
    no_ring_before: time = time(8, 0)  # the same in the morning
    countries: dict[str, QuietRules] = Field(default_factory=dict)  # by ISO 3166: what holds for its numbers besides
    trunks: dict[str, QuietRules] = Field(default_factory=dict)  # and for whom we call over a trunk
    window_min: Minutes = _TERMS.window_s // 60  # a lost caller is promised a call within this
    aim_min: Annotated[Minutes, Field(validate_default=True)] = _TERMS.aim_s // 60  # and ours is to do it within this
    silent_min: Minutes = _TERMS.silent_s // 60  # the window after a silent call
    dropped_min: Minutes = _TERMS.dropped_s // 60  # and after one that was cut off
    before_cut_min: Annotated[float, Field(ge=0, le=60)] = _TERMS.before_cut_s // 60  # with less left: the next opening
    short_abandon_s: Seconds = 5  # who gave up sooner is recorded only
    text_grace_s: Seconds = 20  # before a text: who calls again at once gets none
    agent_wait_s: Annotated[int, Field(ge=3, le=300)] = 30  # how long a free agent is sought for one attempt
    ring_s: Annotated[int, Field(ge=3, le=120)] = 25  # how long the customer's phone rings at most
    reached_after_s: Seconds = 10  # both legs bridged for this long
    max_tries: Annotated[int, Field(ge=1, le=10)] = RetryPolicy().max_tries  # then a second text, and it ends
    own_calls: OwnCalls = "settle"  # an agent rang the customer by hand: docs/attempts.md
    own_call_grace_s: Seconds = 60  # after such a call ended, before we dial
    rings_a_day: Annotated[int, Field(ge=1, le=20)] = 5  # of one customer's phone, whatever for
    retry_busy_min: Minutes = default_min("busy")  # tried again so long after it was busy
    retry_no_answer_min: Minutes = default_min("no-answer")  # after nobody answered, or a machine did
    retry_unknown_min: Minutes = default_min("unknown")  # after an attempt whose end nobody heard
    retry_our_fault_min: Minutes = default_min("trunk-failure")  # after a trunk or an agent failed, which costs no try
    trunk_rest_s: Annotated[float, Field(ge=1, le=600)] = 30  # of a trunk that failed thrice; each time twice as long
    overdue_min: Minutes = 60  # who was not called in time is told to be called within this; then tried once more
    incident_losses: Annotated[int, Field(ge=1, le=100_000)] = _INCIDENT.losses  # more of one queue, reason and trunk …
    incident_min: Minutes = _INCIDENT.window_s // 60  # … within this are one incident: no calls, no texts
    incident_drain_per_min: Annotated[float, Field(gt=0, le=1000)] = _INCIDENT.drain_per_min  # of those held, then
    ask_after: bool = False  # one question by text to whom we reached: solved, and satisfied from 1 to 5?
    slot_room: Annotated[int, Field(ge=1, le=1000)] = 5  # how many may choose one half hour of one queue
    texts_a_day: Annotated[int, Field(ge=1, le=100)] = 6  # to one person in 24 hours
    texts_a_block: Annotated[int, Field(ge=1, le=100_000)] = 20  # in an hour to one block of 10,000 numbers
    texts_an_hour: Annotated[int, Field(ge=1, le=1_000_000)] = 1000  # altogether
    one_ring_s: Seconds = 10  # who hangs up sooner rang once; …
    one_ring_numbers: Annotated[int, Field(ge=2, le=1000)] = 5  # … so many numbers of one thousand doing so …
    one_ring_min: Minutes = 60  # … within this are after a call back to a dear number
    dids: dict[str, str] = Field(default_factory=dict)  # number dialled, as signalled → the queue that it leads to
    returning_priority: Annotated[int, Field(ge=0, le=100)] = (
        10  # of a customer who calls again before we called; 0: none
    )
    default_queue: str | None = None  # of calls on other numbers that were lost before any queue; none: not ours
    pacing: Pacing = Pacing()
    care: Care = Care()
    campaigns: Campaigns = Campaigns()
    queues: dict[str, QueueRules] = Field(default_factory=dict)

    @field_validator("aim_min")
    @classmethod
    def _within_the_window(cls, aim_min: float, info: ValidationInfo) -> float:
        if aim_min > info.data.get("window_min", aim_min):  # it has a fault of its own where it is not there
            raise ValueError(AIM_LONGER)
        return aim_min

    @field_validator("opening")
    @classmethod
    def _weekdays(cls, opening: dict[str, str]) -> dict[str, str]:
        for day in opening:
            if day not in WEEKDAYS:
                raise ValueError(f"'{day}' is no weekday; write one of {', '.join(WEEKDAYS)}")
        for text in opening.values():
            told(spans, text)
        return opening

    @field_validator("special")
    @classmethod
    def _hours_of_a_day(cls, special: dict[date, str]) -> dict[date, str]:
        for text in special.values():
            told(spans, text)
        return special

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        told(clock.zone, zone)
        return zone

    @field_validator("countries")
    @classmethod
    def _known_countries(cls, countries: dict[str, QuietRules]) -> dict[str, QuietRules]:
        for country in countries:
            if country not in SUPPORTED_REGIONS:
                raise ValueError(f"'{country}' is no country of ISO 3166, as in US, GB, JP")
        return countries

    @model_validator(mode="after")
    def _sound(self) -> SiteRules:
        public = f" of {self.holidays_of}" if self.holidays_of else ""
        for day in self.no_holidays:
            if day not in DaysOff(self.holidays_of, frozenset(self.holidays)):
                raise ValueError(
                    f"no_holidays: {day} is no holiday{public}. To work on a day on which the week has no hours,"
                    f' write [rules.special] "{day}" = "09:00-18:00"'
                )
        for made in (self.hours, self.promise_terms, self.retry_policy, self.incident_terms):
            told(made)
        return self

    def hours(self) -> Hours:
        """Opening and quiet hours of the site."""
        opening = {WEEKDAYS.index(day): spans(text) for day, text in self.opening.items()}
        special = {day: spans(text) for day, text in self.special.items()}
        works = {day for day, hours in special.items() if hours}
        return Hours(
            zone=clock.zone(self.zone),
            opening=opening or EVERY_DAY,
            holidays=DaysOff(
                self.holidays_of,
                own=frozenset({*self.holidays, *special} - works),
                works=frozenset({*self.no_holidays, *works}),
            ),
            quiet_from=self.no_ring_after,
            quiet_until=self.no_ring_before,
            special=special,
        )

    def promise_terms(self) -> PromiseTerms:
        """The promise of every kind: the window, and the aim inside it."""
        return PromiseTerms(
            window_s=round(self.window_min * 60),
            aim_s=round(self.aim_min * 60),
            silent_s=round(self.silent_min * 60),
            dropped_s=round(self.dropped_min * 60),
            least_s=self.ring_s,
            before_cut_s=round(self.before_cut_min * 60),
        )

    def retry_policy(self) -> RetryPolicy:
        """What follows an outcome."""
        minutes = {
            "busy": self.retry_busy_min,
            "no-answer": self.retry_no_answer_min,
            "machine": self.retry_no_answer_min,
            "unknown": self.retry_unknown_min,
            "refused-used": self.retry_unknown_min,
            "trunk-failure": self.retry_our_fault_min,
            "agent-no-answer": self.retry_our_fault_min,
            "agent-cancelled": self.retry_our_fault_min,
        }
        seconds = {outcome: round(value * 60) for outcome, value in minutes.items()}
        return RetryPolicy(max_tries=self.max_tries, after_s=seconds)

    def incident_terms(self) -> IncidentTerms:
        """What makes an incident, and how fast it is worked off."""
        return IncidentTerms(self.incident_losses, round(self.incident_min * 60), self.incident_drain_per_min)

    def queue_of(self, did: str | None) -> str | None:
        """The queue that a dialled number leads to, for calls that were lost before they reached it."""
        bare = (did or "").removeprefix("+")  # trunks differ in whether they signal it
        return self.dids.get(bare) or self.dids.get(f"+{bare}") or self.default_queue

    def named(self) -> list[str]:
        """Every queue that the rules speak of, each once."""
        elsewhere = [*self.dids.values(), *([self.default_queue] if self.default_queue else [])]
        return list(dict.fromkeys([*self.queues, *elsewhere]))

    def queue(self, name: str) -> QueueRules:
        """The queue's rules; a queue nobody named is in `watch`."""
        return self.queues.get(name, _UNNAMED)
