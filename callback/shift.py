"""The shift: one PBX, the rules in force for it, and the right to write."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from callback import phone
from callback.errors import StoreError
from callback.rules import ShiftRules
from callback.settings import Settings, Trunk
from callback.store import schema
from callback.store.tables import shift_rules
from scheduler.hours import Hours


@dataclass(frozen=True, slots=True)
class Shift:
    """What every use case needs to know besides its own arguments. `version` names the rules in all that is written."""

    pbx: str
    trunks: dict[str, Trunk]
    rules: ShiftRules
    version: int
    hours: Hours

    def trunk_name(self, channel: str) -> str:
        """The trunk a channel came in on: the longest beginning that fits, else the first one named."""
        fitting = [name for name, trunk in self.trunks.items() if channel.startswith(trunk.channel)]
        return max(fitting, key=lambda name: len(self.trunks[name].channel), default=next(iter(self.trunks)))


def current(connection: Connection, settings: Settings) -> Shift:
    """The shift as the running service has it: under the newest rules that it wrote down. StoreError before that."""
    newest = select(func.max(shift_rules.c.version)).where(shift_rules.c.pbx == settings.pbx.name)
    version = connection.execute(newest).scalar_one() if schema.current(connection) else None
    if version is None:
        raise StoreError("this database is empty: start `callback run` with these settings first")
    return shift_of(settings, version)


def shift_of(settings: Settings, version: int) -> Shift:
    """The shift under these settings. What the queues show to customers is our own number, and is never called back."""
    shown = {queue.caller_id for queue in settings.rules.queues.values() if queue.caller_id}
    trunks = {
        name: trunk.model_copy(
            update={"own_numbers": (*trunk.own_numbers, *filter(None, (phone.read(own, trunk).e164 for own in shown)))}
        )
        for name, trunk in settings.trunks.items()
    }
    return Shift(settings.pbx.name, trunks, settings.rules, version, settings.rules.hours())


def take_over(connection: Connection, settings: Settings, now: int) -> Shift:
    """Write the file's rules as a new version when they differ from the last, and return the shift under them."""
    body = settings.rules.model_dump(mode="json")
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
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
                source="file",
                digest=digest,
                body=body,
            )
        )
    else:
        version = newest.version
    return shift_of(settings, version)
