"""Sessions of people who signed in: the cookie holds 256 random bits, the database their SHA-256 alone.

Nobody acts for 60 min: the session is locked, and the password opens it again. Not so of somebody who is an agent and
nothing else: an agent's phone lies there for a shift, and shows masked numbers of the agent's own callbacks. A session
ends for good 12 h after it began, when its person signs out, is locked, gets another role, or another password.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, delete, func, select, update

from callback.accounts.roles import Role
from callback.accounts.users import USER, User, user_of
from callback.store import tables as t
from scheduler.clock import HOUR, MINUTE

IDLE: Final = 60 * MINUTE
LONGEST: Final = 12 * HOUR
FRESH: Final = 5 * MINUTE
"""So long after the password was given, what needs it anew is done without asking."""
_SEEN_EVERY: Final = MINUTE
_STAYS_OPEN: Final[frozenset[Role]] = frozenset({"agent"})

_S: Final = t.login_session.c
_FOUND: Final = (
    select(_S.key, _S.until_at, _S.proved_at, _S.seen_at.label("active_at"), *USER)
    .join_from(t.login_session, t.user_account, _S.user == t.user_account.c.name)
    .where(_S.key == bindparam("of_key"), _S.until_at > bindparam("now"), ~t.user_account.c.locked)
)
_SEEN: Final = update(t.login_session).where(_S.key == bindparam("of_key"))
_USER_SEEN: Final = update(t.user_account).where(t.user_account.c.name == bindparam("of_user"))
_END: Final = delete(t.login_session).where(_S.key == bindparam("of_key"))
_END_OTHERS: Final = delete(t.login_session).where(_S.user == bindparam("of_user"), _S.key != bindparam("of_key"))
_END_OLD: Final = delete(t.login_session).where(_S.until_at <= bindparam("now"))
_ALIVE: Final = (
    select(_S.key, _S.seen_at, t.user_account.c.roles)
    .join_from(t.login_session, t.user_account, _S.user == t.user_account.c.name)
    .where(_S.key.in_(bindparam("keys", expanding=True)), _S.until_at > bindparam("now"))
    .where(~t.user_account.c.locked)
)
_COUNTED: Final = (
    select(_S.user, func.count().label("sessions"))
    .where(_S.until_at > bindparam("now"))
    .group_by(_S.user)
    .order_by(_S.user)
)


@dataclass(frozen=True, slots=True)
class Session:
    """A session that has not ended: whose, when its person last did something, and when the password was given."""

    key: str
    user: User
    active_at: int
    proved_at: int
    until_at: int

    def locked(self, now: int) -> bool:
        """Whether nobody did anything for so long that the password is needed to go on."""
        return now - self.active_at >= IDLE and not _stays_open(self.user.profile.roles)

    def fresh(self, now: int) -> bool:
        """Whether the password was given within the last minutes."""
        return now - self.proved_at < FRESH


def begin(connection: Connection, user: str, now: int) -> str:
    """Begin a session of a person whose password was proved; give what the cookie holds."""
    connection.execute(_END_OLD, {"now": now})
    token = secrets.token_urlsafe(32)
    row = {"key": hashed(token), "user": user, "made_at": now, "until_at": now + LONGEST}
    connection.execute(t.login_session.insert().values(**row, seen_at=now, proved_at=now))
    connection.execute(_USER_SEEN.values(seen_at=now), {"of_user": user})
    return token


def find(connection: Connection, token: str, now: int) -> Session | None:
    """Give the session of a cookie, locked or not; None where there is none, or it ended."""
    return by_key(connection, hashed(token), now)


def by_key(connection: Connection, key: str, now: int) -> Session | None:
    """Give a session by the hash of its cookie: what stays open asks so whether it may stay."""
    row = connection.execute(_FOUND, {"of_key": key, "now": now}).mappings().first()
    if row is None:
        return None
    return Session(row["key"], user_of(row), row["active_at"], row["proved_at"], row["until_at"])


def alive(connection: Connection, keys: Collection[str], now: int) -> set[str]:
    """Give those of many sessions that are neither locked nor over: what streams to the others ends."""
    found = connection.execute(_ALIVE, {"keys": list(keys), "now": now}) if keys else ()
    return {row.key for row in found if row.seen_at > now - IDLE or _stays_open(row.roles)}


def _stays_open(roles: Collection[str]) -> bool:
    return _STAYS_OPEN.issuperset(roles)


def is_due(session: Session, now: int) -> bool:
    """Whether it is to be written down that its person does something: once a minute, and never of a locked one."""
    return not session.locked(now) and now - session.active_at >= _SEEN_EVERY


def seen(connection: Connection, session: Session, now: int) -> None:
    """Write down that its person does something now, unless it was locked meanwhile."""
    since_at = 0 if _stays_open(session.user.profile.roles) else now - IDLE
    not_locked = _SEEN.where(_S.seen_at > since_at).values(seen_at=now)
    if connection.execute(not_locked, {"of_key": session.key}).rowcount:
        connection.execute(_USER_SEEN.values(seen_at=now), {"of_user": session.user.name})


def prove(connection: Connection, key: str, now: int) -> None:
    """Go on with a session, locked or not, after its person gave the password."""
    connection.execute(_SEEN.values(seen_at=now, proved_at=now), {"of_key": key})


def end(connection: Connection, key: str) -> None:
    """End a session."""
    connection.execute(_END, {"of_key": key})


def end_others(connection: Connection, user: str, key: str = "") -> int:
    """End the sessions of a person but this one, or all of them; give how many there were."""
    return connection.execute(_END_OTHERS, {"of_user": user, "of_key": key}).rowcount


def counted(connection: Connection, now: int) -> dict[str, int]:
    """Give how many sessions each person has who has any."""
    return {row.user: row.sessions for row in connection.execute(_COUNTED, {"now": now})}


def hashed(token: str) -> str:
    """Give by what a cookie is known in the database."""
    return hashlib.sha256(token.encode()).hexdigest()
