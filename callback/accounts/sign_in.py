"""Signing in: what is looked up before a password is proved, and what is written when it was right or wrong.

Between the two the caller waits `wait_s`, proves the password, and holds no transaction meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import Connection

from callback.accounts import failures, passwords, sessions, users
from callback.accounts.users import User
from callback.store import audit, tally
from callback.store import tables as t
from callback.store.audit import By
from callback.store.tally import Counter

Refusal = Literal["wrong", "locked", "over"]
"""The name or the password is wrong; with the right password: the person is locked, or a one-time password is over."""

_UNKNOWN: Final = "unknown"
_WHY: Final = "sign-in"


@dataclass(frozen=True, slots=True)
class Try:
    """Somebody who gave a name at an address. `kept`: the hash of that person's password; None: nobody's."""

    name: str
    address: str
    wait_s: float
    kept: str | None


@dataclass(frozen=True, slots=True)
class Proof:
    """What proving a password gave: whether it was right, and its hash anew where that is to be kept."""

    right: bool
    renewed: str | None = None


def begin(connection: Connection, name: str, address: str, now: int) -> Try:
    """Look up how long to wait and what to prove; a name that nobody has is like any other."""
    whose = name.strip().casefold()[: t.NAME_ROOM + 1]
    return Try(
        whose, address, failures.wait_for(connection, whose, address, now), users.kept_password(connection, whose)
    )


def prove(tried: Try, password: str) -> Proof:
    """Prove the password: some 15 ms of a core, whoever it is."""
    if not passwords.proved(tried.kept, password):
        return Proof(right=False)
    outdated = tried.kept is not None and passwords.outdated(tried.kept)
    return Proof(right=True, renewed=passwords.hashed(password) if outdated else None)


def finish(connection: Connection, pbx: str, tried: Try, proof: Proof, now: int) -> User | Refusal:
    """Write down how it ended; give the person, for whom a session may begin, or why not."""
    user = users.find(connection, tried.name)
    if user is None or not _is_proved(connection, tried, proof):
        return _failed(connection, pbx, tried, user, now)
    failures.clear(connection, tried.name)
    if proof.renewed is not None and tried.kept is not None:
        users.renew_hash(connection, tried.name, tried.kept, proof.renewed)
    refusal: Refusal | None = "locked" if user.locked else "over" if _is_over(user, now) else None
    action = "signed-in" if refusal is None else "sign-in-refused"
    facts = {"address": tried.address} | ({} if refusal is None else {"because": refusal})
    audit.add(connection, pbx, By(user.name, _WHY), action, None, facts, now)
    return refusal or user


def reprove(connection: Connection, pbx: str, tried: Try, proof: Proof, session: str, now: int) -> bool:
    """Write down how a password was that was asked for in a session; where it was right, the session goes on."""
    user = users.find(connection, tried.name)
    if user is None or not _is_proved(connection, tried, proof):
        _failed(connection, pbx, tried, user, now)
        return False
    failures.clear(connection, tried.name)
    sessions.prove(connection, session, now)
    return True


def _is_proved(connection: Connection, tried: Try, proof: Proof) -> bool:
    """Whether the right password was given, and is that still: another may have been set while the try waited."""
    return proof.right and users.kept_password(connection, tried.name) == tried.kept


def _failed(connection: Connection, pbx: str, tried: Try, user: User | None, now: int) -> Refusal:
    """Count it. The audit gets the 1st, 2nd, 4th, 8th … of a name: strangers shall not fill it."""
    times = failures.add(connection, tried.name, tried.address, now)
    tally.add(connection, {Counter(tally.WHOLE, tally.SIGN_INS_FAILED): 1})
    if times & (times - 1) == 0:
        who = _UNKNOWN if user is None else user.name
        facts = {"address": tried.address, "failures": times}
        audit.add(connection, pbx, By(who, _WHY), "sign-in-failed", None, facts, now)
    return "wrong"


def _is_over(user: User, now: int) -> bool:
    return user.one_time_until_at is not None and now >= user.one_time_until_at
