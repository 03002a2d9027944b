"""What stands for a code of care on the screen: states and steps of a case, its clock, letters, flags, faults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

CareSubject = Literal[
    "case-state", "case-kind", "case-step", "case-source", "case-how", "case-fault", "severity", "letter", "question",
    "flag-state", "flag-why",
]  # fmt: skip


def _(sentence: str) -> str:
    """Mark a sentence for the catalogues."""
    return sentence


CARE: Final[Mapping[CareSubject, Mapping[str, str]]] = {
    "case-kind": {
        "dissatisfied": _("was not content with a service"),
        "complaint": _("complaint"),
    },
    "case-state": {
        "registered": _("registered"),
        "assigned": _("assigned"),
        "answered": _("answered, to be confirmed"),
        "confirmed": _("confirmed"),
        "closed": _("solved"),
        "unreachable": _("the customer could not be reached"),
        "withdrawn": _("withdrawn"),
    },
    "case-source": {
        "survey": _("an answer to our question"),
        "agent": _("an agent"),
        "supervisor": _("a supervisor"),
        "api": _("a program"),
        "text": _("a text of the customer"),
        "csv": _("a file"),
    },
    "severity": {"1": _("slight"), "2": _("serious"), "3": _("grave")},
    "letter": {
        "waiting": _("is being sent"),
        "sent": _("sent"),
        "failed": _("could not be sent"),
        "withdrawn": _("not sent"),
    },
    "question": {
        "call": _("about a call"),
        "callback": _("about a callback"),
        "repair": _("after the repair"),
    },
    "flag-state": {
        "waiting": _("waits for its day"),
        "reserved": _("is a callback now"),
        "cancelled": _("cancelled"),
        "refused": _("could not be reserved"),
    },
    "flag-why": {
        "number-blocked": _("the number is blocked for our calls"),
        "never-in-hours": _("this phone may never ring by the rules of today"),
        "wrong-person": _("another person answered"),
    },
    "case-how": {
        "call": _("by telephone"),
        "text": _("by text"),
        "mail": _("by mail"),
        "person": _("in person"),
    },
    "case-step": {
        "registered": _("registered"),
        "again": _("said once more"),
        "assigned": _("assigned"),
        "answered": _("answered"),
        "confirmed": _("the customer says: solved"),
        "denied": _("the customer says: not solved"),
        "closed": _("closed"),
        "unreachable": _("given up: the customer could not be reached"),
        "withdrawn": _("withdrawn"),
        "noted": _("noted"),
        "compensated": _("compensated"),
        "said": _("the customer wrote"),
        "to-ask": _("the customer is to be asked"),
        "asked": _("asked the customer"),
        "not-asked": _("could not ask the customer by text"),
        "scored": _("the customer judged, of 5:"),
        "reserved": _("reserved a callback"),
        "not-called": _("no callback is possible"),
        "call-asks": _("a call is to ask the customer"),
        "nobody-asks": _("nobody can ask the customer: left to people"),
        "at-risk": _("the clock is nearly over"),
        "overdue": _("the clock is over"),
        "reached": _("the callback reached the customer"),
        "not-reached": _("the callback reached nobody"),
        "for-people": _("left to people: the customer is not content after each repair"),
    },
    "case-fault": {
        "no-words": _("Write down what it is."),
        "long-words": _("That is too long: at most 2000 characters."),
        "no-how": _("Say how the customer said it."),
        "changed": _("Somebody has changed this case meanwhile: look at it as it is now, and decide again."),
        "not-now": _("That cannot be done to this case as it is now."),
        "not-yours": _("Your role may not do that to this case."),
        "no-queue": _("Choose a queue of yours."),
        "queue-off": _("This queue takes no cases: its rules switch them on."),
        "no-number": _("This is no telephone number: write it with its country, as in +819012345678."),
        "number-blocked": _("The number is blocked: take that back first."),
        "no-topic": _("There is no such topic any more."),
        "no-department": _("There is no such department any more."),
        "bad-time": _("This is no time: write 18:30, 1830, +20m, or 2026-11-23 18:30."),
        "passed": _("That time has passed: choose a later one."),
        "read-already": _("Somebody else has read this text meanwhile."),
        "no-day": _("Say on which day."),
        "bad-day": _("That day has passed, or is more than a year away."),
        "flagged": _("The customer is flagged for that day already."),
        "flag-over": _("That flag is over, or its callback is being made: nothing was cancelled."),
        "flags-off": _("This queue flags nobody: its rules switch that on."),
        "no-reason": _("Say why."),
        "long-reason": _("The reason is too long: at most 400 characters."),
    },
}
