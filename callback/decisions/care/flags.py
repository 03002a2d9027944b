"""Flagging a customer for a contact on a later day, and taking that back: by a person of the queue's group."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from callback.accounts.roles import Groups
from callback.care import flags
from callback.care.flags import Flag, NewFlag, NoSuchFlag
from callback.decisions import actions
from callback.errors import CallbackError, IllegalTransition
from callback.logs.masking import masked_text
from callback.reservations.reservation import read_one
from callback.site.groups import is_of
from callback.site.telling import tell
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import By


@dataclass(frozen=True, slots=True)
class Contact:
    """From which queue, on which day of the site's clock, and who looks after it; empty: whoever flags."""

    queue: str
    day: date
    owner: str = ""


class NotYourQueue(CallbackError):
    """The rules name no such queue, or it is another group's."""


def flag(work: Work, person: int, contact: Contact, by: By, groups: Groups = None) -> Flag:
    """Flag a customer; why it is stands in `by`. Raises NotYourQueue and what `care.flags.flag` raises."""
    if contact.queue not in work.site.rules.queues or not is_of(work.site, contact.queue, groups):
        raise NotYourQueue("no such queue is known here: name one of the settings")
    owner = contact.owner.strip() or by.who
    if len(owner) > t.WHO_ROOM:
        raise CallbackError(f"'{owner[:20]}…' is too long a name for an owner: write at most {t.WHO_ROOM} characters")
    made = flags.flag(work, NewFlag(person, contact.queue, contact.day, masked_text(by.why), owner, by.who))
    facts = {"flag": made.id, "queue": made.queue, "on_at": made.on_at, "owner": made.owner}
    tell(work, by, "contact-flagged", facts)
    return made


def cancel(work: Work, number: int, by: By, groups: Groups = None) -> Flag:
    """Contact this customer no more; a callback that it became and that was not made yet is cancelled.

    Raises NoSuchFlag, also for another group's; IllegalTransition where it is over, or the customer is being called.
    """
    standing = flags.read_one(work, number)
    if not is_of(work.site, standing.queue, groups):
        raise NoSuchFlag(f"there is no flag {number} here")
    reservation = standing.reservation_id
    row = None if reservation is None else read_one(work.connection, reservation, lock=True)
    standing = flags.read_one(work, number, lock=True)  # after its reservation, as everybody locks
    if row is None and standing.state == "reserved":
        raise IllegalTransition(f"flag {number} becomes a callback just now: look at it again")
    if standing.state not in {"waiting", "reserved"} or (row is not None and not row.open):
        raise IllegalTransition(f"flag {number} is over: nothing of it is to be cancelled")
    if row is not None:
        actions.cancel(work, row.id, by)
    flags.settle(work, number, "cancelled")
    facts: dict[str, Any] = {"flag": number, "queue": standing.queue, "on_at": standing.on_at, "owner": standing.owner}
    tell(work, by, "contact-unflagged", facts, reservation)
    return flags.read_one(work, number)
