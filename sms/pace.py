"""How fast an account may be asked, kept in the database, so that all who text by it keep to its limit together.

Each text gets an instant of its own, a gap after the one before; a row says when the next one is free. Whoever claims
texts locks the rows of its accounts, takes no more instants than it has texts for, and none that is far off: what is
claimed leaves at once. A gateway that is asked too fast all the same is left alone for a pause, which doubles while it
says so again and is forgotten once it has said nothing for as long again.

Every function works in the caller's transaction; instants are of the database's clock, in microseconds UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import BindParameter, Connection, bindparam, select, update

from sms.gateway import Pace
from sms.tables import insert_unless, text_pace

AHEAD_S: Final = 0.25
"""A sender comes back sooner than this: no instant is lost between two claims."""
LONGEST_PAUSE_S: Final = 60.0
_SECOND: Final = 1_000_000  # µs
_c = text_pace.c
_LOCKED = (
    select(text_pace).where(_c.account.in_(bindparam("accounts", expanding=True))).order_by(_c.account)
).with_for_update()
_OF: BindParameter[str] = bindparam("of")
_TAKEN = update(text_pace).where(_c.account == _OF).values(next_at=bindparam("at"))
_PAUSED = (
    update(text_pace)
    .where(_c.account == _OF)
    .values(next_at=bindparam("at"), paused_until_at=bindparam("until"), pause_us=bindparam("lasts"))
)


@dataclass(slots=True)
class Account:
    """An account whose row this transaction has locked."""

    pace: Pace
    next_at: int
    paused_until_at: int
    pause_us: int

    def free(self, now: int, most: int) -> Sequence[int]:
        """Up to so many instants at which its next texts may leave, all of them soon."""
        gap, first = self._gap, max(now, self.next_at)
        soon = now + round(AHEAD_S * _SECOND) - first
        return range(first, first + gap * min(most, max(0, -(-soon // gap))), gap)

    def claimable_at(self, now: int) -> int:
        """When to ask again: early enough to lose no instant, and late enough for several of them."""
        return max(now, self.next_at - round(AHEAD_S / 2 * _SECOND))

    @property
    def _gap(self) -> int:
        return round(_SECOND / self.pace.texts_per_s)

    def take(self, conn: Connection, instants: Sequence[int]) -> None:
        """Let the next text follow these."""
        if instants:
            self.next_at = instants[-1] + self._gap
            conn.execute(_TAKEN, {"of": self.pace.account, "at": self.next_at})

    def slow_down(self, conn: Connection, now: int, pause_s: float) -> None:
        """It was asked too fast: nothing more leaves for a pause. What answers meanwhile changes nothing."""
        if now < self.paused_until_at:
            return
        again = now < self.paused_until_at + self.pause_us
        lasts = min(2 * self.pause_us if again else round(pause_s * _SECOND), round(LONGEST_PAUSE_S * _SECOND))
        self.pause_us, self.paused_until_at = lasts, now + lasts
        self.next_at = max(self.next_at, self.paused_until_at)
        words = {"of": self.pace.account, "at": self.next_at, "until": self.paused_until_at, "lasts": lasts}
        conn.execute(_PAUSED, words)


def lock(conn: Connection, paces: Iterable[Pace], now: int) -> list[Account]:
    """Lock the accounts, in the order of their names, so that two who text by several never wait for each other."""
    wanted = list(paces)
    names = sorted({pace.account for pace in wanted})
    kept = _kept(conn, names) if names else {}
    if len(kept) < len(names):
        new = [{"account": name, "next_at": 0, "paused_until_at": 0, "pause_us": 0} for name in names]
        conn.execute(insert_unless(conn, text_pace, "account"), new)
        kept = _kept(conn, names)
    return [_account(pace, *kept[pace.account], now) for pace in wanted]


def _kept(conn: Connection, names: list[str]) -> dict[str, tuple[int, int, int]]:
    rows = conn.execute(_LOCKED, {"accounts": names})
    return {row.account: (row.next_at, row.paused_until_at, row.pause_us) for row in rows}


def _account(pace: Pace, next_at: int, paused_until_at: int, pause_us: int, now: int) -> Account:
    """What is further off than any pause was written by a clock that was set back since."""
    if max(next_at, paused_until_at) > now + round(2 * LONGEST_PAUSE_S * _SECOND):
        return Account(pace, now, now, 0)
    return Account(pace, next_at, paused_until_at, pause_us)
