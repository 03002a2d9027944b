"""Endpoints of webhooks: made, changed and disabled by administrators, each act in the audit."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from sqlalchemy import Connection, RowMapping, bindparam, select, update

from callback.accounts.change import Change
from callback.accounts.webhooks import addresses, signing
from callback.errors import CallbackError
from callback.store import feed
from callback.store import tables as t
from scheduler.clock import DAY

EventType = Literal[
    "reservation.made", "reservation.changed", "reservation.closed", "promise.broken", "alarm.raised", "alarm.over",
    "incident.opened", "incident.ended", "answer.received", "text.failed",
    "case.opened", "case.changed", "case.closed", "case.at-risk",
]  # fmt: skip
TYPES: Final[tuple[EventType, ...]] = get_args(EventType)
Disabled = Literal["", "person", "gone", "failing", "full"]
"""Why an endpoint is told nothing; empty: it is told."""
MOST: Final = 50
"""Endpoints of a site."""
ROTATION: Final = DAY
"""So long the secret before is good, too."""

_E: Final = t.hook_endpoint.c
_ALL: Final = select(t.hook_endpoint).order_by(_E.id)
_ONE: Final = select(t.hook_endpoint).where(_E.id == bindparam("of_id"))
_CHANGED: Final = update(t.hook_endpoint).where(_E.id == bindparam("of_id"))
_D: Final = t.hook_delivery.c
_AT_ONCE: Final = (
    update(t.hook_delivery)
    .where(_D.pbx == bindparam("of_pbx"), _D.endpoint_id == bindparam("of_endpoint"), t.TO_DELIVER, _D.tries > 0)
    .values(next_at=_D.made_at)
)
_FRESH: Final = {"failures": 0, "failing_since_at": None, "rests_until_at": 0}
"""As an endpoint is that has not failed."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where messages go, which ones, and whether whole telephone numbers stand in them."""

    url: str
    events: frozenset[str]
    with_number: bool = False

    def checked(self, allowed: Collection[str]) -> Wanted:
        """Give it as it may be kept. CallbackError where it may not; `allowed`: the hosts of the settings file."""
        if not self.events or not self.events <= set(TYPES):
            raise CallbackError(f"choose at least one event: {', '.join(TYPES)}")
        return Wanted(addresses.checked(self.url.strip(), allowed), self.events, self.with_number)

    @property
    def facts(self) -> dict[str, Any]:
        """What the audit keeps of it: of the address, which may hold a secret, the host alone."""
        return {"host": addresses.host_of(self.url), "events": sorted(self.events), "numbers": self.with_number}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A program that is told what happens."""

    id: int
    wanted: Wanted
    disabled: Disabled
    seed: str
    old_seed: str
    old_until_at: int
    since_place: int
    failures: int
    failing_since_at: int | None
    rests_until_at: int
    delivered_at: int | None
    made_at: int
    made_by: str

    @property
    def host(self) -> str:
        """Where it is; the rest of its address may be secret."""
        return addresses.host_of(self.wanted.url)

    def seeds(self, now: int) -> list[str]:
        """Give the seeds of the secrets that are good now, the newest first."""
        return [self.seed, *([self.old_seed] if self.old_seed and now < self.old_until_at else [])]


def listed(connection: Connection) -> list[Endpoint]:
    """Give all of them, in the order they were made."""
    return [_endpoint(row) for row in connection.execute(_ALL).mappings()]


def find(connection: Connection, endpoint: int) -> Endpoint:
    """Give one. CallbackError where there is none."""
    row = connection.execute(_ONE, {"of_id": endpoint}).mappings().first()
    if row is None:
        raise _unknown(endpoint)
    return _endpoint(row)


def add(change: Change, wanted: Wanted, allowed: Collection[str]) -> tuple[int, str]:
    """Make one, which is told what happens from now on; give its number, and the secret that its program needs."""
    wanted = wanted.checked(allowed)
    if len(listed(change.connection)) >= MOST:
        raise CallbackError(f"there are {MOST} endpoints already")
    seed = signing.seed()
    row = _columns(wanted) | {
        "seed": seed,
        "old_seed": "",
        "old_until_at": 0,
        "since_place": feed.end(change.connection),
        "disabled": "",
        "failures": 0,
        "rests_until_at": 0,
        "made_at": change.now,
        "made_by": change.by.who,
    }
    made = change.connection.execute(t.hook_endpoint.insert().values(**row)).inserted_primary_key
    endpoint = int(made[0]) if made else 0
    change.audit("webhook-added", endpoint=endpoint, **wanted.facts)
    return endpoint, _secret(change, seed)


def alter(change: Change, endpoint: int, wanted: Wanted, allowed: Collection[str]) -> None:
    """Let messages go elsewhere, or others; what waits goes there, too, and at once."""
    wanted = wanted.checked(allowed)
    _write(change, endpoint, _columns(wanted) | _FRESH)
    all_at_once(change.connection, change.pbx, endpoint)
    change.audit("webhook-changed", endpoint=endpoint, **wanted.facts)


def rotate(change: Change, endpoint: int) -> str:
    """Give another secret; for 24 h messages are signed with the one before as well."""
    before, seed = find(change.connection, endpoint), signing.seed()
    until_at = change.now + ROTATION
    _write(change, endpoint, {"seed": seed, "old_seed": before.seed, "old_until_at": until_at})
    change.audit("webhook-rotated", endpoint=endpoint, until_at=until_at)
    return _secret(change, seed)


def disable(change: Change, endpoint: int, why: Disabled = "person") -> None:
    """Send nothing any more; what waits is kept, and what happens from now on is not."""
    _write(change, endpoint, {"disabled": why})
    change.audit("webhook-disabled", endpoint=endpoint, because=why)


def enable(change: Change, endpoint: int) -> None:
    """Send again: what waited, at once, and what happens from now on."""
    if find(change.connection, endpoint).disabled:
        _write(change, endpoint, {"disabled": "", "since_place": feed.end(change.connection)} | _FRESH)
        all_at_once(change.connection, change.pbx, endpoint)
        change.audit("webhook-enabled", endpoint=endpoint)


def at_work(endpoints: Iterable[Endpoint]) -> list[Endpoint]:
    """Give those that are told what happens."""
    return [one for one in endpoints if not one.disabled]


def all_at_once(connection: Connection, pbx: str, endpoint: int) -> None:
    """Let what waits for its next try be sent now, in order: the endpoint that was away is back, or put right."""
    connection.execute(_AT_ONCE, {"of_pbx": pbx, "of_endpoint": endpoint})


def keep(connection: Connection, endpoint: int, **values: object) -> None:
    """Keep how the last tries went."""
    connection.execute(_CHANGED.values(**values), {"of_id": endpoint})


def _write(change: Change, endpoint: int, values: dict[str, Any]) -> None:
    if not change.connection.execute(_CHANGED.values(**values), {"of_id": endpoint}).rowcount:
        raise _unknown(endpoint)


def _columns(wanted: Wanted) -> dict[str, Any]:
    return {"url": wanted.url, "events": sorted(wanted.events), "with_number": wanted.with_number}


def _secret(change: Change, seed: str) -> str:
    return signing.shown(signing.key_of(change.connection, seed))


def _unknown(endpoint: int) -> CallbackError:
    return CallbackError(f"there is no endpoint {endpoint}")


def _endpoint(row: RowMapping) -> Endpoint:
    wanted = Wanted(row["url"], frozenset(row["events"]), row["with_number"])
    same = (
        *("id", "disabled", "seed", "old_seed", "old_until_at", "since_place", "failures", "failing_since_at"),
        *("rests_until_at", "delivered_at", "made_at", "made_by"),
    )
    return Endpoint(wanted=wanted, **{name: row[name] for name in same})
