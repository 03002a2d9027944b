"""Whether the contexts that we ship are there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from callback.doctor.finding import Finding, fault, sound, warning
from telephony.ami.client import ActionFailed, Client

CALLBACKS: Final = (
    "lcr-agent",
    "lcr-agent-left",
    "lcr-customer",
    "lcr-answered",
    "lcr-ended",
    "lcr-waiting",
    "lcr-waited",
    "lcr-doctor",
)
CALLERS: Final = ("lcr-offer", "lcr-requested", "lcr-exit", "lcr-exit-open", "lcr-closed", "lcr-priority", "lcr-member")
_REMEDY: Final = "copy telephony/dialplan/extensions_lcr.conf beside extensions.conf, #include it, `dialplan reload`"


async def look(client: Client) -> list[Finding]:
    """Ask for each context."""
    return list(of_contexts([c for c in (*CALLBACKS, *CALLERS) if await has_context(client, c)]))


async def has_context(client: Client, context: str) -> bool:
    """Tell whether a context holds anything; without the right to ask, none does."""
    try:
        steps = await client.listing("ShowDialPlan", [("Context", context)])
    except ActionFailed:
        return False
    return any(step.name == "ListDialplan" for step in steps)


def of_contexts(there: list[str]) -> Iterator[Finding]:
    """Judge by the contexts that are there: without the first nobody is called back, without the others nobody asks."""
    if missing := [context for context in CALLBACKS if context not in there]:
        yield fault(f"dialplan contexts missing: {', '.join(missing)}", _REMEDY)
    if unasked := [context for context in CALLERS if context not in there]:
        what = f"dialplan contexts missing: {', '.join(unasked)}: no caller can ask for a callback"
        yield warning(what, _REMEDY)
    if len(there) == len(CALLBACKS) + len(CALLERS):
        yield sound(f"dialplan contexts {', '.join(there)}")
