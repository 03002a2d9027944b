"""The form of an act: which reservations, as the page showed them, and why, when and to whom."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal
from zoneinfo import ZoneInfo

from callback.decisions.reasons import NONE_GIVEN, said
from callback.decisions.records import ACTIONS, CLOSING, MOST, Action, Asked
from callback.errors import CallbackError
from callback.site import written

Fault = Literal[
    "no-rows", "bad-rows", "too-many", "one-number", "no-reason", "long-reason", "no-time", "bad-time", "passed",
    "long-name",
]  # fmt: skip
TIMED: Final[frozenset[Action]] = frozenset({"slot", "postpone"})
WHY_LONGEST: Final = 400
WHO_LONGEST: Final = 100
_ITEM: Final = re.compile(r"([0-9]{1,15}):([0-9]{1,9})")


class Faulty(CallbackError):
    """A form that cannot be taken as it is; `fault` says what is to be put right."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault: Fault = fault


@dataclass(frozen=True, slots=True)
class Form:
    """What was filled in, as it is shown again where something is to be put right."""

    action: Action
    items: str
    why: str
    at: str
    to: str
    asked: tuple[Asked, ...] = field(default=())

    @property
    def reason(self) -> str:
        """The reason in words, as the audit keeps it."""
        return said(self.why) or NONE_GIVEN

    @property
    def closes(self) -> bool:
        """Whether it closes reservations, once it cannot be undone any more."""
        return self.action in CLOSING

    def instant(self, now: int, zone: ZoneInfo) -> int | None:
        """The time that was written, of an act that needs one. Faulty where it is none, or has passed."""
        if self.action not in TIMED:
            return None
        if not self.at:
            raise Faulty("no-time")
        try:
            at = written.instant(self.at, now, zone)
        except CallbackError as error:
            raise Faulty("bad-time") from error
        if at <= now:
            raise Faulty("passed")
        return at


def action_of(name: str) -> Action | None:
    """The act of that name."""
    return next((action for action in ACTIONS if action == name), None)


def form_of(action: Action, items: Sequence[str], why: Sequence[str], at: Sequence[str], to: Sequence[str]) -> Form:
    """Take what was sent: of a field that comes twice, as a line and a button, the last that is not empty."""
    words = ",".join(one for one in items if one)
    return Form(action, words, _last(why), _last(at), _last(to))


def checked(form: Form) -> Form:
    """Give the form with the reservations that it names. Faulty where something is to be put right."""
    if len(form.why) > WHY_LONGEST:
        raise Faulty("long-reason")
    if len(form.to) > WHO_LONGEST:
        raise Faulty("long-name")
    asked = rows_of(form)
    if not asked:
        raise Faulty("no-rows")
    if len(asked) > MOST:
        raise Faulty("too-many")
    if form.closes and not form.why:
        raise Faulty("no-reason")
    return Form(form.action, form.items, form.why, form.at, form.to, asked)


def rows_of(form: Form) -> tuple[Asked, ...]:
    """The reservations that a form names. Faulty where it does not name them as a page does."""
    found = [_ITEM.fullmatch(item.strip()) for item in form.items.split(",") if item]
    if None in found:
        raise Faulty("bad-rows")
    return tuple(Asked(int(one[1]), int(one[2])) for one in found if one is not None)


def _last(values: Sequence[str]) -> str:
    return next(filter(None, map(_plain, reversed(values))), "")


def _plain(value: str) -> str:
    """What people write on one line: without what steers a screen, and what no database keeps."""
    return "".join(" " if unicodedata.category(one) in {"Cc", "Cs"} else one for one in value).strip()
