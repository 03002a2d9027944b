"""The rules of a site as versions: immutable rows, each with who made it, why, and from when on it holds.

The settings file gives the first. Once a person has published a version the database has the rules, and a file that is
changed afterwards is a conflict: it is told, and a person decides (ADR 0026).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

from pydantic import ValidationError
from sqlalchemy import BindParameter, Connection, RowMapping, bindparam, delete, func, insert, select

from callback.errors import CallbackError, StoreError
from callback.logs.masking import masked_text
from callback.settings.faults import faults_of
from callback.settings.rules import WEEKDAYS, QueueRules, SiteRules
from callback.settings.sections import Settings
from callback.site.templates import language_faults
from callback.store import tables as t
from callback.store.audit import By
from scheduler.errors import SchedulerError

Source = Literal["file", "person"]
_V = t.shift_rules.c
_PBX: BindParameter[str] = bindparam("of_pbx")
_OF_PBX: Final = select(t.shift_rules).where(_V.pbx == _PBX)
_NEWEST: Final = (
    _OF_PBX.where(_V.withdrawn_at.is_(None), _V.effective_from_at <= bindparam("now"))
    .order_by(_V.effective_from_at.desc(), _V.version.desc())
    .limit(1)
)
_NUMBER: Final = _NEWEST.with_only_columns(_V.version)
_FIRST: Final = _OF_PBX.order_by(_V.version).limit(1)
_WAITING: Final = _OF_PBX.where(_V.withdrawn_at.is_(None), _V.effective_from_at > bindparam("now")).order_by(
    _V.effective_from_at
)
_ALL: Final = _OF_PBX.order_by(_V.version.desc()).limit(bindparam("most"))
_PUBLISHED: Final = select(_V.version).where(_V.pbx == _PBX, _V.who != "").limit(1)
_LOCKED: Final = select(_V.version).where(_V.pbx == _PBX).order_by(_V.version).limit(1).with_for_update(key_share=True)
_LAST: Final = select(func.max(_V.version)).where(_V.pbx == _PBX)
_COLUMNS: Final = (
    *("version", "effective_from_at", "made_at", "who", "why", "based_on", "withdrawn_at", "body", "digest"),
)
_QUIET: Final = {"no_ring_after": None, "no_ring_before": None, "days": list(WEEKDAYS)}
_UNNAMED: Final[Mapping[str, Mapping[str, Any]]] = {
    "queues": QueueRules().model_dump(mode="json"),
    "countries": _QUIET,
    "trunks": _QUIET,
}
"""What holds for a queue, country or trunk that the rules do not name."""
_UNSAID: Final[Mapping[str, Any]] = SiteRules(zone="UTC").model_dump(mode="json")
"""What holds for the site where a version says nothing, because the program that wrote it did not know the key."""


class Faulty(CallbackError):
    """Rules that cannot be: `faults` says by key what is wrong with each; an empty key: with several together."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        self.faults = faults
        lines = (f"{key}: {told}" if key else told for key, told in faults.items())
        count = "one fault" if len(faults) == 1 else f"{len(faults)} faults"
        super().__init__(f"{count} in the rules\n" + "\n".join(f"  {line}" for line in lines))


