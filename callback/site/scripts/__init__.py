"""What an agent may say in a callback of care: lines by kind, a file for each language, and a site's own over them.

They are for the agent alone: no text to a customer is made of them. What a customer wrote is in them only as a value.
"""

from __future__ import annotations

import string
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, get_args

from callback.errors import CallbackError

Kind = Literal["dissatisfied", "complaint", "confirm", "sample", "flag"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
VALUES: Final = ("words", "wish", "topic", "promised", "answer", "offer", "reason", "campaign", "caller_id")
"""What a line may name in braces; a line that names something which is not known this time is left out."""
FALLBACK: Final = "en"
FOLDER: Final = "scripts"
"""In the folder of a site's own texts."""
MOST_LINES, LONGEST = 20, 300
_PACKAGED = Path(__file__).parent
_Lines = Mapping[Kind, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Script:
    """Lines to say, one after the other, in a language as a BCP 47 tag."""

    kind: Kind
    language: str
    lines: tuple[str, ...]


class Scripts:
    """Scripts that were checked when they were loaded, so that saying one cannot fail for its wording."""

    def __init__(self, languages: Mapping[str, _Lines]) -> None:
        self._languages = MappingProxyType(dict(languages))

    def script(self, kind: Kind, language: str, values: Mapping[str, str]) -> Script:
        """Give the lines for a callback; in English where nobody wrote any in that language."""
        spoken = language if language in self._languages else FALLBACK
        known = {name: values.get(name, "").strip() for name in VALUES}
        lines = (line.format_map(known) for line in self._languages[spoken][kind] if all(map(known.get, _named(line))))
        return Script(kind, spoken, tuple(lines))


@cache
def loaded(folder: Path | None) -> Scripts:
    """Read the packaged scripts, and over them what `folder` has; CallbackError with every fault, each with its place.

    In a file of a packaged language a site changes only the kinds that it names; another language has every kind.
    """
    faults: list[str] = []
    languages = {path.stem: _read(path, faults) for path in sorted(_PACKAGED.glob("*.toml"))}
    own = sorted((folder / FOLDER).glob("*.toml")) if folder is not None else []
    for path in own:
        languages[path.stem] = {**languages.get(path.stem, {}), **_read(path, faults)}
    for language, lines in languages.items():
        faults += [f"{language}.toml: {kind}: missing" for kind in KINDS if kind not in lines]
    if faults:
        place = _PACKAGED if folder is None else folder / FOLDER
        raise CallbackError(f"scripts in {place} need mending:\n" + "\n".join(f"  {fault}" for fault in faults))
    return Scripts(languages)


def _read(path: Path, faults: list[str]) -> _Lines:
    """The scripts of a file; what is wrong with it is added to `faults`."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        faults.append(f"{path.name}: cannot be read: {fault}")
        return {}
    wrong = {key: list(_faults(key, lines)) for key, lines in found.items()}
    faults += [f"{path.name}: {key}: {fault}" for key, told in wrong.items() for fault in told]
    return {kind: tuple(found[kind]) for kind in KINDS if kind in found and not wrong[kind]}


def _faults(key: str, lines: object) -> Iterator[str]:
    if key not in KINDS:
        yield f"unknown; there are {', '.join(KINDS)}"
    elif not isinstance(lines, list) or not lines or not all(isinstance(one, str) and one.strip() for one in lines):
        yield 'must be a list of lines, as in ["Good day …", "I am sorry …"]'
    elif len(lines) > MOST_LINES or any(len(line) > LONGEST for line in lines):
        yield f"at most {MOST_LINES} lines of {LONGEST} characters"
    else:
        for number, line in enumerate(lines, start=1):
            yield from (f"line {number}: {fault}" for fault in _wrong(line))


def _wrong(line: str) -> Iterator[str]:
    try:
        for _, name, spec, conversion in string.Formatter().parse(line):
            if name is not None and name not in VALUES:
                yield f"{{{name}}} is unknown; there are {', '.join(f'{{{one}}}' for one in VALUES)}"
            elif spec or conversion:
                yield f"{{{name}}} takes no format; write it alone"
    except ValueError as fault:
        yield f"braces do not match ({fault}); write {{{{ and }}}} for the characters themselves"


def _named(line: str) -> list[str]:
    return [name for _, name, _, _ in string.Formatter().parse(line) if name]
