"""What people write into the checklist of a campaign, the five S: who answers for a line, and that it is done."""

from __future__ import annotations

from callback.accounts.roles import Groups
from callback.campaigns import checklist, sample
from callback.campaigns.checklist import Check
from callback.errors import CallbackError
from callback.events import Decided
from callback.site.work import Work
from callback.store import audit
from callback.store.audit import By
from callback.store.tables import WHO_ROOM, WHY_ROOM


def check(
    work: Work, campaign: int, line: str, by: By, *, owner: str = "", done: bool = False, note: str = "",
    groups: Groups = None,
) -> Check:  # fmt: skip
    """Keep who answers for a line, whether it is done, and a note. Raises NoSuchCampaign, NoSuchLine."""
    sample.look_up(work, campaign, groups)
    for name, said, room in (("owner", owner, WHO_ROOM), ("note", note, WHY_ROOM)):
        if len(said) > room:
            raise CallbackError(f"the {name} is too long: {room} characters at most")
    done_at, done_by = (work.now, by.who) if done else (None, None)
    kept = checklist.write(
        work, campaign, Check(checklist.line_of(line), owner.strip(), done_at, done_by, note.strip())
    )
    facts = {"campaign": campaign, "line": kept.line, "owner": kept.owner, "done": kept.done_at is not None}
    audit.add(work.connection, work.pbx, by, "campaign-checked", None, facts, work.now)
    work.tell(Decided("campaign-checked", by.who, by.why, about=facts))
    return kept
