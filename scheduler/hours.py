"""When a customer's phone may ring: the site's opening hours, its holidays, and the customer's quiet hours.

Settings are wall times and answers are instants: opening hours and holidays on the site's clock, quiet hours
on the clocks of the callee's zones, else on the site's. Of several zones and several quiet hours the strictest holds.

Where the clock is put forward or back, quiet hours take the strict side: they begin when the clock first shows their
start (or jumps over it) and end when it last shows their end. Opening hours begin and end when the clock first shows
them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import islice, pairwise
from typing import TYPE_CHECKING

from scheduler.clock import first, last, local
from scheduler.errors import SchedulerError

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping
    from zoneinfo import ZoneInfo

Span = tuple[time, time]
MIDNIGHT = time(0)
ALL_DAY: tuple[Span, ...] = ((MIDNIGHT, MIDNIGHT),)
EVERY_DAY: Mapping[int, tuple[Span, ...]] = dict.fromkeys(range(7), ALL_DAY)
WEEK = frozenset(range(7))

_ONE_DAY = timedelta(days=1)
_HORIZON_DAYS = 800
_HORIZON_OPENINGS = 60  # where the callee's hours meet none of them, the customer is never called
_SPAN = re.compile(r"(\d\d:\d\d(?::\d\d)?)\s*-\s*(\d\d:\d\d(?::\d\d)?)")


def spans(text: str) -> tuple[Span, ...]:
    """Read a day's opening hours as in "09:00-12:00, 13:00-24:00"; an empty text means closed all day."""
    return tuple(_span(part.strip()) for part in text.split(",")) if text.strip() else ()


def _span(text: str) -> Span:
    match = _SPAN.fullmatch(text)
    try:
        if match:
            opens, closes = match.groups()
            return time.fromisoformat(opens), MIDNIGHT if closes == "24:00" else time.fromisoformat(closes)
    except ValueError:
        pass
    raise SchedulerError(f"opening hours {text!r} cannot be read: write them as in 09:00-12:00, 13:00-24:00")


@dataclass(frozen=True, slots=True)
class Quiet:
    """Quiet hours on any clock: from `begins` until just before `ends`, the next day if that is the earlier time.

    Where both are the same there are none. On weekdays that are not among `days` (0 is Monday) all day is quiet.
    """

    begins: time = MIDNIGHT
    ends: time = MIDNIGHT
    days: frozenset[int] = WEEK

    def around(self, now: int, zone: ZoneInfo) -> Iterator[tuple[int, int]]:
        """Give start and end of the quiet hours about `now`: two days each side, for a clock may skip one."""
        today = local(now, zone).date()
        for days in range(-2, 3):
            yield from self._of(today + days * _ONE_DAY, zone)

    def _of(self, day: date, zone: ZoneInfo) -> Iterator[tuple[int, int]]:
        if self.begins != self.ends:
            end = day if self.begins < self.ends else day + _ONE_DAY
            yield first(datetime.combine(day, self.begins), zone), last(datetime.combine(end, self.ends), zone)
        if day.weekday() not in self.days:
            begin, end = datetime.combine(day, MIDNIGHT), datetime.combine(day + _ONE_DAY, MIDNIGHT)
            yield first(begin, zone), last(end, zone)


