"""Hours at which a customer's phone may ring: by the country and time zone of the number, as far as it tells.

Which zones a number may be in is Google's libphonenumber (the `phonenumbers` package), not ours: of a landline those of
its area, of a mobile where areas have no numbers of their own those of its country.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

import phonenumbers
from phonenumbers import PhoneNumberType, timezone

from callback.settings.rules import SiteRules
from scheduler import clock
from scheduler.hours import Hours

HoursOf = Callable[[str | None, str], Hours]
"""The hours at which a number (E.164; None: not known) may be rung over a trunk."""

_TELLS_A_PLACE: Final = {
    PhoneNumberType.FIXED_LINE,
    PhoneNumberType.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE,
    PhoneNumberType.VOIP,
}


@dataclass(frozen=True, slots=True)
class Place:
    """A country of ISO 3166 and the zones of which one is the customer's; both empty where the number does not tell."""

    country: str
    zones: tuple[ZoneInfo, ...]


NOWHERE: Final = Place("", ())


@lru_cache(maxsize=16384)  # the open reservations are looked at each second
def place(e164: str | None) -> Place:
    """Say where the holder of a number is; never raises."""
    try:
        number = phonenumbers.parse(e164 or "")
    except phonenumbers.NumberParseException:
        return NOWHERE
    country = phonenumbers.region_code_for_number(number) or ""
    if phonenumbers.number_type(number) not in _TELLS_A_PLACE:
        return Place(country, ())  # a toll-free number may be answered anywhere
    names = (name for name in timezone.time_zones_for_number(number) if name in _zones())
    return Place(country, tuple(clock.zone(name) for name in names))


def hours_of(rules: SiteRules) -> HoursOf:
    """Give the hours of every callee under these rules: the site's, and quiet hours on the customer's clock."""
    site = rules.hours()

    @cache
    def there(where: Place, trunk: str) -> Hours:
        kinds = (rules.countries.get(where.country), rules.trunks.get(trunk))
        besides = tuple(kind.quiet() for kind in kinds if kind is not None)
        elsewhere = () if where.zones == (site.zone,) else where.zones
        return replace(site, callee_zones=elsewhere, besides=besides) if elsewhere or besides else site

    return lambda e164, trunk: there(place(e164), trunk)


@cache
def _zones() -> frozenset[str]:
    """The zones that this machine knows ("Etc/Unknown" is none)."""
    return frozenset(available_timezones())
