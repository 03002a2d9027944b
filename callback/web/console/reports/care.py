"""What each figure of care is called and counts, and how the page of care says shares of few cases."""

from __future__ import annotations

from typing import Final

from callback.reports.care.figures import LEAST
from callback.web.console.reports.definitions import Definition


def _(sentence: str) -> str:
    """Mark a sentence for the catalogues."""
    return sentence


DEFINITIONS: Final[dict[str, Definition]] = {
    "opened": Definition(_("cases"), _("Cases by when they were opened: low answers after a service, and complaints.")),
    "repeats": Definition(
        _("repeats"), _("Of the cases, those of customers who were heard about the same topic shortly before.")
    ),
    "in_time": Definition(
        _("repaired in time"),
        _("Answered for the first time before the clock ran out, of those that were answered or are overdue."),
    ),
    "satisfied": Definition(
        _("satisfied after the repair"),
        _("Said 4 or 5 when asked after a repair, of those who said anything; the last word of each case counts."),
    ),
    "confirmed": Definition(_("confirmed"), _("The customer said that it is solved.")),
    "unreachable": Definition(
        _("unreachable"), _("The customer said nothing for as often as the rules ask, and the case ended so.")
    ),
    "withdrawn": Definition(_("withdrawn"), _("By the customer, or because the customer was erased.")),
    "still_open": Definition(_("still open"), _("The customer has not confirmed it yet.")),
    "compensated": Definition(_("with a compensation"), _("Cases in which something was given for the trouble.")),
}
SHARES: Final = (("repeats", "opened"), ("in_time", "timed"), ("satisfied", "judged"))
COUNTS: Final = ("confirmed", "unreachable", "withdrawn", "still_open", "compensated")
SPLIT_WORDS: Final = {
    "topic": _("topic"),
    "queue": _("queue"),
    "team": _("queue that repairs"),
    "agent": _("agent"),
    "kind": _("kind"),
    "source": _("source"),
    "department": _("department"),
    "product": _("product"),
    "severity": _("severity"),
}
PART_WORDS: Final = {
    "dissatisfied": _("not content after a service"),
    "complaint": _("complaint"),
    "survey": _("question after a service"),
    "agent": _("agent"),
    "supervisor": _("supervisor"),
    "api": _("a program"),
    "text": _("a text of the customer"),
    "csv": _("a file"),
}
QUESTION_WORDS: Final = {
    "call": _("after a served call"),
    "callback": _("after a callback"),
    "repair": _("after a repair"),
}
PATTERN_WORDS: Final = {
    "lost": _("lost at least once"),
    "three-in-a-week": _("lost three times within a week"),
    "silent-twice": _("heard silence twice within a week"),
}


def is_few(of: int) -> bool:
    """Whether a share of so many says little."""
    return of < LEAST
