"""Failed sign-ins: each makes the next one for that name, or from that address, wait longer; nobody is locked out.

Names that nobody has wait alike. What is counted is known by a keyed hash: a name may be a password that was typed into
the wrong field. An hour without a failure forgets them.
"""

from __future__ import annotations

import hmac
from typing import Final

from sqlalchemy import Connection, bindparam, case, delete, select, update

from callback.store import tables as t
from callback.store.inserting import insert_new
from callback.store.keys import site_key
from scheduler.clock import HOUR

LONGEST_S: Final = 30.0
FREE_OF_NAME: Final = 3
FREE_OF_ADDRESS: Final = 10  # many people may share one
_FORGOTTEN: Final = HOUR
_F: Final = t.login_failure.c
_COUNTS: Final = select(_F.key, _F.failures).where(
    _F.key.in_(bindparam("keys", expanding=True)), _F.last_at > bindparam("since_at")
)
_ONE_MORE: Final = (
    update(t.login_failure)
    .where(_F.key == bindparam("of_key"))
    .values(
        failures=case((_F.last_at > bindparam("since_at"), _F.failures + 1), else_=1),
        last_at=bindparam("now"),
    )
)
_FORGET: Final = delete(t.login_failure).where(_F.last_at <= bindparam("since_at"))
_CLEAR: Final = delete(t.login_failure).where(_F.key == bindparam("of_key"))


def wait_s(failures: int, free: int) -> float:
    """How long the next try waits after so many failures, of which the first ones are free: 1 s, 2 s, … 30 s."""
    return 0.0 if failures < free else min(LONGEST_S, 2.0 ** min(failures - free, 10))


def wait_for(connection: Connection, name: str, address: str, now: int) -> float:
    """How many seconds a try with this name from this address waits before its password is looked at."""
    keys = _keys(connection, name, address)
    found = connection.execute(_COUNTS, {"keys": list(keys), "since_at": now - _FORGOTTEN})
    counts: dict[str, int] = {row.key: row.failures for row in found}
    return max(wait_s(counts.get(key, 0), free) for key, free in zip(keys, _FREE, strict=True))


def add(connection: Connection, name: str, address: str, now: int) -> int:
    """Count a failure; give how many there were for this name within the hour."""
    keys = _keys(connection, name, address)
    connection.execute(_FORGET, {"since_at": now - _FORGOTTEN})
    for key in sorted(keys):  # two who fail at the same time follow each other
        insert_new(connection, t.login_failure, {"key": key, "failures": 0, "last_at": now})
        connection.execute(_ONE_MORE, {"of_key": key, "since_at": now - _FORGOTTEN, "now": now})
    of_name = select(_F.failures).where(_F.key == keys[0])
    return int(connection.execute(of_name).scalar_one())


def clear(connection: Connection, name: str) -> None:
    """Forget the failures of a name, whose person signed in; those of the address stay: it may be another's, too."""
    connection.execute(_CLEAR, {"of_key": _keys(connection, name, "")[0]})


_FREE: Final = (FREE_OF_NAME, FREE_OF_ADDRESS)


def _keys(connection: Connection, name: str, address: str) -> tuple[str, str]:
    secret = site_key(connection, "login failures")
    of_name, of_address = (
        hmac.digest(secret, f"{what} {whose}".encode(), "sha256").hex()
        for what, whose in (("name", name), ("address", address))
    )
    return of_name, of_address
