"""Where this machine stands: its clock's zone, and the country whose clock that is."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Final

_ZONES: Final = Path("/usr/share/zoneinfo")


def own_zone(root: Path = Path("/")) -> str:
    """Give the zone of this machine's clock; empty where it is UTC, which is no site's, or is not told."""
    told = root / "etc/timezone"
    named = told.read_text(errors="replace").strip() if told.is_file() else ""
    link = (root / "etc/localtime").resolve()
    if not named and "zoneinfo" in link.parts:
        named = "/".join(link.parts[link.parts.index("zoneinfo") + 1 :])
    return named if "/" in named and not named.startswith("Etc/") else ""


def country_of(zone: str) -> str:
    """Give the country of a zone by the time zone database; empty where it does not tell."""
    for country, named in _countries():
        if named == zone:
            return country
    return ""


def _countries() -> Iterator[tuple[str, str]]:
    for line in _table().splitlines():
        columns = line.split("\t")
        if len(columns) > 2 and not line.startswith("#"):  # noqa: PLR2004 - country, place, zone
            yield columns[0], columns[2]


def _table() -> str:
    own = _ZONES / "zone.tab"
    if own.is_file():
        return own.read_text()
    try:
        return (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text()
    except (ModuleNotFoundError, FileNotFoundError):
        return ""
