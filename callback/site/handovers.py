"""Handing a shift over: as it stands is kept for good, who leads the next one takes it, and both may note."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from sqlalchemy import RowMapping, insert, select, update

from callback.accounts.roles import Groups
from callback.errors import CallbackError
from callback.logs.masking import masked_text
from callback.site.work import Work
from callback.store import audit
from callback.store import tables as t
from callback.store.audit import By

Fault = Literal["unknown", "taken", "own", "nothing-said", "too-long"]
NOTE_LONGEST: Final = 2000
NOTES: Final = 100
"""Of one handover."""
WHY: Final = "the shift ends"
_H = t.handover.c


class NotHandedOver(CallbackError):
    """What was asked for cannot be done; `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault: Fault = fault


def hand_over(work: Work, who: str, note: str, groups: Groups, stands: Mapping[str, Any]) -> int:
    """Keep the shift as it stands (`since_at` and its figures), with a note if there is one; give its number."""
    notes = [_note(work, who, note)] if note.strip() else []
    row = {
        "pbx": work.pbx,
        "since_at": stands["since_at"],
        "until_at": work.now,
        "given_by": who,
        "groups": None if groups is None else sorted(groups),
        "notes": notes,
        "body": dict(stands),
    }
    made = int(work.connection.execute(insert(t.handover).returning(_H.id), row).scalar_one())
    _keep(work, By(who, WHY), "handed-over", made)
    return made


def take_over(work: Work, number: int, who: str, groups: Groups) -> None:
    """Say who takes it: another person than who gave it, and once. NotHandedOver else."""
    row = _locked(work, number, groups)
    if row["taken_by"] is not None:
        raise NotHandedOver("taken")
    if row["given_by"] == who:
        raise NotHandedOver("own")
    work.connection.execute(update(t.handover).where(_H.id == number).values(taken_by=who, taken_at=work.now))
    _keep(work, By(who, "read, and taken over"), "taken-over", number)


def add_note(work: Work, number: int, who: str, note: str, groups: Groups) -> None:
    """Add what somebody says to it. NotHandedOver where nothing is said, or there is no room."""
    row = _locked(work, number, groups)
    if not note.strip():
        raise NotHandedOver("nothing-said")
    if len(row["notes"]) >= NOTES:
        raise NotHandedOver("too-long")
    notes = [*row["notes"], _note(work, who, note)]
    work.connection.execute(update(t.handover).where(_H.id == number).values(notes=notes))


def _note(work: Work, who: str, said: str) -> dict[str, Any]:
    """A note as it is kept: for good, so no telephone number stands in it."""
    if len(said) > NOTE_LONGEST:
        raise NotHandedOver("too-long")
    plain = said.strip().replace("\0", "").encode("utf-8", "replace").decode()
    return {"at": work.now, "who": who, "said": masked_text(plain)}


def _locked(work: Work, number: int, groups: Groups) -> RowMapping:
    """A handover of exactly these groups; another's is like one that there is not."""
    wanted = select(t.handover).where(_H.id == number, _H.pbx == work.pbx).with_for_update()
    row = work.connection.execute(wanted).mappings().first()
    if row is None or (None if row["groups"] is None else frozenset(row["groups"])) != groups:
        raise NotHandedOver("unknown")
    return row


def _keep(work: Work, by: By, action: str, number: int) -> None:
    audit.add(work.connection, work.pbx, by, action, None, {"handover": number}, work.now)
