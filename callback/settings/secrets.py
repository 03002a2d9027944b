"""Where secrets may stand: one rule for every key that is one.

A secret is written in the settings file or the environment, stands in a file of its own that `secret_file` names, or
comes as a credential of systemd with the name of its section and key, `pbx.secret`. It has one place: two of them are a
fault that names both.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, Field

CREDENTIALS: Final = "CREDENTIALS_DIRECTORY"
"""The variable by which systemd says where a unit's credentials are."""
_FILE: Final = "_file"
_ANY: Final = "*"
_MOST_BYTES: Final = 64 * 1024
Keys = tuple[str, ...]


class Hidden(NamedTuple):
    """Marks a key as a secret. Some have no `_file` beside them, because that word means something else there."""

    by_file: bool = True


Secret = Annotated[str, Field(repr=False), Hidden()]
SecretUnfiled = Annotated[str, Field(repr=False), Hidden(by_file=False)]


@dataclass(slots=True)
class Filled:
    """What was found beside the settings file: the files that were read, and by key what is wrong with one."""

    files: list[Path] = field(default_factory=list)
    faults: dict[Keys, str] = field(default_factory=dict)


def secrets_of(model: type[BaseModel]) -> dict[Keys, Hidden]:
    """Give every key of the settings that is a secret, with its sections; `*` is a name that the site chose."""
    found: dict[Keys, Hidden] = {}
    for name, info in model.model_fields.items():
        key = info.alias or name
        for mark in info.metadata:
            if isinstance(mark, Hidden):
                found[(key, _ANY) if get_origin(info.annotation) is dict else (key,)] = mark
        for named, part in _parts(info.annotation):
            found |= {(key, *named, *keys): mark for keys, mark in secrets_of(part).items()}
    return found


def fill_in(model: type[BaseModel], values: dict[str, Any], environ: Mapping[str, str], folder: Path) -> Filled:
    """Put secrets that stand elsewhere among the values. Relative paths begin at the folder of the settings file."""
    known, filled = secrets_of(model), Filled()
    named = [(keys, folder / file, f"{keys[-1]}{_FILE}") for keys, file in _named_files(values, known)]
    for keys, file, told in [*named, *_credentials(model, known, environ, filled)]:
        section = _section(values, keys[:-1])
        if section is None:
            continue  # told as what it is: no section
        if section.get(keys[-1]) not in (None, ""):
            filled.faults[keys] = f"is written, or in the environment, and comes by {told} as well; leave one of them"
            continue
        filled.files.append(file)
        try:
            section[keys[-1]] = _held_by(file)
        except (OSError, ValueError) as error:
            why = f"cannot be read: {error.strerror}" if isinstance(error, OSError) else str(error)
            filled.faults[keys] = f"{told} {file} {why}"
    return filled


def _parts(annotation: Any) -> Iterator[tuple[Keys, type[BaseModel]]]:  # noqa: ANN401 - a type as it is written
    """Give the models of sections in a type, and the names that stand before them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield (), annotation
    elif get_origin(annotation) is dict:
        yield from (((_ANY, *named), part) for named, part in _parts(get_args(annotation)[1]))
    elif get_origin(annotation) in {Union, types.UnionType}:
        for one in get_args(annotation):
            yield from _parts(one)


def _named_files(values: dict[str, Any], known: dict[Keys, Hidden], above: Keys = ()) -> list[tuple[Keys, str]]:
    """Take out of the values what names the file of a secret."""
    found: list[tuple[Keys, str]] = []
    for key, value in list(values.items()):
        if isinstance(value, dict):
            found += _named_files(value, known, (*above, key))
            continue
        keys = (*above, key.removesuffix(_FILE))
        mark = _mark(keys, known) if key.endswith(_FILE) else None
        if mark is not None and mark.by_file and isinstance(value, str):
            del values[key]
            found.append((keys, value))
    return found


def _credentials(
    model: type[BaseModel], known: dict[Keys, Hidden], environ: Mapping[str, str], filled: Filled
) -> Iterator[tuple[Keys, Path, str]]:
    """Give the credentials that are named like keys of ours; others are another program's."""
    named = environ.get(CREDENTIALS)
    sections = {info.alias or name for name, info in model.model_fields.items()}
    for file in sorted(_files_in(Path(named))) if named else ():
        keys = tuple(file.name.split("."))
        if keys[0] not in sections or len(keys) == 1:
            continue
        if _mark(keys, known) is None:
            filled.faults[keys] = (
                f"is a credential ({file}), and no secret of the settings has that name: docs/secrets.md"
            )
        else:
            yield keys, file, "the credential"


def _files_in(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:  # what is missing is told by its key
        return []


def _mark(keys: Keys, known: dict[Keys, Hidden]) -> Hidden | None:
    for pattern, mark in known.items():
        if len(pattern) == len(keys) and all(one in {_ANY, key} for one, key in zip(pattern, keys, strict=True)):
            return mark
    return None


def _section(values: dict[str, Any], names: Keys) -> dict[str, Any] | None:
    target = values
    for name in names:
        target = target.setdefault(name, {})
        if not isinstance(target, dict):
            return None
    return target


def _held_by(file: Path) -> str:
    """Give what a file holds, without the end of its line."""
    with file.open("rb") as opened:
        held = opened.read(_MOST_BYTES + 1)
    if len(held) > _MOST_BYTES:
        raise ValueError(f"holds more than {_MOST_BYTES // 1024} KiB: that is no secret")
    try:
        told = held.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError("holds bytes that are no text (UTF-8): write the secret itself into it") from None
    if not told or "\n" in told:
        raise ValueError("must hold the secret alone, on one line" + ("" if told else "; it is empty"))
    return told
