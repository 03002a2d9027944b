"""What people decide about the rules: publish, go back to what was, withdraw what still waits, and answer the file.

Each is a version of its own; none is ever changed. Promises keep what was told (ADR 0014), new ones go by the new.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from sqlalchemy import bindparam, update

from callback.decisions.reasons import NONE_GIVEN
from callback.errors import CallbackError
from callback.settings.rules import SiteRules
from callback.settings.sections import Settings
from callback.site import rule_versions
from callback.site.rule_versions import Draft, Version
from callback.site.telling import tell
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import By
from scheduler.clock import DAY

LATEST_US: Final = 366 * DAY
Action = Literal["rules-published", "rules-rolled-back", "rules-withdrawn", "rules-from-file", "rules-kept"]
_V = t.shift_rules.c
_WITHDRAW: Final = (
    update(t.shift_rules)
    .where(_V.pbx == bindparam("of_pbx"), _V.version == bindparam("number"))
    .values(withdrawn_at=bindparam("at"))
)


class Superseded(CallbackError):
    """The rules have changed since they were looked at: look at them as they are, and decide again."""


class NothingChanges(CallbackError):
    """These are the rules in force already."""


def publish(work: Work, rules: SiteRules, by: By, *, based_on: int, from_at: int | None = None) -> Version:
    """Make these the rules, now or from then on. They must be valid here (`rule_versions.proposed`).

    Superseded where others than `based_on` are in force by now, or others wait for their time; Faulty where the site
    opens no more from then on.
    """
    return _add(work, rules, by, "rules-published", based_on, from_at)


def roll_back(work: Work, settings: Settings, to: int, by: By) -> Version:
    """Make a new version with the rules of an earlier one. Faulty where they do not fit the settings file any more."""
    earlier = rule_versions.version_of(work.connection, work.pbx, to)
    rule_versions.fitting(settings, earlier.rules)
    return _add(work, earlier.rules, by, "rules-rolled-back", None, None, {"to": to})


def withdraw(work: Work, version: int, by: By) -> None:
    """Let a version that waits for its time never come into force. Superseded where its time has come."""
    _reasoned(by)
    rule_versions.lock(work.connection, work.pbx)
    waits = rule_versions.waiting(work.connection, work.pbx, work.now)
    if version not in {one.version for one in waits}:
        raise Superseded(f"version {version} does not wait for its time: `callback rules` says what is in force")
    work.connection.execute(_WITHDRAW, {"of_pbx": work.pbx, "number": version, "at": work.now})
    _tell(work, by, "rules-withdrawn", {"version": version})


def take_file(work: Work, settings: Settings, by: By) -> Version:
    """Make the settings file's rules the rules: what people published since is no more in force."""
    version = _add(work, settings.rules, by, "rules-from-file", None, None)
    rule_versions.file_is_settled(work.connection, settings, work.now)
    return version


def keep(work: Work, settings: Settings, by: By) -> None:
    """Leave the rules as people published them, whatever the file says now. It is asked again when that changes."""
    _reasoned(by)
    differing = rule_versions.conflict(work.connection, settings, work.now)
    if not differing:
        raise NothingChanges("the settings file does not contradict the rules in force")
    rule_versions.file_is_settled(work.connection, settings, work.now)
    _tell(work, by, "rules-kept", {"keys": [one.key for one in differing]})


def _add(
    work: Work,
    rules: SiteRules,
    by: By,
    action: Action,
    based_on: int | None,
    from_at: int | None,
    facts: dict[str, Any] | None = None,
) -> Version:
    connection, pbx, now = work.connection, work.pbx, work.now
    _reasoned(by)
    if from_at is not None and not now <= from_at <= now + LATEST_US:
        raise CallbackError("rules come into force now or later, and within a year")
    rule_versions.opening(rules, now if from_at is None else from_at)
    rule_versions.lock(connection, pbx)
    stands = rule_versions.in_force(connection, pbx, now)
    if based_on not in {None, stands.version}:
        who = stands.who or "the settings file"
        raise Superseded(f"version {stands.version}, by {who}, is in force by now: look at it, and decide again")
    for waits in rule_versions.waiting(connection, pbx, now):
        raise Superseded(f"version {waits.version} waits for its time: withdraw it first, then publish both in one")
    changed = [one.key for one in rule_versions.changes(stands.rules, rules)]
    if not changed:
        raise NothingChanges(f"nothing changes: these are the rules in force, version {stands.version}")
    draft = Draft(
        body=rules.model_dump(mode="json"),
        texts=work.site.texting.templates.digest(),
        by=by,
        source="file" if action == "rules-from-file" else "person",
        based_on=stands.version,
        from_at=from_at,
    )
    version = rule_versions.add(connection, pbx, draft, now)
    about = {"version": version.version, "from_at": version.effective_from_at, "keys": changed}
    _tell(work, by, action, about | (facts or {}))
    return version


def _reasoned(by: By) -> None:
    if by.why == NONE_GIVEN:
        raise CallbackError("say why: rules change with a reason")


def _tell(work: Work, by: By, action: Action, facts: dict[str, Any]) -> None:
    """Keep it in the audit and in the feed; keys of a country or queue are names, and no caller wrote them."""
    tell(work, by, action, facts)
