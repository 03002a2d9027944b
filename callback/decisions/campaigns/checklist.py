"""What people write into the checklist of a campaign, the five S: who answers for a line, and that it is done."""

from __future__ import annotations

from dataclasses import dataclass

from callback.accounts.roles import Groups
from callback.campaigns import campaign as campaigns
from callback.campaigns import checklist
from callback.campaigns.checklist import Check
from callback.errors import CallbackError
from callback.site.telling import tell
from callback.site.work import Work
from callback.store.audit import By
from callback.store.tables import WHO_ROOM, WHY_ROOM


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What somebody fills in: which line, who answers for it, whether it is done, and a note."""

    line: str
    owner: str = ""
    done: bool = False
    note: str = ""


def check(work: Work, campaign: int, said: Said, by: By, groups: Groups = None) -> Check:
    """Keep who answers for a line, whether it is done, and a note. Raises NoSuchCampaign, NoSuchLine."""
    campaigns.look(work, campaign, groups)
    for name, text, room in (("owner", said.owner, WHO_ROOM), ("note", said.note, WHY_ROOM)):
        if len(text) > room:
            raise CallbackError(f"the {name} is too long: {room} characters at most")
    done_at, done_by = (work.now, by.who) if said.done else (None, None)
    line = checklist.line_of(said.line)
    kept = checklist.write(work, campaign, Check(line, said.owner.strip(), done_at, done_by, said.note.strip()))
    facts = {"campaign": campaign, "line": kept.line, "owner": kept.owner, "done": kept.done_at is not None}
    tell(work, by, "campaign-checked", facts)
    return kept
