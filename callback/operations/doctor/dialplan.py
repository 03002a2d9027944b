"""Whether the contexts that we ship are there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from callback.operations.doctor.finding import Finding, fault, sound, warning
from telephony.ami.client import ActionFailed, Client
from telephony.ami.protocol import Message

CALLBACKS: Final = (
    "lcr-agent",
    "lcr-alone",
    "lcr-agent-left",
    "lcr-customer",
    "lcr-answered",
    "lcr-ended",
    "lcr-waiting",
    "lcr-waited",
    "lcr-doctor",
)
CALLERS: Final = (
    "lcr-offer",
    "lcr-requested",
    "lcr-incident",
    "lcr-exit",
    "lcr-exit-open",
    "lcr-closed",
    "lcr-priority",
    "lcr-member",
    "lcr-hint",
)
_REMEDY: Final = "copy telephony/dialplan/extensions_lcr.conf beside extensions.conf, #include it, `dialplan reload`"


async def there(client: Client) -> list[str] | None:
    """Name those of our contexts that hold anything; None where the right to ask is missing."""
    try:
        return [context for context in (*CALLBACKS, *CALLERS) if await has_context(client, context)]
    except _MayNotAskError:
        return None


class _MayNotAskError(Exception):
    """The manager user has no right to ask for the dialplan: nothing is known of it."""


async def has_context(client: Client, context: str) -> bool:
    """Tell whether a context holds anything."""
    return any(step.name == "ListDialplan" for step in await _steps(client, context))


async def devices(client: Client, exten: str, context: str) -> list[str]:
    """Name the devices that an extension dials by itself, as far as its steps say it plainly."""
    try:
        return devices_of(await _steps(client, context, exten), exten)
    except _MayNotAskError:
        return []


def devices_of(steps: Iterable[Message], exten: str) -> list[str]:
    """Read from the steps of an extension which devices they dial."""
    dialled = [step.get("AppData") for step in steps if step.get("Application") == "Dial"]
    named = [one for data in dialled for one in data.partition(",")[0].replace("${EXTEN}", exten).split("&")]
    return [device for device in named if device and "${" not in device and not device.startswith("Local/")]


async def _steps(client: Client, context: str, exten: str = "") -> list[Message]:
    asked = [("Context", context), *([("Extension", exten)] if exten else [])]
    try:
        return await client.listing("ShowDialPlan", asked)
    except ActionFailed as error:
        if "permission" in error.message.get("Message").lower():
            raise _MayNotAskError from error
        return []


def of_contexts(there: list[str] | None) -> Iterator[Finding]:
    """Judge by the contexts that are there: without the first nobody is called back, the others are for callers."""
    if there is None:
        yield warning("dialplan contexts are not proved, because a right is missing", "mend the rights above first")
        return
    if missing := [context for context in CALLBACKS if context not in there]:
        yield fault(f"dialplan contexts missing: {', '.join(missing)}", _REMEDY)
    if unasked := [context for context in CALLERS if context not in there]:
        what = f"dialplan contexts missing: {', '.join(unasked)}: callers get nothing of what these do"
        yield warning(what, _REMEDY)
    if len(there) == len(CALLBACKS) + len(CALLERS):
        yield sound(f"dialplan contexts {', '.join(there)}")
