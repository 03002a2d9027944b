"""The reference of the settings, and an example file, made from the models: each key with the comment beside it."""

from __future__ import annotations

import ast
import inspect
import io
import json
import re
import textwrap
import tokenize
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Any, Final, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from callback.settings.secrets import Hidden
from callback.settings.sections import Settings

NAMES: Final = {
    "trunks": "main",
    "texts.twilio": "main",
    "rules.queues": "support",
    "rules.countries": "US",
    "rules.trunks": "main",
    "rules.care.departments": "billing",
    "rules.care.compensations": "voucher",
}
"""What a site names itself, and the name that stands for it here."""
_SAMPLES: Final = {
    "pbx.username": "lcr",
    "pbx.secret": "as in manager_lcr.conf",
    "trunks.main.region": "US",
    "rules.zone": "America/New_York",
    "rules.care.compensations.voucher.title": "A voucher",
}
"""What must be written, as an example."""
_SHOWN: Final = (
    *("database", "pbx", "trunks.main", "texts", "web", "console", "alarms", "logs", "metrics"),
    *("rules", "rules.queues.support"),
)
"""The sections of the example; who needs another finds it in the reference."""
_BOUNDS: Final = {Ge: "at least {}", Gt: "more than {}", Le: "at most {}", Lt: "less than {}"}
_PLAIN: Final[dict[Any, str]] = {
    bool: "true, false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "a path",
    date: "a date",
    time: "a time",
}


@dataclass(frozen=True, slots=True)
class Key:
    """One setting."""

    name: str
    means: str
    kind: str
    default: str | None  # as TOML; None: it has none
    required: bool


@dataclass(frozen=True, slots=True)
class Section:
    """One section with its own keys; sections in it stand for themselves."""

    name: str
    means: str
    keys: tuple[Key, ...]


def sections(model: type[BaseModel] = Settings, name: str = "") -> Iterator[Section]:
    """Every section of the settings, in the order of the models."""
    said, keys, inner = comments(model), [], []
    for field, info in model.model_fields.items():
        key = info.alias or field
        part, many = _part(info.annotation)
        if part is None:
            keys.append(_key(key, said.get(field, ""), info))
            continue
        path = f"{name}.{key}".strip(".")
        inner.append((part, f"{path}.{NAMES[path]}" if many else path))
    if name:
        yield Section(name, inspect.cleandoc(str(model.__doc__)), tuple(keys))
    for part, path in inner:
        yield from sections(part, path)


def comments(model: type[BaseModel]) -> dict[str, str]:
    """By field, the comment on its lines in the source."""
    source = textwrap.dedent(inspect.getsource(model))
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    by_line = {t.start[0]: t.string.lstrip("# ").rstrip() for t in tokens if t.type == tokenize.COMMENT}
    (defined,) = ast.parse(source).body
    fields = [part for part in getattr(defined, "body", []) if isinstance(part, ast.AnnAssign)]
    return {
        part.target.id: " ".join(by_line[n] for n in range(part.lineno, (part.end_lineno or 0) + 1) if n in by_line)
        for part in fields
        if isinstance(part.target, ast.Name)
    }


def reference() -> str:
    """The page, in Markdown."""
    lines = [
        "# Settings",
        "",
        "Made from the source by `make settings`. One TOML file, `callback.toml`; `CALLBACK_PBX__SECRET` in the",
        "environment stands for `secret` in `[pbx]`. Names that a site chooses are examples here: `main`, `support`.",
        "Relative paths begin at the file's folder. What is called a secret may also stand in a file of its own, or be",
        "a credential of systemd: [secrets.md](secrets.md).",
        "",
        "An example to begin with: [deploy/callback.example.toml](../deploy/callback.example.toml).",
        "",
    ]
    for section in sections():
        lines += [f"## [{section.name}]", "", section.means, ""]
        if section.keys:
            lines += ["| key | default | value | what it is |", "| --- | --- | --- | --- |"]
            lines += [_row(key) for key in section.keys]
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def example() -> str:
    """A file that can be copied: what must be written is, the rest is a comment with its default."""
    said = "what must be written, and as comments the defaults of the rest."
    made = "# All sections: docs/settings.md. Made from the source by `make settings`."
    return f"# Settings of the lost-call recovery: {said}\n{made}\n\n{written(_SAMPLES, {})}"


def written(values: Mapping[str, object], names: Mapping[str, Sequence[str]]) -> str:
    """Sections with these values, the rest as comments; where a section bears an example's name, once for each name."""
    lines = []
    for section in sections():
        if section.name not in _SHOWN:
            continue
        above, _, own = section.name.rpartition(".")
        for name in names.get(above, [own]):
            path = f"{above}.{name}".strip(".")
            lines += [f"[{above}.{_quoted(name)}]" if above else f"[{name}]", *_lines(section, path, values), ""]
    return "\n".join(lines).rstrip() + "\n"


def _lines(section: Section, path: str, values: Mapping[str, object]) -> Iterator[str]:
    for key in section.keys:
        given = values.get(f"{path}.{key.name}")
        value = key.default if given is None else _toml(given)
        if value is not None:
            yield f"{'# ' if given is None else ''}{key.name} = {value}  # {key.means}"


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)


def _row(key: Key) -> str:
    default = "**to be written**" if key.required else "none" if key.default is None else f"`{key.default}`"
    return " | ".join(("| `" + key.name + "`", default, key.kind, key.means.replace("|", "\\|") + " |"))


def _key(name: str, means: str, info: FieldInfo) -> Key:
    default = None if info.is_required() else info.get_default(call_default_factory=True)
    bounds = [_BOUNDS[type(one)].format(_number_of(one)) for one in info.metadata if type(one) in _BOUNDS]
    hidden = any(isinstance(one, Hidden) for one in info.metadata)
    kind = ", ".join([_kind(info.annotation), *(["a secret"] if hidden else []), *bounds])
    return Key(name, means, kind, None if default is None else _toml(default), info.is_required())


def _part(annotation: Any) -> tuple[type[BaseModel] | None, bool]:  # noqa: ANN401 - a type as it is written
    """The model of a section, and whether there may be many of them, by name."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    arguments = get_args(annotation)
    if get_origin(annotation) is dict:
        return _part(arguments[1])[0], True
    if get_origin(annotation) in {Union, types.UnionType}:
        return next((found for one in arguments if (found := _part(one)[0]) is not None), None), False
    return None, False


def _kind(annotation: Any) -> str:  # noqa: ANN401 - as above
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{json.dumps(word)}`" for word in arguments)
    if origin is tuple:
        return "a list"
    if origin is dict:
        return "names and values"
    if origin in {Union, types.UnionType}:
        return " or ".join(_kind(one) for one in arguments if one is not type(None))
    return _PLAIN.get(annotation, _kind(arguments[0]) if arguments else "text")


def _toml(value: object) -> str:
    if isinstance(value, time):
        return value.isoformat()
    if isinstance(value, dict):
        return "{}"
    return json.dumps(str(value) if isinstance(value, Path) else value, ensure_ascii=False)


def _number_of(bound: object) -> object:
    """The number of a bound."""
    return next(getattr(bound, name) for name in ("ge", "gt", "le", "lt") if hasattr(bound, name))
