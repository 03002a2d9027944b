"""The site: one PBX and the rules in force for it. The right to write for it is the lease's (`store/lease.py`)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import Connection, bindparam, func, insert, select

from callback.customers import numbers
from callback.customers.caller import Caller
from callback.customers.hours import HoursOf, hours_of
from callback.errors import StoreError
from callback.settings.rules import SiteRules
from callback.settings.sections import Settings, Trunk
from callback.site.templates import Texting, TwoWay, never, texting_of
from callback.store import keys, schema
from callback.store.tables import shift_rules
from scheduler.errors import SchedulerError
from scheduler.hours import Hours
from scheduler.promise import Promise, promise

_NEWEST: Final = select(func.max(shift_rules.c.version)).where(shift_rules.c.pbx == bindparam("of_pbx"))


@dataclass(frozen=True, slots=True)
class Site:
    """One PBX and the rules in force for it; what is written under these rules names their `version`."""

    pbx: str
    trunks: dict[str, Trunk]
    rules: SiteRules
    version: int
    hours: Hours  # of the site
    callee_hours: HoursOf
    texting: Texting = field(default_factory=Texting)

    def hours_of(self, e164: str | None, trunk: str) -> Hours:
        """The hours at which a customer who came over this trunk may be rung: the site's, less the quiet ones there."""
        return self.callee_hours(e164, self.dials_over(trunk))

    def trunk_name(self, channel: str) -> str:
        """The trunk a channel came in on: the longest beginning that fits, else the first one named."""
        fitting = [name for name, trunk in self.trunks.items() if channel.startswith(trunk.channel)]
        return max(fitting, key=lambda name: len(self.trunks[name].channel), default=next(iter(self.trunks)))

    def dials_over(self, trunk: str) -> str:
        """The trunk over which a caller of this one is called back: the first of the settings where it is no more."""
        return trunk if trunk in self.trunks else next(iter(self.trunks))

    def caller(self, signalled: str | None, channel: str) -> Caller:
        """Who calls on this channel, as far as the signalled number tells; which person that is, the database says."""
        trunk = self.trunk_name(channel)
        read = numbers.read(signalled, self.trunks[trunk])
        refused = read.reason if isinstance(read, numbers.Refused) else None
        return Caller(read.e164, refused, trunk, self.hours_of(read.e164, trunk))

    def pledge(self, caller: Caller, kind: str, lost_at: int, now: int) -> tuple[Caller, Promise]:
        """What is promised for a loss of this kind, by the hours where the caller is.

        A caller whose phone never may ring while the site is open is refused, and the promise is by the site's hours.
        """
        terms = self.rules.promise_terms()
        try:
            return caller, promise(kind, lost_at, now, caller.hours, terms)
        except SchedulerError:
            refused = replace(caller, refused="never-in-hours")
            return refused, promise(kind, lost_at, now, self.hours, terms)

    def may_call(self, queue: str, e164: str) -> bool:
        """Whether callbacks are switched on for this queue and number."""
        rules = self.rules.queue(queue)
        return rules.calls == "on" and (not rules.only_numbers or e164 in rules.only_numbers)


def current(connection: Connection, settings: Settings, two_way: TwoWay = never) -> Site:
    """The site as the running service has it: under the newest rules that it wrote down. StoreError before that."""
    there = schema.revision_of(connection)
    version = connection.execute(_NEWEST, {"of_pbx": settings.pbx.name}).scalar_one() if there else None
    if version is None:
        raise StoreError("this database is empty: start `callback run` with these settings first")
    return site_of(settings, version, two_way)


class Sites:
    """The site as the running service has it, for who asks again and again: made anew when its rules are others."""

    def __init__(self, settings: Settings, two_way: TwoWay = never) -> None:
        self._settings, self._two_way = settings, two_way
        self._last: Site | None = None

    def current(self, connection: Connection) -> Site:
        """Give the site under the newest rules. StoreError where there are none. From any thread."""
        version = connection.execute(_NEWEST, {"of_pbx": self._settings.pbx.name}).scalar_one()
        last = self._last
        if version is None or last is None or last.version != version:
            last = self._last = current(connection, self._settings, self._two_way)
        return last


def site_of(settings: Settings, version: int, two_way: TwoWay = never) -> Site:
    """The site under these settings. What the queues show to customers is our own number, and is never called back."""
    shown = {queue.caller_id for queue in settings.rules.queues.values() if queue.caller_id}
    trunks = {
        name: trunk.model_copy(
            update={
                "own_numbers": (*trunk.own_numbers, *(e164 for own in shown for e164 in numbers.perhaps(own, trunk)))
            }
        )
        for name, trunk in settings.trunks.items()
    }
    rules = settings.rules
    return Site(
        settings.pbx.name, trunks, rules, version, rules.hours(), hours_of(rules), texting_of(settings, two_way)
    )


def take_over(connection: Connection, settings: Settings, now: int, two_way: TwoWay = never) -> Site:
    """Write the file's rules as a new version when they or the texts differ from the last, and give the site."""
    keys.make_root(connection)  # here, where all is committed: a look could not keep it
    body = settings.rules.model_dump(mode="json")
    source = f"file, texts {texting_of(settings).templates.digest()}"
    digest = hashlib.sha256((json.dumps(body, sort_keys=True) + source).encode()).hexdigest()
    newest = connection.execute(
        select(shift_rules.c.version, shift_rules.c.digest)
        .where(shift_rules.c.pbx == settings.pbx.name)
        .order_by(shift_rules.c.version.desc())
        .limit(1)
    ).first()
    if newest is None or newest.digest != digest:
        version = (newest.version if newest else 0) + 1
        connection.execute(
            insert(shift_rules).values(
                pbx=settings.pbx.name,
                version=version,
                effective_from_at=now,
                source=source,
                digest=digest,
                body=body,
            )
        )
    else:
        version = newest.version
    return site_of(settings, version, two_way)
