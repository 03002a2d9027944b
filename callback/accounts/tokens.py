"""Tokens of programs that use the API: `lcr_<id>_<secret>`, of which the SHA-256 alone is kept.

Each has scopes, groups of queues and an end. A new secret in the place of the old one leaves that good for a day, so
that a program can change over without a gap.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from callback.accounts.change import Change
from callback.errors import CallbackError
from callback.store import tables as t
from callback.store.engine import HIGHEST
from scheduler.clock import DAY, MINUTE

Scope = Literal[
    "reservations:read",
    "reservations:write",  # register, decide, undo; answers and incidents too
    "numbers:read",  # without it every number is masked
    "numbers:block",
    "events:read",
    "reports:read",
    "rules:read",
    "switches:write",
    "cases:read",  # flags too
    "cases:write",  # register, answer, what the customer said; flags too
    "health:read",
]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
TokenState = Literal["in-use", "revoked", "over"]

LONGEST: Final = 365 * DAY
BOTH_GOOD: Final = DAY
"""So long the earlier secret is good beside the new one."""
NAME_ROOM: Final = 70
"""With the number of the token behind it, it is a name in the audit."""
_SEEN_EVERY: Final = MINUTE
_TOKEN: Final = re.compile(r"lcr_([1-9][0-9]{0,15})_([0-9A-Za-z_-]{43})")
_NOBODYS: Final = hashlib.sha256(secrets.token_bytes(32)).hexdigest()

_T: Final = t.api_token.c
_SHOWN: Final = (
    _T.id,
    _T.name,
    _T.scopes,
    _T.groups,
    _T.made_at,
    _T.made_by,
    _T.until_at,
    _T.earlier_until_at,
    _T.seen_at,
    _T.revoked_at,
)
_ALL: Final = select(*_SHOWN).order_by(_T.id)
_BY_ID: Final = select(*_SHOWN).where(_T.id == bindparam("of_id"))
_KEPT: Final = select(*_SHOWN, _T.key, _T.earlier_key).where(_T.id == bindparam("of_id"))
_LOCKED: Final = select(_T.key).where(
    _T.id == bindparam("of_id"), _T.revoked_at.is_(None), _T.until_at > bindparam("now")
)
_CHANGED: Final = update(t.api_token).where(_T.id == bindparam("of_id"))
_NEW: Final = insert(t.api_token).returning(_T.id)


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is shown: whose, what for, of which groups of queues (None: of all), and until when."""

    id: int
    name: str
    scopes: frozenset[Scope]
    groups: frozenset[str] | None
    made_at: int
    made_by: str
    until_at: int
    earlier_until_at: int | None
    seen_at: int | None
    revoked_at: int | None

    @property
    def user(self) -> str:
        """The name that the audit keeps of what the program does."""
        return f"{self.name} (token {self.id})"

    def state(self, now: int) -> TokenState:
        """Whether it opens anything."""
        if self.revoked_at is not None:
            return "revoked"
        return "over" if self.until_at <= now else "in-use"

    def may(self, scope: Scope) -> bool:
        """Whether it has this scope."""
        return scope in self.scopes


@dataclass(frozen=True, slots=True)
class Terms:
    """What a token is for. CallbackError where a scope is unknown, or none is there."""

    name: str
    scopes: frozenset[Scope]
    groups: frozenset[str] | None
    lasts: int  # in microseconds

    def __post_init__(self) -> None:
        if not self.name.strip() or len(self.name) > NAME_ROOM:
            raise CallbackError(f"say which program has it, in at most {NAME_ROOM} characters")
        if unknown := self.scopes - set(SCOPES):
            raise CallbackError(f"there is no scope '{min(unknown)}': there are {', '.join(SCOPES)}")
        if not self.scopes:
            raise CallbackError(f"a token has at least one scope: {', '.join(SCOPES)}")
        if self.groups is not None and not self.groups:
            raise CallbackError("name at least one group, or none for all of them")
        if not 0 < self.lasts <= LONGEST:
            raise CallbackError(f"a token lasts from 1 to {LONGEST // DAY} days")


