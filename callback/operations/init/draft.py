"""What `callback init` writes: the settings, and the files that Asterisk includes."""

from __future__ import annotations

import re
import secrets
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata, resources
from pathlib import Path
from typing import Final

from callback.operations.init import conf
from callback.operations.init.files import Draft
from callback.operations.init.found import Found
from callback.settings.reference import written

USER: Final = "lcr"
FOLDER: Final = "asterisk"
"""Beside the settings: what goes to the PBX."""
_PLACEHOLDER: Final = "secret = change-me"
_HERE: Final = "permit = 127.0.0.1/255.255.255.255"


@dataclass(frozen=True, slots=True)
class Answers:
    """What was found, said or asked: all that the files depend on."""

    folder: Path
    zone: str
    region: str
    trunks: tuple[str, ...]
    queues: tuple[str, ...]
    host: str
    port: int
    permit: str = "127.0.0.1"
    data: Path | None = None


def drafts(answers: Answers, found: Found) -> Iterator[Draft]:
    """Give every file, with one secret in two of them; a secret that was made before stays."""
    secret = secret_of(answers.folder) or secrets.token_urlsafe(24)
    yield Draft(answers.folder / "callback.toml", settings_text(answers, found, secret), 0o600)
    yield from of_asterisk(answers, secret)


def of_asterisk(answers: Answers, secret: str = "") -> Iterator[Draft]:
    """Give the files that Asterisk includes, with this secret, or that of before."""
    secret = secret or secret_of(answers.folder) or secrets.token_urlsafe(24)
    for name, text in shipped():
        told = text
        if _PLACEHOLDER in text:
            told = text.replace(_PLACEHOLDER, f"secret = {secret}").replace(_HERE, f"permit = {_mask(answers.permit)}")
        yield Draft(answers.folder / FOLDER / name, told, 0o640)


def shipped() -> Iterator[tuple[str, str]]:
    """Give the files for Asterisk as they are shipped."""
    folder = resources.files("telephony") / "dialplan"
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        if file.name.endswith(".conf"):
            yield file.name, file.read_text(encoding="utf-8")


def secret_of(folder: Path) -> str:
    """Give the secret that an earlier `init` made in this folder; empty where there was none."""
    made = conf.read(folder / FOLDER / "manager_lcr.conf").first(USER).get("secret")
    return _written_in(folder / "callback.toml") if made in {"", "change-me"} else made


def _written_in(settings: Path) -> str:
    """Give the secret of the settings: what goes to the PBX must be the same, though its file was moved there."""
    try:
        secret = tomllib.loads(settings.read_text(encoding="utf-8-sig"))["pbx"]["secret"]
    except (OSError, ValueError, LookupError, TypeError):
        return ""
    return secret if isinstance(secret, str) and secret.isprintable() else ""


def settings_text(answers: Answers, found: Found, secret: str) -> str:
    """Give the settings: what is known written, the rest as comments with its default."""
    names = {"trunks": [label(one) for one in answers.trunks] or ["main"], "rules.queues": list(answers.queues)}
    values: dict[str, object] = {
        "pbx.host": answers.host,
        "pbx.port": answers.port,
        "pbx.username": USER,
        "pbx.secret": secret,
        "pbx.queue_log": found.queue_log or None,
        "pbx.cdr": found.cdr or None,
        "rules.zone": answers.zone,
    }
    for trunk in answers.trunks:
        values |= {
            f"trunks.{label(trunk)}.region": answers.region,
            f"trunks.{label(trunk)}.channel": f"PJSIP/{trunk}",
            f"trunks.{label(trunk)}.dial": f"PJSIP/{{number}}@{trunk}",
        }
    if not answers.trunks:
        values["trunks.main.region"] = answers.region
    for queue in answers.queues:
        values |= {f"rules.queues.{queue}.texts": "watch", f"rules.queues.{queue}.calls": "watch"}
    values |= _of_data(answers.data)
    version = metadata.version("lost-call-recovery")
    head = (
        f"# Settings of the lost-call recovery, as `callback init` of version {version} wrote them. It begins by\n"
        "# watching: nobody is texted or called before texts and calls of a queue are switched on. All keys:\n"
        "# `callback settings`.\n\n"
    )
    return head + written(values, names)


def _of_data(data: Path | None) -> dict[str, object]:
    """Where its data lie; the key apart from the database. None: beside the settings."""
    if data is None:
        return {}
    return {
        "database.url": f"sqlite:///{data / 'lost-calls.db'}",
        "database.key_file": str(data.with_name(f"{data.name}-key") / "site.key"),
        "pbx.journal": str(data / "journal"),
    }


def label(trunk: str) -> str:
    """Name a trunk in the settings as on the PBX, as far as names of sections allow it."""
    return re.sub(r"[^a-z0-9-]", "-", trunk.lower()).strip("-") or "main"


def _mask(address: str) -> str:
    return address if "/" in address else f"{address}/255.255.255.255"
