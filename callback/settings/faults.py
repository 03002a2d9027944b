"""What is wrong with settings, as people read it: the line, the key, the remedy; never a secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

_SHOWN = 60  # of a faulty value


def faults_of(error: ValidationError) -> dict[str, str]:
    """Say by key what is wrong, and how to mend it."""
    return {".".join(map(str, item["loc"])): _said(item) for item in error.errors(include_url=False)}


def fault(text: str, item: Mapping[str, Any]) -> str:
    """Say what one error of a file's text is, and where it stands."""
    return fault_of(text, [str(part) for part in item["loc"]], _said(item))


def fault_of(text: str, keys: Sequence[str], told: str) -> str:
    """Say what is wrong with a key, and where it stands."""
    line = _line_of(text, list(keys))
    where = f"line {line}, " if line else ""
    section, key = ".".join(keys[:-1]), keys[-1] if keys else "settings"
    return f"{where}[{section}] {key}: {told}" if section else f"{where}[{key}]: {told}"


def _said(item: Mapping[str, Any]) -> str:
    keys = [str(part) for part in item["loc"]]
    told = _REMEDIES.get(item["type"], str(item["msg"]).removeprefix("Value error, "))
    if item["type"] == "missing" and keys[-1] in _TO_WRITE:
        told = f"is missing; write {_TO_WRITE[keys[-1]]}"
    given = "" if _is_hidden(item, keys) else f" (it is {_short(item['input'])})"
    return f"{told}{given}"


def _is_hidden(item: Mapping[str, Any], keys: list[str]) -> bool:
    """Whether the value stays unsaid: it may be a secret, also where its key is misspelt or its section is none."""
    unnamed = item["type"] in _REMEDIES or isinstance(item["input"], Mapping)
    return unnamed or bool(_SECRET & set(keys)) or "@" in str(item["input"])  # a password may stand before it


_SECRET = {"secret", "token", "key", "url", "redis", "queue_log", "twilio", "http", "command"}
"""Keys that hold secrets, and sections that hold such keys: passwords, tokens, addresses with either in them."""
_TO_WRITE = {
    "region": 'region = "US" (or GB, DE, JP …): the country whose national numbers this trunk signals',
    "zone": 'zone = "America/New_York" (or Europe/Berlin …): the clock of the site, by which no phone rings at night',
}
_REMEDIES = {
    "missing": "is missing; add it",
    "extra_forbidden": "is no setting of this section; mend the spelling or remove it",
    "model_type": "must be a section of its own, its settings below it",
    "dict_type": "must be a section of its own, its settings below it",
}


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "..."


def _line_of(text: str, keys: list[str]) -> int | None:
    """The line that sets the key, or its section's where the key is missing (a plain look, for people)."""
    section_line, best, section = None, None, ""
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if stripped.startswith("["):
            section = stripped.split("#")[0].strip("[] \t").replace('"', "").replace("'", "")
            if section == ".".join(keys[:-1]) or section == ".".join(keys):
                section_line = number
        elif "=" in stripped and not stripped.startswith("#"):
            full = [*(section.split(".") if section else []), stripped.split("=")[0].strip().strip('"')]
            if keys[: len(full)] == full:
                best = number
    return best or section_line
