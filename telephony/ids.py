"""Whose channel this is, and which numbers can be called back: told by form alone, without a database."""

import re
from typing import Final

_OURS: Final = re.compile(r"lcr-([0-9A-Za-z_]+)-[12]")
_GIVEN_BY_ASTERISK: Final = re.compile(r"(?:.+-)?([0-9]{9,10})\.[0-9]+", re.ASCII | re.DOTALL)
_NUMBER: Final = re.compile(r"\+?[0-9]{3,20}")
_LOCAL: Final = "Local/"

SECOND: Final = 1_000_000
NO_CALL: Final = "OutgoingSpoolFailed"
"""The channel on which Asterisk runs extension `failed` after an Originate failed: nobody is on it."""


def attempt_of(uniqueid: str) -> str | None:
    """Give the attempt whose channel has this id (`lcr-<attempt>-1` or `-2`), None for anybody else's."""
    ours = _OURS.fullmatch(uniqueid)
    return ours[1] if ours else None


def epoch_of(uniqueid: str) -> int | None:
    """Give the instant (µs) in an id of Asterisk's own, `[systemname-]epoch.sequence`; None for other ids."""
    given = _GIVEN_BY_ASTERISK.fullmatch(uniqueid)
    return int(given[1]) * SECOND if given else None


def originated(uniqueid: str, channel: str = "") -> bool:
    """Tell whether a call with this first channel was placed by a program, not by a customer.

    Asterisk names a caller's channel `[systemname-]epoch.sequence`: any other id was chosen by whoever sent
    an Originate. And nobody's call comes in on a Local channel: where that is the first, it was placed.
    """
    return epoch_of(uniqueid) is None or is_local(channel)


def is_local(channel: str) -> bool:
    """Tell whether the channel only ties two others together inside Asterisk."""
    return channel.startswith(_LOCAL)


def usable(number: str) -> str | None:
    """Give the number as signalled where it can be one (`+`, 3 to 20 digits); None for anonymous and such."""
    return number if _NUMBER.fullmatch(number) else None
