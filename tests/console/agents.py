"""An agent of the seeded centre: an account, a phone at work, and callbacks of that phone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy import insert

from callback.attempts import settle
from callback.attempts.agent_states import Agent
from callback.store import tables as t
from scheduler.clock import SECOND
from tests.console.centre import NOW, Centre, picture

MEI: Final = "Mei"
PHONE: Final = "PJSIP/1021"
NAME: Final = "梅 <i>Mei</i>"  # by which the PBX names the agent of that phone
QUEUES: Final = ("support", "billing")


def at_work(centre: Centre, *, queues: Sequence[str] = QUEUES, free: bool = True, waiting: int = 0) -> None:
    """Mei has an account and a phone, and is the one agent of these queues; so many callers wait in the first."""
    _account(centre)
    agent = Agent(PHONE, NAME, tuple(queues), "free" if free else "callback", NOW - 60 * SECOND)
    live = picture(free={queue: {PHONE} for queue in queues} if free else {})
    at_work = {queue: frozenset({PHONE}) for queue in queues}
    waits = {queues[0]: waiting} if waiting else {}
    centre.show(
        centre.now, replace(live, agents=(agent,), waiting=waits, at_work=at_work, loads={}, heard_at=centre.now)
    )


def talk(centre: Centre, name: str, number: str, when: int, *, talks_s: int = 185) -> None:
    """Somebody is lost, and reached by Mei's phone; the talk ends then."""
    began_at = when - (talks_s + 12) * SECOND
    centre.lose(name, number, began_at - 120 * SECOND, told_after_s=10**6)
    ring(centre, name, began_at)
    answer(centre, name, when - talks_s * SECOND)
    centre.end(name, "reached", when)


def ring(centre: Centre, name: str, when: int) -> None:
    """A callback by Mei's phone, while the customer's rings."""
    centre.claim(name, when)
    _step(centre, name, "agent_connected_at", when + 3 * SECOND)
    _step(centre, name, "customer_dialled_at", when + 4 * SECOND)


def answer(centre: Centre, name: str, when: int) -> None:
    """The customer answers that callback."""
    _step(centre, name, "customer_answered_at", when)


def _step(centre: Centre, name: str, step: str, when: int) -> None:
    centre.do(when, lambda work: settle.progress(work, centre.attempt[name], step, when, NAME))


def _account(centre: Centre) -> None:
    row = {
        "name": MEI, "display_name": MEI, "roles": ["agent"], "groups": None, "phone": PHONE, "language": "",
        "theme": "", "locked": False, "password": "", "one_time_until_at": None, "made_at": NOW, "made_by": "test",
        "seen_at": None,
    }  # fmt: skip
    with centre.world.store.write() as connection:
        known = {one.name for one in connection.execute(t.user_account.select())}
        if MEI not in known:
            connection.execute(insert(t.user_account).values(row))
