"""What the list of cases is asked for, as its address says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, get_args
from urllib.parse import urlencode

from callback.care.states import ASKED, OWED, STATES
from callback.errors import CallbackError
from callback.reports.care.cases import Due, Wanted

KINDS: Final = ("complaint", "dissatisfied")
OPEN_STATES: Final = (*OWED, *ASKED)
ENDED_STATES: Final = tuple(state for state in STATES if state not in OPEN_STATES)
DUES: Final[tuple[Due, ...]] = get_args(Due)
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for, by the names of the address; `after` is where the page begins."""

    ended: bool = False
    state: str = ""
    kind: str = ""
    due: Due | None = None
    department: str = ""
    queue: str = ""
    topic: str = ""
    mine: bool = False
    after: str = ""

    @property
    def is_filtered(self) -> bool:
        """Whether some of the open, or of the ended ones, are left out."""
        return self != Asked(ended=self.ended, after=self.after)

    def wanted(self, user: str) -> Wanted:
        """The same for the list; `user` is who asks."""
        return Wanted(
            ended=self.ended,
            state=self.state,
            kind=self.kind,
            due=self.due,
            department=self.department,
            queue=self.queue,
            topic=self.topic,
            mine=frozenset({user}) if self.mine else frozenset(),
        )

    def query(self, **changes: str) -> str:
        """The same as an address has it, with these values instead."""
        said = {
            "ended": "1" if self.ended else "",
            "state": self.state,
            "kind": self.kind,
            "due": self.due or "",
            "department": self.department,
            "queue": self.queue,
            "topic": self.topic,
            "mine": "1" if self.mine else "",
            "after": self.after,
            **changes,
        }
        return urlencode({name: value for name, value in said.items() if value})


def read(query: Mapping[str, str]) -> Asked:
    """Read an address; names that are not known are left out. CallbackError where a value is none."""
    said = {name: value[:_LONGEST] for name, value in query.items()}
    ended = said.get("ended") == "1"
    return Asked(
        ended=ended,
        state=_one_of("state", said.get("state", ""), ENDED_STATES if ended else OPEN_STATES),
        kind=_one_of("kind", said.get("kind", ""), KINDS),
        due=next((due for due in DUES if due == said.get("due")), None),
        department=said.get("department", ""),
        queue=said.get("queue", ""),
        topic=said.get("topic", ""),
        mine=said.get("mine") == "1",
        after=query.get("after", ""),
    )


def _one_of(what: str, said: str, known: tuple[str, ...]) -> str:
    if said and said not in known:
        raise CallbackError(f"there is no such {what}")
    return said