def add(change: Change, terms: Terms) -> str:
    """Make a token; give it, for its secret is kept as a hash alone."""
    secret = _secret()
    row = {
        "name": terms.name,
        "key": _hashed(secret),
        "scopes": sorted(terms.scopes),
        "groups": None if terms.groups is None else sorted(terms.groups),
        "made_at": change.now,
        "made_by": change.by.who,
        "until_at": change.now + terms.lasts,
    }
    number: int = change.connection.execute(_NEW, row).scalar_one()
    facts = {name: row[name] for name in ("name", "scopes", "groups", "until_at")}
    change.audit("token-added", token=number, **facts)
    return _whole(number, secret)


def listed(connection: Connection) -> list[Token]:
    """Give all tokens in the order they were made, also those that open nothing any more."""
    return [_token(row) for row in connection.execute(_ALL).mappings()]


def of_id(connection: Connection, token: int) -> Token | None:
    """Give the token of that number; None where there is none."""
    row = connection.execute(_BY_ID, {"of_id": token}).mappings().first()
    return None if row is None else _token(row)


def find(connection: Connection, said: str, now: int) -> Token | None:
    """Give the token that a program sent; None where it is none, is revoked, or its time is over.

    How long that takes does not tell how much of a secret was right.
    """
    read = _TOKEN.fullmatch(said)
    if read is None or (number := int(read[1])) > HIGHEST:
        return None
    row = connection.execute(_KEPT, {"of_id": number}).mappings().first()
    key, earlier, earlier_until_at = (
        (_NOBODYS, None, None) if row is None else (row["key"], row["earlier_key"], row["earlier_until_at"])
    )
    given = _hashed(read[2])
    is_new = hmac.compare_digest(given, key)
    is_earlier = hmac.compare_digest(given, earlier or _NOBODYS) and (earlier_until_at or 0) > now
    if row is None or not (is_new or is_earlier):
        return None
    token = _token(row)
    return token if token.state(now) == "in-use" else None


def is_due(token: Token, now: int) -> bool:
    """Whether it is to be written down that the token is used: once a minute."""
    return token.seen_at is None or now - token.seen_at >= _SEEN_EVERY


def seen(connection: Connection, token: Token, now: int) -> None:
    """Write down that the token is used."""
    connection.execute(_CHANGED.values(seen_at=now), {"of_id": token.id})


def revoke(change: Change, token: int) -> None:
    """Let a token open nothing any more, its earlier secret neither. CallbackError where it opens nothing now."""
    _must_be_in_use(change, token)
    change.connection.execute(_CHANGED.values(revoked_at=change.now), {"of_id": token})
    change.audit("token-revoked", token=token)


def rotate(change: Change, token: int) -> str:
    """Give the token another secret; the one before is good for a day more. CallbackError where it opens nothing."""
    before, secret = _must_be_in_use(change, token), _secret()
    values: dict[str, Any] = {"key": _hashed(secret), "earlier_key": before}
    values["earlier_until_at"] = change.now + BOTH_GOOD
    change.connection.execute(_CHANGED.values(**values), {"of_id": token})
    change.audit("token-rotated", token=token, earlier_until_at=values["earlier_until_at"])
    return _whole(token, secret)


def _must_be_in_use(change: Change, token: int) -> str:
    """Lock the token's row; give what is kept of its secret."""
    asked = {"of_id": token, "now": change.now}
    key: str | None = change.connection.execute(_LOCKED.with_for_update(), asked).scalar_one_or_none()
    if key is None:
        raise CallbackError(f"there is no token {token} in use: `callback token list` shows which there are")
    return key


def _token(row: RowMapping) -> Token:
    words: Collection[Scope] = row["scopes"]
    groups = None if row["groups"] is None else frozenset(row["groups"])
    rest = (row["made_at"], row["made_by"], row["until_at"], row["earlier_until_at"], row["seen_at"], row["revoked_at"])
    return Token(row["id"], row["name"], frozenset(words), groups, *rest)


def _secret() -> str:
    return secrets.token_urlsafe(32)


def _whole(token: int, secret: str) -> str:
    return f"lcr_{token}_{secret}"


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
