"""What the form of an id or a number tells: whose channel it is, whether the number can be called back."""

import re
from typing import Final

_OURS: Final = re.compile(r"lcr-([0-9A-Za-z_]+)-[12]")
_GIVEN_BY_ASTERISK: Final = re.compile(r"(?:.+-)?([0-9]{9,10})\.[0-9]+", re.ASCII | re.DOTALL)
_NUMBER: Final = re.compile(r"\+?[0-9]{3,20}")
_PARAMETERS: Final = r"(?:;[0-9A-Za-z\-_.!~*'()\[\]/:&+$%=]*)*"
_WRITTEN: Final = re.compile(
    rf"(?:tel:|(?P<sip>sips?:))?(?P<user>[+(]?[0-9][0-9 ().\-]*)(?P<parameters>{_PARAMETERS})"
    rf"(?(sip)(?:@[0-9A-Za-z.\-\[\]:]+{_PARAMETERS})?)",
    re.ASCII | re.IGNORECASE,
)
_ADDRESS: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_SEPARATORS: Final = str.maketrans("", "", " ().-")
_CONTEXT: Final = "phone-context="
_LONGEST: Final = 256
_UNREADABLE: Final = "?"
_LOCAL: Final = "Local/"
_DIAL_PARTS: Final = re.compile(r"[/@,&]")
_DIGITS: Final = re.compile(r"\+?[0-9]{3,20}")

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
    """Tell whether it is a Local channel, which only connects two others inside Asterisk."""
    return channel.startswith(_LOCAL)


def usable(number: str) -> str | None:
    """Give the digits (`+` before them or not, 3 to 20) of a number as signalled; None for anonymous and such.

    Carriers write it as in RFC 3966: with separators, `tel:` or `sip:` before it, and parameters behind `;`, of
    which only a phone-context that is part of the number says anything about whose it is.
    """
    if _NUMBER.fullmatch(number):  # nearly always
        return number
    written = _WRITTEN.fullmatch(number) if len(number) <= _LONGEST else None
    if written is None or _ADDRESS.fullmatch(written["user"]):  # a caller without a name has the address of a machine
        return None
    digits = written["user"].translate(_SEPARATORS)
    if not digits.startswith("+"):
        digits = _context(written["parameters"]).translate(_SEPARATORS) + digits
    return digits if _NUMBER.fullmatch(digits) else None


def dialled_numbers(dial_string: str) -> list[str]:
    """Give every number that stands in what was dialled: between trunks and hosts, behind prefixes and marks."""
    found: list[str] = []
    for part in _DIAL_PARTS.split(dial_string):
        digits = usable(part)
        found += [digits] if digits else _DIGITS.findall(part)
    return found


def _context(parameters: str) -> str:
    """Give what phone-context puts before the number: nothing where it is a domain, whose plan is the carrier's own."""
    values = [part[len(_CONTEXT) :] for part in parameters.split(";") if part.lower().startswith(_CONTEXT)]
    if len(values) > 1 or (values and values[0].isdigit()):
        return _UNREADABLE
    return values[0] if values and values[0].startswith("+") else ""