@dataclass(frozen=True, slots=True)
class Hours:
    """A site's hours, for whom it calls.

    `opening` gives for each weekday (0 is Monday; a missing one is closed) its spans; a span that ends at
    00:00 ends with the day, and none crosses midnight. On `holidays` the site is closed. `special` gives the spans of
    single dates, in place of their weekday's and of a holiday's. Quiet hours run from `quiet_from` until just before
    `quiet_until`, the next day if that is the earlier time.

    `callee_zones` are the zones that the callee may be in: on the clock of each of them phones are quiet, then, in
    place of the site's. `besides` are quiet hours that hold in addition (the country's, the trunk's).
    """

    zone: ZoneInfo
    opening: Mapping[int, tuple[Span, ...]] = field(default_factory=lambda: EVERY_DAY)
    holidays: Container[date] = frozenset()
    quiet_from: time = time(21, 30)
    quiet_until: time = time(8)
    callee_zones: tuple[ZoneInfo, ...] = ()
    besides: tuple[Quiet, ...] = ()
    special: Mapping[date, tuple[Span, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.quiet_from == self.quiet_until:
            raise SchedulerError(f"quiet_from and quiet_until are both {self.quiet_from}: let them differ")
        for weekday, day in self.opening.items():
            if weekday not in range(7):
                raise SchedulerError(f"opening hours of weekday {weekday}: weekdays are 0 (Monday) to 6 (Sunday)")
            _check_day(day)
        for day in self.special.values():
            _check_day(day)
        if not any(self._rings_within(span) for day in self.opening.values() for span in day):
            raise SchedulerError("no phone may ever ring: the opening hours lie within the quiet hours")

    def quiet(self, now: int) -> bool:
        """Whether no customer's phone may ring at `now`, whoever is at work."""
        return any(start <= now < end for start, end in self._quiet_around(now))

    def open(self, now: int) -> bool:
        """Whether the site works at `now`."""
        return self._closing(now) is not None

    def opens_on(self, day: date) -> bool:
        """Whether the site opens at all on `day`."""
        return any(start < end for start, end in self._openings_of(day))

    def may_ring(self, now: int) -> bool:
        """Whether a customer may be called at `now`: open, and not quiet."""
        return self.open(now) and not self.quiet(now)

    def ring_until(self, now: int) -> int | None:
        """Say by when a ring begun `now` must have ended: the next quiet hours. None if it must not begin."""
        return self._next_quiet(now) if self.may_ring(now) else None

    def cut(self, now: int) -> int | None:
        """Say until when customers may be called from `now` on: quiet hours or closing. None if not now."""
        return self.stretch(now)[1] if self.may_ring(now) else None

    def stretch(self, now: int) -> tuple[int, int]:
        """Find the first stretch from `now` on in which customers may be called: its start, and its cut."""
        start = end = self.next_opening(now)
        until = self._next_quiet(start)
        while end < until and (closing := self._closing(end)) is not None:
            end = closing
        return start, min(end, until)

    def next_opening(self, now: int) -> int:
        """Find the first instant from `now` on, `now` included, at which a customer may be called."""
        for start, end in islice(self._openings(local(now, self.zone).date() - _ONE_DAY), _HORIZON_OPENINGS):
            at = max(start, now)
            while at < end:
                over = [stop for begin, stop in self._quiet_around(at) if begin <= at < stop]
                if not over:
                    return at
                at = max(over)
        raise SchedulerError(
            f"closed for the next {_HORIZON_DAYS} days, or the next {_HORIZON_OPENINGS} openings all lie within the"
            " callee's quiet hours: look at the opening hours, the holidays and the quiet hours"
        )

    def text_from(self, now: int) -> int:
        """Find the first instant from `now` on, `now` included, outside of quiet hours, whoever is at work then."""
        at = now
        for _ in range(_HORIZON_DAYS):
            over = [stop for begin, stop in self._quiet_around(at) if begin <= at < stop]
            if not over:
                return at
            at = max(over)
        raise SchedulerError(f"it is always quiet where the customer is, for {_HORIZON_DAYS} days: look at quiet hours")

    def text_until(self, now: int) -> int:
        """Say when the next quiet hours begin, from which on no text is to arrive."""
        return self._next_quiet(now)

    def _closing(self, now: int) -> int | None:
        """Give the end of the opening that holds `now`."""
        today = local(now, self.zone).date()
        days = (today + days * _ONE_DAY for days in (-1, 0, 1))
        ends = [end for day in days for start, end in self._openings_of(day) if start <= now < end]
        return max(ends, default=None)

    def _openings(self, day: date) -> Iterator[tuple[int, int]]:
        for days in range(_HORIZON_DAYS):
            yield from self._openings_of(day + days * _ONE_DAY)

    def _openings_of(self, day: date) -> Iterator[tuple[int, int]]:
        """Give start and end of each opening of `day`; one that the clock jumps over is empty."""
        for opens, closes in self.spans_of(day):
            end = day + _ONE_DAY if closes == MIDNIGHT else day
            yield (
                first(datetime.combine(day, opens), self.zone),
                first(datetime.combine(end, closes), self.zone),
            )

    def spans_of(self, day: date) -> tuple[Span, ...]:
        """Give the opening hours of a day; none where the site is closed."""
        if day in self.special:
            return self.special[day]
        return () if day in self.holidays else self.opening.get(day.weekday(), ())

    def _quiet_around(self, now: int) -> list[tuple[int, int]]:
        """Give start and end of all quiet hours about `now`, on every clock that counts."""
        kinds = (Quiet(self.quiet_from, self.quiet_until), *self.besides)
        zones = self.callee_zones or (self.zone,)
        return [span for zone in zones for kind in kinds for span in kind.around(now, zone)]

    def _next_quiet(self, now: int) -> int:
        return min(start for start, _ in self._quiet_around(now) if start > now)

    def _rings_within(self, span: Span) -> bool:
        """Whether some wall time of `span` is not quiet."""
        opens, closes = span
        over_midnight = self.quiet_from > self.quiet_until
        if over_midnight:
            quiet = opens >= self.quiet_from or opens < self.quiet_until
        else:
            quiet = self.quiet_from <= opens < self.quiet_until
        return not quiet or (opens < self.quiet_until and (closes == MIDNIGHT or self.quiet_until < closes))


def _check_day(day: tuple[Span, ...]) -> None:
    """Refuse spans that nobody could mean."""
    for opens, closes in day:
        if closes != MIDNIGHT and closes <= opens:
            raise SchedulerError(
                f"opening hours {opens}-{closes} cross midnight or are empty: "
                "end the day with 24:00, and open the next one at 00:00"
            )
    for (_, closes), (opens, _) in pairwise(day):
        if closes == MIDNIGHT or opens < closes:
            raise SchedulerError(f"opening hours until {closes} and from {opens} overlap, or are out of order")
