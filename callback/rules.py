"""Shift rules: what a supervisor may change from one day to the next.

They come from the [rules] part of the settings file and are kept as immutable versions in SQL: every verdict,
promise and decision records the version it was made under.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, time
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from scheduler import clock
from scheduler.errors import SchedulerError
from scheduler.hours import EVERY_DAY, Hours, spans
from scheduler.promise import Terms
from scheduler.retry import Policy
from telephony.dialler import safe_value

E164 = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")]
Switch = Literal["watch", "on"]
Minutes = Annotated[float, Field(gt=0, le=24 * 60)]
Seconds = Annotated[float, Field(ge=0, le=3600)]

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Part(BaseModel):
    """A part of the settings: unknown keys are faults, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def told(rule: Callable[..., object], *values: str) -> None:
    """Let a rule of time refuse a value as pydantic likes to hear it."""
    try:
        rule(*values)
    except SchedulerError as error:
        raise ValueError(str(error)) from error


class QueueRules(Part):
    """What holds for one queue. Both switches start in `watch`: recorded, neither texted nor dialled."""

    texts: Switch = "watch"
    calls: Switch = "watch"
    only_numbers: tuple[E164, ...] = ()  # not empty: act for these E.164 numbers alone
    caller_id: str = ""  # the number that the customer sees, which leads back into the queue
    caller_name: str = ""  # the name beside it
    group: str = "site"  # served in one queue of the group is served in all
    detect_silence: bool = False  # TALK_DETECT on every talk: finds silent calls, costs native bridging
    language: str = "en"
    record: bool = False  # keep what both say in a callback

    @model_validator(mode="after")
    def _has_caller_id(self) -> QueueRules:
        if "on" in (self.texts, self.calls) and not re.fullmatch(r"\+?[0-9]{2,15}", self.caller_id):
            raise ValueError("caller_id must be the number that leads back into the queue before texts or calls are on")
        if (self.texts, self.calls) == ("on", "watch"):
            raise ValueError("texts promise a callback: switch calls on too, or texts off")
        if not safe_value(self.caller_name):
            raise ValueError("caller_name must hold none of & | , $ [ ] { } \\ and quotes: the dialplan reads them")
        return self


class ShiftRules(Part):
    """Hours, promises, retries and switches of one site."""

    zone: str = "UTC"
    opening: dict[str, str] = Field(default_factory=dict)  # monday = "09:00-12:00, 13:00-18:00"; none: always
    holidays: tuple[date, ...] = ()
    no_ring_after: time = time(21, 30)
    no_ring_before: time = time(8, 0)
    window_min: Minutes = 60
    aim_min: Minutes = 30
    silent_min: Minutes = 10  # the window after a silent call
    dropped_min: Minutes = 30  # and after one that was cut off
    short_abandon_s: Seconds = 5
    text_grace_s: Seconds = 20
    agent_wait_s: Annotated[int, Field(ge=3, le=300)] = 30  # how long a free agent is sought for one attempt
    ring_s: Annotated[int, Field(ge=3, le=120)] = 25  # how long the customer's phone rings at most
    reached_after_s: Seconds = 10  # both legs bridged for this long
    max_tries: Annotated[int, Field(ge=1, le=10)] = 3
    rings_a_day: Annotated[int, Field(ge=1, le=20)] = 5  # of one customer's phone, whatever for
    retry_busy_min: Minutes = 5
    retry_no_answer_min: Minutes = 15
    retry_unknown_min: Minutes = 15
    retry_our_fault_min: Minutes = 1
    dids: dict[str, str] = Field(default_factory=dict)  # number dialled, as signalled → the queue that it leads to
    returning_priority: Annotated[int, Field(ge=0, le=100)] = 10  # of who calls again before we called him; 0: none
    default_queue: str | None = None  # of calls on other numbers that were lost before any queue; none: not ours
    queues: dict[str, QueueRules] = Field(default_factory=dict)

    @field_validator("opening")
    @classmethod
    def _weekdays(cls, opening: dict[str, str]) -> dict[str, str]:
        for day in opening:
            if day not in WEEKDAYS:
                raise ValueError(f"'{day}' is no weekday; write one of {', '.join(WEEKDAYS)}")
        for text in opening.values():
            told(spans, text)
        return opening

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        told(clock.zone, zone)
        return zone

    @model_validator(mode="after")
    def _sound(self) -> ShiftRules:
        if self.aim_min > self.window_min:
            raise ValueError("aim_min must not be longer than window_min")
        for made in (self.hours, self.terms, self.policy):
            told(made)
        return self

    def hours(self) -> Hours:
        """Opening and quiet hours of the site."""
        opening = {WEEKDAYS.index(day): spans(text) for day, text in self.opening.items()}
        return Hours(
            zone=clock.zone(self.zone),
            opening=opening or EVERY_DAY,
            holidays=frozenset(self.holidays),
            quiet_from=self.no_ring_after,
            quiet_until=self.no_ring_before,
        )

    def terms(self) -> Terms:
        """The promise of every kind: the window, and the aim inside it."""
        return Terms(
            window_s=round(self.window_min * 60),
            aim_s=round(self.aim_min * 60),
            silent_s=round(self.silent_min * 60),
            dropped_s=round(self.dropped_min * 60),
            least_s=self.ring_s,
        )

    def policy(self) -> Policy:
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
        return Policy(max_tries=self.max_tries, after_s=seconds)

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
        return self.queues.get(name, QueueRules())
