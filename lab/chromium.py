"""A browser for tests: Debian's Chromium, the machine's own or unpacked beside the system, with fonts of its own.

The fonts are fetched also where Chromium is installed: Latin, Chinese and signs then look alike on every machine.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lab import fetch
from lab.errors import LabError

if TYPE_CHECKING:
    from lab.fetch import Say

FONTS = ("fonts-inter", "fonts-wqy-microhei")
FAMILIES = ("Inter", "WenQuanYi Micro Hei")
"""The families of `FONTS`, first choice first: Latin and digits, Chinese."""

ARGUMENTS = (
    "--headless",
    "--no-sandbox",  # the lab may run as root, where Chromium's sandbox does not start
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",  # the same widths on every machine
)

_FONTS_CONF = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{fonts}</dir>
  <cachedir>{cache}</cachedir>
{aliases}
</fontconfig>
"""
_ALIAS = "  <alias binding='same'><family>{generic}</family><prefer>{families}</prefer></alias>"
_GENERIC = ("sans-serif", "serif", "monospace", "system-ui")


class NoChromium(LabError):
    """There is no Chromium to run here; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Chromium:
    """A Chromium that can be started: `binary` with `ARGUMENTS`, in `environment`."""

    binary: Path
    environment: dict[str, str]


def find(*, say: Say = print) -> Chromium:
    """Find the machine's own Chromium, else unpack Debian's beside the system; the fonts are fetched once.

    Raises `NoChromium` with the remedy where none can be had: no apt, no network, not Debian.
    """
    try:
        fonts = fetch.unpack(FONTS, into=fetch.cache() / "fonts", say=say)
        return _installed(fonts) or _unpacked(fonts, say)
    except LabError as error:
        raise NoChromium(f"No Chromium: {error}") from error


def _installed(fonts: Path) -> Chromium | None:
    found = shutil.which("chromium")
    return Chromium(Path(found), _environment(fonts)) if found else None


def _unpacked(fonts: Path, say: Say) -> Chromium:
    """Describe Debian's Chromium beside the system: about 100 MB to fetch."""
    into = fetch.unpack(["chromium"], into=fetch.cache() / "chromium", say=say)
    binary = into / "usr/lib/chromium/chromium"
    if not binary.exists():
        raise NoChromium(f"{into} holds no Chromium. Remove it and fetch again.")
    libraries = [
        *into.glob("usr/lib/*-linux-*"),
        *into.glob("usr/lib/*-linux-*/pulseaudio"),
        *into.glob("lib/*-linux-*"),
    ]
    return Chromium(binary, _environment(fonts) | {"LD_LIBRARY_PATH": ":".join(map(str, libraries))})


def _environment(fonts: Path) -> dict[str, str]:
    """Give our own environment, and the settings of fontconfig that lead to `fonts` alone."""
    return {**os.environ, "FONTCONFIG_FILE": str(_fonts_conf(fonts)), "NO_AT_BRIDGE": "1"}


def _fonts_conf(fonts: Path) -> Path:
    """Write the settings of fontconfig beside the fonts; the same each time, so whoever is last harms nobody."""
    families = "".join(f"<family>{family}</family>" for family in FAMILIES)
    aliases = "\n".join(_ALIAS.format(generic=generic, families=families) for generic in _GENERIC)
    text = _FONTS_CONF.format(fonts=fonts / "usr/share/fonts", cache=fonts / "cache", aliases=aliases)
    path = fonts / "fonts.conf"
    with tempfile.NamedTemporaryFile("w", dir=fonts, delete=False) as new:
        new.write(text)
    Path(new.name).replace(path)
    return path
