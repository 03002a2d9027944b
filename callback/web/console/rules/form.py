"""What was typed into the form of the rules: it becomes a body, and is shown again as it was typed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final

from callback.errors import CallbackError
from callback.settings.rules import SiteRules
from callback.site.rule_versions import Change
from callback.web.console.rules.settings import NAMED, SECTIONS, Setting, of_named, path_of, setting, typed

LONGEST: Final = 4_000
"""Characters of one field."""
NAME_LONGEST: Final = 128
_APART: Final = re.compile(r"[,\s]+")
_MAPS: Final = ("opening", "special", "dids")
"""Settings whose entries are removed where nothing is typed."""


@dataclass(frozen=True, slots=True)
class Field:
    """A setting of the form, with what is typed in it, and what is wrong with that."""

    of: Setting
    value: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Settings that belong together: of a section, or of one queue, country or trunk (`kind`)."""

    title: str
    fields: tuple[Field, ...]
    kind: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """The whole form. `faults` are those of no one field."""

    groups: tuple[Group, ...]
    faults: tuple[str, ...] = ()
    named: Mapping[str, tuple[Group, ...]] = field(default_factory=dict)

    @property
    def faulty(self) -> Sequence[Field]:
        """The fields in which something is wrong."""
        every = (*self.groups, *(group for groups in self.named.values() for group in groups))
        return [one for group in every for one in group.fields if one.fault]


def shown(body: Mapping[str, Any], filled: Mapping[str, str], faults: Mapping[str, str]) -> Form:
    """The form of these rules, with what was typed in place of what stands, and what is wrong beside it."""
    left = dict(faults)
    groups = tuple(Group(title, _fields(map(setting, keys), body, filled, left)) for title, keys in SECTIONS.items())
    named = {
        kind: tuple(
            Group(name, _fields(of_named(kind, name), body, filled, left), kind, left.pop(f"{kind}.{name}", ""))
            for name in body.get(kind) or {}
        )
        for kind in NAMED
    }
    return Form(groups, tuple(f"{key}: {said}" if key else said for key, said in left.items()), named)


def body_of(body: Mapping[str, Any], filled: Mapping[str, str]) -> dict[str, Any]:
    """Lay what was typed over a body; what has no field in the form stays as it is."""
    made = deepcopy(dict(body))
    for kind in NAMED:
        names = dict(made.get(kind) or {})
        if added := filled.get(f"add.{kind}", "").strip()[:NAME_LONGEST]:
            names.setdefault(added, {})
        made[kind] = {name: one for name, one in names.items() if f"remove.{kind}.{name}" not in filled}
    for one in _settings(made):
        if one.key in filled:
            _lay(made, one.key, _value(one, filled[one.key][:LONGEST]))
    return made


def changes_of(text: str) -> dict[str, Any]:
    """Read the changes that a page carried, by key. CallbackError where it is none of ours."""
    try:
        found = json.loads(text)
        json.dumps(found, ensure_ascii=False).encode()  # half a character stands on no page
    except (ValueError, RecursionError) as error:
        raise CallbackError("this is no change of the rules: begin again with the form") from error
    if not isinstance(found, dict):
        raise CallbackError("this is no change of the rules: begin again with the form")
    return found


def carried(changes: Iterable[Change]) -> str:
    """Changes, as a page carries them to the one that publishes them."""
    return json.dumps({one.key: one.after for one in changes}, ensure_ascii=False)


def changed(rules: SiteRules, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Lay changes over rules; what is changed to nothing is not there any more. CallbackError for a key of none."""
    body = rules.model_dump(mode="json")
    for key, value in changes.items():
        if path_of(key)[0] not in SiteRules.model_fields:
            raise CallbackError(f"there is no setting {key}")
        if isinstance(_at(body, key, ""), dict) and not isinstance(value, dict):
            raise CallbackError(f"{key} is no single setting")
        _lay(body, key, value)
    return body


def _settings(body: Mapping[str, Any]) -> list[Setting]:
    every = [setting(key) for keys in SECTIONS.values() for key in keys]
    return every + [one for kind in NAMED for name in body[kind] for one in of_named(kind, name)]


def _fields(
    settings: Iterable[Setting], body: Mapping[str, Any], filled: Mapping[str, str], left: dict[str, str]
) -> tuple[Field, ...]:
    return tuple(
        Field(one, filled.get(one.key, _typed(one, _at(body, one.key, one.default))), _fault(one, left))
        for one in settings
    )


def _typed(one: Setting, value: object) -> str:
    """What stands there as it is typed: the parts of some lists a line each."""
    return "\n".join(map(str, value)) if one.kind == "rows" and isinstance(value, list | tuple) else typed(value)


def _fault(one: Setting, left: dict[str, str]) -> str:
    """What is wrong with a setting, or with what stands in it; it is told once."""
    mine = [
        key for key in left if key == one.key or (key.startswith(f"{one.key}.") and path_of(key) != path_of(one.key))
    ]
    return "; ".join(left.pop(key) for key in mine)


def _at(body: Mapping[str, Any], key: str, default: str) -> object:
    value: Any = body
    for part in path_of(key):
        if not isinstance(value, Mapping) or part not in value:
            return default
        value = value[part]
    return value


def _lay(body: dict[str, Any], key: str, value: object) -> None:
    *parts, last = path_of(key)
    above = [body]
    for part in parts:
        body = body.setdefault(part, {})
        if not isinstance(body, dict):
            raise CallbackError(f"there is no setting {key}")
        above.append(body)
    if value is not None or not parts or not (parts[0] in _MAPS or (parts[0] == "care" and len(parts) > 1)):
        body[last] = value
        return
    body.pop(last, None)
    if len(parts) > 2 and not body:  # noqa: PLR2004 - a department of which nothing is left is none
        above[-2].pop(parts[-1])


def _value(one: Setting, text: str) -> object:
    if one.kind == "rows":
        return [line.strip() for line in text.splitlines() if line.strip()]
    if one.kind == "list":
        return [part for part in _APART.split(text) if part]
    if one.kind == "lines":
        lines = (line.partition("=") for line in text.splitlines() if line.strip())
        return {name.strip(): value.strip() for name, _, value in lines}
    text = text.strip()
    if not text and (one.kind in {"time", "number"} or one.key == "default_queue" or one.key.startswith("opening.")):
        return None
    return text
