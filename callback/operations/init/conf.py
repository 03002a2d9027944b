"""Reading an Asterisk's own files: sections, templates, what is added to a section later, and includes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_SECTION: Final = re.compile(r"\[([^\]]+)\]\s*(?:\(([^)]*)\))?")
_INCLUDE: Final = re.compile(r"#(?:try)?include\s+[\"<]?([^\">]+?)[\">]?\s*$")
_MOST_FILES: Final = 200
_MOST_BYTES: Final = 8 << 20


@dataclass(slots=True)
class Section:
    """One section: its settings in order, those of its templates first."""

    name: str
    is_template: bool = False
    settings: list[tuple[str, str]] = field(default_factory=list)

    def get(self, key: str, default: str = "") -> str:
        """Give the value that holds: the last one."""
        return next((value for name, value in reversed(self.settings) if name == key), default)

    def all(self, key: str) -> list[str]:
        """Give every value of a key."""
        return [value for name, value in self.settings if name == key]


@dataclass(slots=True)
class Conf:
    """One file with all that it includes. Sections of one name may stand in it several times, as in pjsip.conf."""

    sections: list[Section] = field(default_factory=list)
    included: list[str] = field(default_factory=list)

    def first(self, name: str) -> Section:
        """Give the section of a name, with all that was added to it; an empty one where there is none."""
        return next((one for one in self.sections if one.name == name), Section(name))


def read(path: Path) -> Conf:
    """Read a file; one that is not there, or may not be read, is empty."""
    conf = Conf()
    for line in _lines(path, path.parent, [path]):
        if included := _INCLUDE.match(line):
            conf.included.append(Path(included[1]).name)
        elif heading := _SECTION.match(line):
            _open(conf, heading[1].strip(), [part.strip() for part in (heading[2] or "").split(",") if part.strip()])
        elif "=" in line and conf.sections:
            key, _, value = line.partition("=")
            conf.sections[-1].settings.append((key.strip().lower(), value.lstrip(">").strip()))
    return Conf(_joined(conf.sections), conf.included)


def _open(conf: Conf, name: str, of: list[str]) -> None:
    section = Section(f"{name}(+)" if "+" in of else name, is_template="!" in of)
    for template in of:
        if template not in {"!", "+"}:
            section.settings += conf.first(template).settings
    conf.sections.append(section)


def _joined(sections: list[Section]) -> list[Section]:
    """Put what was added to a section later, `[name](+)`, into it."""
    joined: list[Section] = []
    for section in sections:
        name = section.name.removesuffix("(+)")
        known = next((one for one in reversed(joined) if one.name == name), None) if name != section.name else None
        if known is not None:
            known.settings += section.settings
        else:
            joined.append(Section(name, section.is_template, section.settings))
    return joined


def _lines(path: Path, folder: Path, read_already: list[Path]) -> Iterator[str]:
    """Give the lines without comments; behind a line that includes files, theirs."""
    try:
        text = path.read_bytes()[:_MOST_BYTES].decode(errors="replace")
    except OSError:
        return
    for line in re.sub(r";--.*?--;", "", text, flags=re.DOTALL).splitlines():
        bare = re.sub(r"(?<!\\);.*", "", line).strip()
        yield bare
        if included := _INCLUDE.match(bare):
            for found in sorted(folder.glob(included[1].lstrip("/"))) if not included[1].startswith("/") else _at(bare):
                if len(read_already) < _MOST_FILES and found not in read_already:
                    read_already.append(found)
                    yield from _lines(found, folder, read_already)


def _at(line: str) -> list[Path]:
    """Give the file that a line includes by its whole path."""
    included = _INCLUDE.match(line)
    return [Path(included[1])] if included else []