@dataclass(frozen=True)
class Version:
    """Rules as they were made: `who` is empty where the service took them from the file by itself."""

    version: int
    effective_from_at: int
    made_at: int
    who: str
    why: str
    based_on: int | None
    withdrawn_at: int | None
    body: Mapping[str, Any]
    digest: str
    source: Source

    @cached_property
    def rules(self) -> SiteRules:
        """The rules. StoreError where this program does not know them any more."""
        try:
            return SiteRules.model_validate(self.body)
        except ValidationError as error:
            told = "; ".join(f"{key} {said}" for key, said in faults_of(error).items())
            raise StoreError(f"version {self.version} of the rules is of another program: {told}") from error


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that differs, by its key as docs/settings.md names it; None: it is not there."""

    key: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Conflict:
    """A setting that was changed in the file, though people publish the rules: nothing is done about it by itself."""

    key: str
    file: Any
    in_force: Any


def number_in_force(connection: Connection, pbx: str, now: int) -> int:
    """Give the number of the version that holds now. StoreError where there is none."""
    found = connection.execute(_NUMBER, {"of_pbx": pbx, "now": now}).scalar_one_or_none()
    return in_force(connection, pbx, now).version if found is None else found


def in_force(connection: Connection, pbx: str, now: int) -> Version:
    """Give the version that holds now: of those whose time has come the latest. StoreError where there is none.

    Before the first came into force (a clock was set back) it holds too.
    """
    found = newest(connection, pbx, now)
    if found is None:
        raise StoreError("this database is empty: start `callback run` with these settings first")
    return found


def newest(connection: Connection, pbx: str, now: int) -> Version | None:
    """Give the version that holds now, if there is one."""
    about = {"of_pbx": pbx, "now": now}
    row = connection.execute(_NEWEST, about).mappings().first()
    row = row or connection.execute(_FIRST, {"of_pbx": pbx}).mappings().first()
    return None if row is None else _version(row)


def waiting(connection: Connection, pbx: str, now: int) -> tuple[Version, ...]:
    """Give the versions that are published for later, the next one first."""
    return tuple(_version(row) for row in connection.execute(_WAITING, {"of_pbx": pbx, "now": now}).mappings())


def versions(connection: Connection, pbx: str, most: int = 200) -> tuple[Version, ...]:
    """Give the versions, the newest first, those that were withdrawn too."""
    return tuple(_version(row) for row in connection.execute(_ALL, {"of_pbx": pbx, "most": most}).mappings())


def version_of(connection: Connection, pbx: str, number: int) -> Version:
    """Give one version. CallbackError where there is none of that number."""
    row = connection.execute(_OF_PBX.where(_V.version == number), {"of_pbx": pbx}).mappings().first()
    if row is None:
        raise CallbackError(f"there is no version {number} of the rules: `callback rules` lists them")
    return _version(row)


def published(connection: Connection, pbx: str) -> bool:
    """Whether a person has ever published rules: then they are the database's, and no longer the file's."""
    return connection.execute(_PUBLISHED, {"of_pbx": pbx}).first() is not None


def proposed(settings: Settings, body: Mapping[str, Any], now: int) -> SiteRules:
    """Make rules of a body as the file has it below [rules]. Faulty with every fault, each by its key."""
    try:
        rules = SiteRules.model_validate(body)
    except ValidationError as error:
        raise Faulty(faults_of(error)) from error
    fitting(settings, rules)
    opening(rules, now)
    return rules


def opening(rules: SiteRules, from_at: int) -> None:
    """See that the site opens once these rules hold. Faulty where it never does: nobody could be promised a call."""
    try:
        rules.hours().next_opening(from_at)
    except SchedulerError as error:
        raise Faulty({"opening": str(error)}) from error


def fitting(settings: Settings, rules: SiteRules) -> Settings:
    """Give the settings with these rules instead of the file's. Faulty where rules name what the file does not have."""
    parts = {name: getattr(settings, name) for name in Settings.model_fields}
    try:
        fitted = Settings.model_validate(parts | {"rules": rules})
    except ValidationError as error:
        raise Faulty({"": "; ".join(faults_of(error).values())}) from error
    if faults := language_faults(fitted):
        raise Faulty({"": "; ".join(faults)})
    return fitted


def changes(before: SiteRules, after: SiteRules) -> tuple[Change, ...]:
    """What differs, by key; a queue, country or trunk that is named on one side alone is compared with the defaults."""
    return _changes(before.model_dump(mode="json"), after.model_dump(mode="json"))


