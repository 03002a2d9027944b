"""What Twilio's error numbers mean for a text, both in the answer to a request and in a later report of a text.

The words are ours; the numbers are those of https://www.twilio.com/docs/api/errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Fate = Literal["never", "opted-out", "off", "full", "ours", "filtered"]
"""What follows from an error.

never: nothing that waits or mends will bring this text to this number; opted-out: its owner wants no texts;
off: the phone was away, which passes; full: Twilio or a carrier takes no more at the moment, which passes too;
ours: the account, the sender or its registration, which somebody must mend; filtered: what we write is taken for spam.
"""


@dataclass(frozen=True, slots=True)
class Error:
    """An error in words that follow "the text was refused:"."""

    words: str
    fate: Fate


def _all(fate: Fate, words: Mapping[int, str]) -> dict[int, Error]:
    return {number: Error(said, fate) for number, said in words.items()}


NOT_KNOWN: Final = Error("an error that is not known here", "full")
"""Whatever it is, the text was not accepted, or did not arrive: another try can do no harm, and is told."""

ERRORS: Final[Mapping[int, Error]] = (
    _all(
        "never",
        {
            21211: "is no valid number",
            21217: "is no valid number",
            21265: "is a short code",
            21266: "is our own number",
            21401: "is no valid number",
            21602: "the text is empty",
            21604: "there is no number",
            21612: "cannot be reached from our sender",
            21614: "is not a mobile",
            21617: "the text is too long",
            21618: "the text cannot be sent",
            21635: "is a landline",
            30004: "the number takes no texts from us",
            30005: "there is no such phone",
            30006: "is a landline, or its carrier cannot be reached",
            30010: "it would cost more than the account allows",
            30019: "the text is too long for the carrier",
            30046: "nobody confirmed that it arrived",  # so it may have: no second one
        },
    )
    | _all("opted-out", {21610: "has opted out with the carrier"})
    | _all("off", {30003: "the phone cannot be reached", 30008: "the carrier does not say why"})
    | _all(
        "full",
        {
            14107: "too many answers to one number in a short time",
            20429: "Twilio's rate limit",
            21611: "the sender's queue is full",
            21619: "Twilio could not keep the text",
            21730: "Twilio is being maintained",
            30001: "the sender's queue overflowed",
            30017: "the carrier's network is congested",
            30020: "a fault inside Twilio",
            30021: "a fault inside Twilio",
            30022: "faster than the carrier allows",
            30036: "it waited too long in the sender's queue",
            30410: "the carrier did not answer in time",
            30500: "a fault inside Twilio",
            63017: "faster than Twilio allows",
            63018: "faster than Twilio allows",
        },
    )
    | _all(
        "ours",
        {
            401: "the account or its token is not taken",
            403: "the account may not do this",
            404: "there is no such account",
            10001: "the account is not active",
            20003: "the account or its token is not taken",
            20005: "the account is not active",
            20006: "the account may not do this",
            20008: "the token is one for tests",
            20010: "the account may not do this",
            20403: "the account may not do this",
            20404: "there is no such account",
            21212: "the sender is no valid number",
            21219: "a trial account texts verified numbers alone",
            21264: "the sender is not verified",
            21267: "a trial account may not send by a name",
            21407: "the sender cannot text",
            21408: "the account may not text to that country",
            21601: "the sender cannot text",
            21603: "there is no sender",
            21606: "the sender cannot text there",
            21607: "a trial account has a sender of its own",
            21608: "a trial account texts verified numbers alone",
            21609: "[web] public_url is no address that Twilio can call",
            21616: "the sender is not said in full",
            21657: "that sender is not allowed in that country",
            21659: "the sender is none of Twilio's, or not of that country",
            21660: "the sender is not the account's",
            21661: "the sender cannot text",
            21701: "there is no such service",
            21702: "the service takes no texts",
            21703: "the service has no sender for that country",
            21704: "the service has no sender",
            21705: "the service is no valid one",
            21709: "the service may not send by that name",
            21711: "the sender is not the service's",
            21910: "the sender is of another kind than the number",
            30002: "the account is suspended",
            30018: "the carrier asks that the sender is registered before",
            30023: "the carrier's limit for one day is reached",
            30024: "the carrier does not know the sender yet",
            30027: "the carrier's limit for one day is reached",
            30032: "the toll-free sender is not verified",
            30033: "the registered campaign is suspended",
            30034: "the sender is not registered for texts to the US",
            30035: "the registration of the sender is not complete",
            30037: "the account may send no texts",
            30040: "the carrier asks that the sender is registered before",
            30450: "Twilio takes our texts for a fraud, and blocks them for a while",
            30453: "Twilio takes our texts for a fraud, and blocks them for a while",
            30454: "the account's limit is reached",
            63007: "the sender cannot text",
            63038: "the account's limit for one day is reached",
        },
    )
    | _all("filtered", {30007: "carriers filter our texts: see the account's compliance settings"})
)


def of(number: int) -> Error:
    """Give what an error means; one that is not known is taken for something that passes."""
    return ERRORS.get(number, NOT_KNOWN)
