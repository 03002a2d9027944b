"""People who may sign in to the console: made, changed and locked by administrators, each act in the audit."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, bindparam, delete, func, select, update

from callback.accounts import passwords
from callback.accounts.change import Change
from callback.accounts.roles import ROLES, Role, Viewer
from callback.errors import CallbackError
from callback.store import audit
from callback.store import tables as t
from callback.store.inserting import insert_new
from scheduler.clock import DAY

ONE_TIME: Final = DAY
"""So long a one-time password opens, in microseconds."""
_PHONE_ROOM: Final = 100
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9@._-]{0,63}")
_U: Final = t.user_account.c
USER: Final = tuple(column for column in _U if column.name != "password")
"""The columns that `user_of` reads."""
_BY_NAME: Final = select(*USER).where(_U.name == bindparam("of_name"))
_KEPT: Final = select(_U.password).where(_U.name == bindparam("of_name"))
_ALL: Final = select(*USER).order_by(_U.name)
_LOCKED_ALL: Final = _ALL.with_for_update()
_ANY: Final = select(func.count()).select_from(t.user_account)
_CHANGED: Final = update(t.user_account).where(_U.name == bindparam("of_name"))
_SIGNED_OUT: Final = delete(t.login_session).where(t.login_session.c.user == bindparam("of_name"))


@dataclass(frozen=True, slots=True)
class Profile:
    """Who a person is and may do. `groups`: of queues; None is all. `phone`: an agent's, as the PBX names it."""

    roles: frozenset[Role]
    display_name: str = ""
    groups: frozenset[str] | None = None
    phone: str = ""
    language: str = ""  # empty: as the browser asks

    def __post_init__(self) -> None:
        if not self.roles or not self.roles <= set(ROLES):
            raise CallbackError(f"a person has at least one role: {', '.join(ROLES)}")
        if self.groups is not None and not self.groups:
            raise CallbackError("name at least one group, or none for all of them")


@dataclass(frozen=True, slots=True)
class User:
    """A person as the database knows it. `one_time_until_at`: so long a one-time password opens; None: an own one."""

    name: str
    profile: Profile
    theme: str  # empty: as the system is set
    locked: bool
    one_time_until_at: int | None
    made_at: int
    made_by: str
    seen_at: int | None

    @property
    def viewer(self) -> Viewer:
        """Give what the person may see and do."""
        return Viewer(self.name, self.profile.roles, self.profile.groups)

    @property
    def is_administrator(self) -> bool:
        """Whether the person may make and lock others, and is not locked."""
        return not self.locked and "administrator" in self.profile.roles


def user_of(row: RowMapping) -> User:
    """Give the user of a row that has the columns of USER."""
    groups = None if row["groups"] is None else frozenset(row["groups"])
    profile = Profile(frozenset(row["roles"]), row["display_name"], groups, row["phone"], row["language"])
    dates = row["one_time_until_at"], row["made_at"], row["made_by"], row["seen_at"]
    return User(row["name"], profile, row["theme"], row["locked"], *dates)


def listed(connection: Connection) -> list[User]:
    """Give everybody, by name."""
    return [user_of(row) for row in connection.execute(_ALL).mappings()]


def is_anybody(connection: Connection) -> bool:
    """Whether there is anybody who may sign in at all."""
    return bool(connection.execute(_ANY).scalar_one())


def find(connection: Connection, name: str) -> User | None:
    """Give the person of that name; None where there is nobody."""
    row = connection.execute(_BY_NAME, {"of_name": name}).mappings().first()
    return None if row is None else user_of(row)


def kept_password(connection: Connection, name: str) -> str | None:
    """Give the hash of a person's password; None where there is nobody of that name."""
    kept: str | None = connection.execute(_KEPT, {"of_name": name}).scalar_one_or_none()
    return kept


def add(change: Change, name: str, profile: Profile) -> str:
    """Make a person; give the one-time password, which is kept as a hash alone. CallbackError where there is one."""
    if not _NAME.fullmatch(name) or name in {audit.CUSTOMER, audit.SERVICE}:
        raise CallbackError(
            f"'{name}' is no name to sign in with: small letters, digits and @ . _ - are, at most {t.NAME_ROOM};"
            f" {audit.CUSTOMER} and {audit.SERVICE} stand for others in the audit"
        )
    password = passwords.one_time()
    row = {
        "name": name,
        "display_name": profile.display_name or name,
        "roles": _sorted(profile.roles),
        "groups": _sorted(profile.groups),
        "phone": profile.phone,
        "language": profile.language,
        "theme": "",
        "locked": False,
        "password": passwords.hashed(password),
        "one_time_until_at": change.now + ONE_TIME,
        "made_at": change.now,
        "made_by": change.by.who,
        "seen_at": None,
    }
    if not insert_new(change.connection, t.user_account, row):
        raise CallbackError(f"there is a user {name} already: `callback user reset {name}` gives a new password")
    change.audit("user-added", user=name, roles=row["roles"], groups=row["groups"])
    return password


