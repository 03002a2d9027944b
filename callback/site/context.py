"""The site: one PBX and the rules in force for it. The right to write for it is the lease's (`store/lease.py`)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

from sqlalchemy import Connection

from callback.customers import numbers
from callback.customers.caller import Caller
from callback.customers.hours import HoursOf, hours_of
from callback.errors import CallbackError, StoreError
from callback.settings.rules import SiteRules
from callback.settings.sections import Settings, Trunk
from callback.site import pauses, rule_versions
from callback.site.pauses import Pause, What
from callback.site.rule_versions import Draft, Faulty, Version
from callback.site.templates import Texting, TwoWay, never, texting_of
from callback.store import keys, schema
from callback.store.engine import Store
from scheduler.errors import SchedulerError
from scheduler.hours import Hours
from scheduler.promise import Promise, promise


class SiteInTime(Protocol):
    """Gives the site under the rules in force at a moment."""

    @property
    def pbx(self) -> str:
        """The name of its PBX."""

    def at(self, connection: Connection, now: int, /) -> Site:
        """Give it."""

    @property
    def last(self) -> Site:
        """The one that was given last."""


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
    pauses: tuple[Pause, ...] = ()  # that hold now

    def at(self, _connection: Connection, _now: int) -> Site:
        """The site as it stays, whatever is published: for one unit of work, and for tests."""
        return self

    @property
    def last(self) -> Site:
        """The same."""
        return self

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

        A caller whose phone never may ring while the site is open is refused, and the promise is by the site's hours;
        so is everybody while the site does not open any more, by the hours of one that is always open.
        """
        terms = self.rules.promise_terms()
        try:
            return caller, promise(kind, lost_at, now, caller.hours, terms)
        except SchedulerError:
            refused = replace(caller, refused="never-in-hours")
        try:
            return refused, promise(kind, lost_at, now, self.hours, terms)
        except SchedulerError:
            return refused, promise(kind, lost_at, now, Hours(self.hours.zone), terms)

    def paused(self, what: What, queue: str) -> Pause | None:
        """What stops this in a queue now, and ends last; None where nothing does."""
        holding = [one for one in self.pauses if one.holds(what, queue)]
        return holding[-1] if holding else None

    def free_at(self, what: What, queue: str, at: int) -> int:
        """From when this is done in a queue, of what would be done at `at`: a pause may end later."""
        pause = self.paused(what, queue)
        return at if pause is None else max(at, pause.until_at)

    def may_call(self, queue: str, e164: str) -> bool:
        """Whether callbacks are switched on for this queue and number."""
        rules = self.rules.queue(queue)
        return rules.calls == "on" and (not rules.only_numbers or e164 in rules.only_numbers)


def current(connection: Connection, settings: Settings, now: int, two_way: TwoWay = never) -> Site:
    """The site as the running service has it, under the rules in force now. StoreError where it never ran."""
    if not schema.revision_of(connection):
        raise StoreError("this database is empty: start `callback run` with these settings first")
    return Sites(settings, two_way).at(connection, now)


def ruled(store: Store, settings: Settings, now: int) -> Settings:
    """Give the settings with the rules in force now; with the file's own where no service has run there yet."""
    if not store.is_there:
        return settings
    with store.read() as connection:
        found = rule_versions.newest(connection, settings.pbx.name, now) if schema.revision_of(connection) else None
    return settings if found is None else under(settings, found)


class Sites:
    """The site for who asks again and again: rules and pauses are those in force when it is asked for.

    So whoever has this instead of a site acts by a version as soon as it is published, or its time has come.
    """

    def __init__(self, settings: Settings, two_way: TwoWay = never) -> None:
        self._settings, self._two_way = settings, two_way
        self._last: Site | None = None
        self.pbx = settings.pbx.name

    def at(self, connection: Connection, now: int) -> Site:
        """Give the site under the rules in force now. StoreError where there are none. From any thread."""
        number = rule_versions.number_in_force(connection, self.pbx, now)
        paused = pauses.active(connection, self.pbx, now)
        site = self._last
        if site is None or site.version != number:
            rules = rule_versions.in_force(connection, self.pbx, now)
            site = site_of(under(self._settings, rules), rules.version, self._two_way)
        site = site if site.pauses == paused else replace(site, pauses=paused)
        self._last = site
        return site

    @property
    def last(self) -> Site:
        """The site as it was given last, for what asks no database: a second old at most while the service runs."""
        if self._last is None:
            raise StoreError("the rules have not been read yet")
        return self._last


def under(settings: Settings, version: Version) -> Settings:
    """Give the settings with the rules of a version instead of the file's."""
    return settings.model_copy(update={"rules": version.rules})


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
    """Give the site as its service begins, under the rules in force.

    The file's rules become a version while no person has published any; afterwards the database's hold, and what was
    changed in the file is a conflict (`rule_versions.conflict`). Where the wording of texts is another, that is a
    version too. CallbackError where what was published does not fit the file any more.
    """
    keys.make_root(connection)  # here, where all is committed: a look could not keep it
    pbx, texts = settings.pbx.name, texting_of(settings).templates.digest()
    rule_versions.lock(connection, pbx)
    of_people = rule_versions.published(connection, pbx)
    found = rule_versions.newest(connection, pbx, now)
    body = found.body if found and of_people else settings.rules.model_dump(mode="json")
    if found is None or found.digest != rule_versions.digest(body, texts):
        found = rule_versions.add(connection, pbx, Draft(body=body, texts=texts), now)
    if not rule_versions.conflict(connection, settings, now):
        rule_versions.file_is_settled(connection, settings, now)
    try:
        fitted = rule_versions.fitting(settings, found.rules)
    except Faulty as error:
        raise CallbackError(
            f"version {found.version} of the rules does not fit the settings file any more: write there what is"
            f" missing, or let the file's rules hold with `callback rules take-file`. {error}"
        ) from error
    return site_of(fitted, found.version, two_way)
