"""More agents are asked for: who asks, for which group and until when is kept, and told to those who can help."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from callback.events import HelpAsked
from callback.site.work import Work
from callback.store import audit
from callback.store.audit import By


@dataclass(frozen=True, slots=True)
class Wanted:
    """So many `more` agents for a group until then: `after` promises are missed with them, and `before` without."""

    group: str
    more: int
    until_at: int
    before: int
    after: int


def ask(work: Work, wanted: Wanted, by: By) -> None:
    """Tell those who can help, through the alarms too, and everybody who looks at the group."""
    audit.add(work.connection, work.pbx, by, "help-asked", None, asdict(wanted), work.now)
    work.tell(HelpAsked(**asdict(wanted), who=by.who))