def reset(change: Change, name: str) -> str:
    """Give a new one-time password, in the place of whatever the person had; all sessions of the person end."""
    _known(change.connection, name)
    password = passwords.one_time()
    values = {"password": passwords.hashed(password), "one_time_until_at": change.now + ONE_TIME}
    _write(change, name, values)
    change.audit("user-reset", user=name)
    return password


def change_roles(change: Change, name: str, roles: frozenset[Role]) -> None:
    """Give a person other roles; all sessions of the person end. CallbackError where nobody could make others then."""
    Profile(roles)
    _keep_one_administrator(change.connection, name, still="administrator" in roles)
    _write(change, name, {"roles": _sorted(roles)})
    change.audit("user-roles", user=name, roles=_sorted(roles))


def change_groups(change: Change, name: str, groups: frozenset[str] | None) -> None:
    """Let a person see other groups of queues, None: all; all sessions of the person end."""
    roles = _known(change.connection, name).profile.roles
    Profile(roles, groups=groups)
    _write(change, name, {"groups": _sorted(groups)})
    change.audit("user-groups", user=name, groups=_sorted(groups))


def alter(change: Change, name: str, wanted: Profile) -> None:
    """Give a person the roles, groups, phone and language of this profile; each that is another is an act of its own.

    The name by which the person is called stays. CallbackError where nobody could make others then.
    """
    profile = _known(change.connection, name).profile
    if wanted.roles != profile.roles:
        change_roles(change, name, wanted.roles)
    if wanted.groups != profile.groups:
        change_groups(change, name, wanted.groups)
    if wanted.phone != profile.phone:
        _change_phone(change, name, wanted.phone)
    choose(change.connection, name, language=wanted.language)


def _change_phone(change: Change, name: str, phone: str) -> None:
    if len(phone) > _PHONE_ROOM or not phone.isprintable():
        raise CallbackError(
            f"a phone is named as the PBX names it, as in PJSIP/1004, in at most {_PHONE_ROOM} characters"
        )
    _write(change, name, {"phone": phone})
    change.audit("user-phone", user=name)


def sign_out(change: Change, name: str) -> None:
    """End all sessions of a person, who may sign in again."""
    _known(change.connection, name)
    change.connection.execute(_SIGNED_OUT, {"of_name": name})
    change.audit("user-signed-out", user=name)


def lock(change: Change, name: str) -> None:
    """Let a person sign in no more; all sessions of the person end. CallbackError for the last administrator."""
    _keep_one_administrator(change.connection, name, still=False)
    _write(change, name, {"locked": True})
    change.audit("user-locked", user=name)


def unlock(change: Change, name: str) -> None:
    """Let a person sign in again, with the password that stands."""
    _known(change.connection, name)
    _write(change, name, {"locked": False})
    change.audit("user-unlocked", user=name)


def own_password(change: Change, name: str, kept: str) -> None:
    """Keep, as a hash, the password that a person chose and `passwords.fault` found good; all sessions end."""
    _write(change, name, {"password": kept, "one_time_until_at": None})
    change.audit("password-changed", user=name)


def renew_hash(connection: Connection, name: str, kept: str, renewed: str) -> None:
    """Keep the same password as a hash with today's parameters, unless another was set since it was read as `kept`."""
    same = _CHANGED.where(_U.password == kept).values(password=renewed)
    connection.execute(same, {"of_name": name})


def choose(connection: Connection, name: str, *, language: str | None = None, theme: str | None = None) -> None:
    """Keep a person's choice of language or theme; what is None stays."""
    values = {key: value for key, value in (("language", language), ("theme", theme)) if value is not None}
    if values:
        connection.execute(_CHANGED.values(**values), {"of_name": name})


def _write(change: Change, name: str, values: dict[str, Any]) -> None:
    """Change a person, who signs in anew to see it."""
    change.connection.execute(_CHANGED.values(**values), {"of_name": name})
    change.connection.execute(_SIGNED_OUT, {"of_name": name})


def _known(connection: Connection, name: str) -> User:
    user = find(connection, name)
    if user is None:
        raise _nobody(name)
    return user


def _keep_one_administrator(connection: Connection, name: str, *, still: bool) -> None:
    """Lock everybody's row: of two who take the role from each other at the same time, one comes too late."""
    everybody = {row["name"]: user_of(row) for row in connection.execute(_LOCKED_ALL).mappings()}
    if name not in everybody:
        raise _nobody(name)
    others = any(user.is_administrator for user in everybody.values() if user.name != name)
    if everybody[name].is_administrator and not (still or others):
        raise CallbackError(
            f"{name} is the last administrator, and nobody could make another: give the role to somebody else first,"
            " by `callback user roles`"
        )


def _nobody(name: str) -> CallbackError:
    return CallbackError(f"there is no user {name}: `callback user list` shows who there is")


def _sorted(words: Collection[str] | None) -> list[str] | None:
    return None if words is None else sorted(words)
