"""The console's pages by name: where each is, the key that goes there, and the right that opens it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from callback.accounts.roles import Right, Viewer


def _(sentence: str) -> str:
    """Mark a sentence for the catalogues."""
    return sentence


@dataclass(frozen=True, slots=True)
class Section:
    """A page that the frame leads to; `key` goes there after `g`."""

    page: str
    path: str
    right: Right
    word: str
    key: str = ""
    first: bool = False  # stands in the head; others in the menu beside it


SECTIONS: Final = (
    Section("now", "/now", "look", _("Now"), "n", first=True),
    Section("queue", "/queue", "look", _("Queue"), "q", first=True),
    Section("agent", "/me", "own", _("My callbacks"), "m", first=True),
    Section("answers", "/answers", "look", _("Answers"), "a"),
    Section("cases", "/cases", "care", _("Cases"), "c"),
    Section("flags", "/flags", "care", _("Flags"), "f"),
    Section("incidents", "/incidents", "look", _("Incidents"), "i"),
    Section("campaigns", "/campaigns", "campaign-look", _("Campaigns"), "b"),
    Section("left", "/queue/left", "look", _("Left to people"), "t"),
    Section("person", "/p", "person", _("Person"), "p"),
    Section("reports", "/reports", "see-reports", _("Reports"), "r"),
    Section("care", "/care", "see-reports", _("Care"), "d"),
    Section("misses", "/reports/misses", "see-reports", _("Missed promises"), "l"),
    Section("rules", "/rules", "see-rules", _("Rules"), "s"),
    Section("switches", "/switches", "see-rules", _("Switches"), "w"),
    Section("handover", "/handover", "handover", _("Handover"), "o"),
    Section("health", "/health", "health", _("Health"), "h"),
    Section("audit", "/audit", "audit", _("Audit"), "u"),
    Section("users", "/users", "administer", _("Users"), "e"),
    Section("machines", "/machines", "administer", _("Programs"), "k"),
)


def open_to(viewer: Viewer) -> list[Section]:
    """The pages that somebody may open, in their order."""
    return [section for section in SECTIONS if viewer.may(section.right)]
