"""The days on which a site is closed: the public holidays where it is, and those that it chooses itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from scheduler.errors import SchedulerError


@dataclass(frozen=True, slots=True)
class DaysOff:
    """A container of dates: the public holidays of `country`, and the site's `own`, except those that it `works`.

    `country` is a code of ISO 3166, with a part of the country where holidays differ: "JP", "US-CA"; empty: none.
    """

    country: str = ""
    own: frozenset[date] = frozenset()
    works: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if self.country:
            _public(self.country, 2026)

    def __contains__(self, day: object) -> bool:
        if not isinstance(day, date) or day in self.works:
            return False
        return day in self.own or (bool(self.country) and day in _public(self.country, day.year))


@lru_cache(maxsize=512)
def _public(country: str, year: int) -> frozenset[date]:
    """Give the public holidays of a year, as the `holidays` package knows them; SchedulerError for an unknown code."""
    import holidays  # noqa: PLC0415 - half a second that only those pay who name a country

    nation, _, part = country.partition("-")
    try:
        return frozenset(holidays.country_holidays(nation, subdiv=part or None, years=year))
    except NotImplementedError as error:
        raise SchedulerError(
            f"holidays of {country!r} are not known ({error}): write a country as in JP, or a part of it as in US-CA"
        ) from error
