"""What a person decides about an incident: all whom it holds are let go, or dropped, once that cannot be undone."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import bindparam, select, update

from callback.accounts.roles import Groups
from callback.decisions import records
from callback.decisions.batch import NoReason
from callback.decisions.reasons import NONE_GIVEN
from callback.decisions.records import UNDO_US
from callback.decisions.undoing import NoSuchBatch, NotUndone
from callback.losses import incidents
from callback.losses.incidents import Before, NoSuchIncident, Wish
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import By

ACTIONS: Final[dict[str, Wish]] = {"incident-released": "released", "incident-dropped": "dropped"}
"""As a batch is called, and what it does."""

_B = t.batch.c
_HEAD = select(_B.action, _B.facts, _B.undo_until_at, _B.undone_by).where(
    _B.id == bindparam("of_batch"), _B.pbx == bindparam("of_pbx")
)
_LOCK = _HEAD.with_for_update()
_UNDONE = update(t.batch).where(_B.id == bindparam("of_batch"))
_UNDONE = _UNDONE.values(undone_at=bindparam("now"), undone_by=bindparam("by_whom"))


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was decided about an incident, as a batch that can be undone until then."""

    batch: int
    incident: int
    wish: Wish
    undo_until_at: int


def decide(work: Work, incident: int, wish: Wish, by: By, groups: Groups = None) -> Chosen:
    """Let go, or drop, all whom an open incident of these groups holds: from 15 s on, when it cannot be undone.

    NoSuchIncident where there is none, NoReason where they are dropped without one.
    """
    if wish == "dropped" and by.why == NONE_GIVEN:
        raise NoReason("say why: what closes callbacks needs a reason")
    until_at = work.now + UNDO_US
    before = incidents.decide(work, incident, wish, by, from_at=until_at, groups=groups)
    facts = {"incident": incident, "from_at": until_at, "before": asdict(before)}
    return Chosen(records.begin(work, f"incident-{wish}", by, until_at, facts), incident, wish, until_at)


def undo(work: Work, batch: int, by: By, groups: Groups = None) -> int:
    """Let the incident hold again whom it held, and give its number. NoSuchBatch, or NotUndone."""
    head = work.connection.execute(_LOCK, {"of_batch": batch, "of_pbx": work.pbx}).first()
    if head is None or head.action not in ACTIONS:
        raise NoSuchBatch(f"there is nothing to be undone by the number {batch}")
    incident: int = head.facts["incident"]
    if head.undone_by is not None:
        raise NotUndone("undone", f"it was undone already, by {head.undone_by}")
    if work.now >= head.undo_until_at:
        raise NotUndone("too-late", "it can be undone no more: 15 seconds have passed")
    try:
        stands = incidents.look_up(work, incident, groups)
    except NoSuchIncident as error:
        raise NoSuchBatch(f"there is nothing to be undone by the number {batch}") from error
    if (stands.state, stands.let_go_at) != (ACTIONS[head.action], head.facts["from_at"]):
        raise NotUndone("changed", "somebody has decided about that incident since")
    incidents.take_back(work, incident, Before(**head.facts["before"]), by)
    work.connection.execute(_UNDONE, {"of_batch": batch, "now": work.now, "by_whom": by.who})
    return incident


def chosen(work: Work, batch: int) -> Chosen | None:
    """What was decided by the batch of that number, while it can be undone; None afterwards, or where it is no such."""
    head = work.connection.execute(_HEAD, {"of_batch": batch, "of_pbx": work.pbx}).first()
    if head is None or head.action not in ACTIONS or head.undone_by is not None or work.now >= head.undo_until_at:
        return None
    return Chosen(batch, head.facts["incident"], ACTIONS[head.action], head.undo_until_at)