def changed(before: Version, after: Version) -> tuple[Change, ...]:
    """What a version has otherwise than another, also where this program knows not all of it any more."""
    return _changes(before.body, after.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A version to be written: of a person, or where `by` is none of the service itself."""

    body: Mapping[str, Any]
    texts: str  # the digest of their wording
    by: By | None = None
    source: Source = "file"
    based_on: int | None = None
    from_at: int | None = None


def add(connection: Connection, pbx: str, draft: Draft, now: int) -> Version:
    """Write a version. Who has locked the versions alone may: another could take the number."""
    number = (connection.execute(_LAST, {"of_pbx": pbx}).scalar() or 0) + 1
    row = {
        "pbx": pbx,
        "version": number,
        "effective_from_at": now if draft.from_at is None else draft.from_at,
        "made_at": now,
        "who": draft.by.who if draft.by else "",
        "why": masked_text(draft.by.why) if draft.by else "",
        "source": f"{draft.source}, texts {draft.texts}",
        "based_on": draft.based_on,
        "digest": digest(draft.body, draft.texts),
        "body": dict(draft.body),
    }
    connection.execute(insert(t.shift_rules), row)
    return version_of(connection, pbx, number)


def lock(connection: Connection, pbx: str) -> None:
    """Let nobody else write versions until this transaction ends."""
    connection.execute(_LOCKED, {"of_pbx": pbx})


def digest(body: Mapping[str, Any], texts: str) -> str:
    """By what rules are known to be the same, with the wording of the texts beside them."""
    return hashlib.sha256((json.dumps(body, sort_keys=True) + f"file, texts {texts}").encode()).hexdigest()


def conflict(connection: Connection, settings: Settings, now: int) -> tuple[Conflict, ...]:
    """What somebody changed in the file since it was last read, and that differs from what people published."""
    pbx = settings.pbx.name
    if not published(connection, pbx):
        return ()
    ours = in_force(connection, pbx, now).body
    theirs = settings.rules.model_dump(mode="json")
    edited = {change.key for change in _changes(_file_read(connection, pbx), theirs)}
    differing = _changes(ours, theirs)
    return tuple(Conflict(one.key, one.after, one.before) for one in differing if one.key in edited)


def file_is_settled(connection: Connection, settings: Settings, now: int) -> None:
    """Keep that nothing is open about the file as it is now: what is changed in it from now on is a conflict."""
    pbx = settings.pbx.name
    connection.execute(delete(t.rules_file).where(t.rules_file.c.pbx == pbx))
    body = settings.rules.model_dump(mode="json")
    connection.execute(insert(t.rules_file).values(pbx=pbx, read_at=now, body=body))


def _file_read(connection: Connection, pbx: str) -> Mapping[str, Any]:
    """The file's rules when nothing was open about them; before that was kept, the last version that it gave."""
    read = connection.execute(select(t.rules_file.c.body).where(t.rules_file.c.pbx == pbx)).scalar_one_or_none()
    if read is None:
        of_file = select(_V.body).where(_V.pbx == pbx, _V.who == "").order_by(_V.version.desc()).limit(1)
        read = connection.execute(of_file).scalar_one_or_none()
    return dict(read or {})


def _version(row: RowMapping) -> Version:
    source: Source = "person" if row["source"].startswith("person") else "file"
    own = {name: row[name] for name in _COLUMNS}
    return Version(**own, source=source)


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    old, new = dict(_flat(before)), dict(_flat(after))
    both = [(path, old.get(path, _unnamed(path)), new.get(path, _unnamed(path))) for path in {**old, **new}]
    return tuple(Change(".".join(path), was, is_now) for path, was, is_now in both if was != is_now)


def _flat(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401 - of JSON
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, (*path, key))
    else:
        yield path, value


def _unnamed(path: tuple[str, ...]) -> Any:  # noqa: ANN401 - of JSON
    of_one = _UNNAMED.get(path[0])
    found: Any = _UNSAID if of_one is None else of_one
    for step in path if of_one is None else path[2:]:
        found = found.get(step) if isinstance(found, Mapping) else None
    return found
