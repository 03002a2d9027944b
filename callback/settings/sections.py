"""Settings: wiring and secrets from one TOML file and the environment; every fault reported at once.

A key is named by its section and unit (`ping_every_s`). `CALLBACK_PBX__SECRET` in the environment stands for `secret`
in `[pbx]`: sections are parted by two underscores.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from phonenumbers import SUPPORTED_REGIONS
from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from callback.errors import SettingsError
from callback.settings.cluster import Cluster
from callback.settings.console import Console
from callback.settings.faults import fault, fault_of
from callback.settings.mail import Mail
from callback.settings.part import Part
from callback.settings.retention import Retention
from callback.settings.rules import E164, SiteRules, told
from callback.settings.secrets import CREDENTIALS, Secret, SecretUnfiled, fill_in
from callback.settings.texts import Texts, Web
from callback.settings.watch import Logs, Metrics
from callback.settings.webhooks import Webhooks
from callback.store.outside import is_root
from scheduler import clock
from telephony.ami.tls import Tls
from telephony.dialling.dialler import safe_value

PREFIX = "CALLBACK_"
Signals = Literal["", "national", "e164-no-plus", "e164"]
Fingerprint = Annotated[str, Field(pattern=r"^([0-9a-fA-F]{2}(:?[0-9a-fA-F]{2}){31})?$")]
Port = Annotated[int, Field(ge=1, le=65535)]


def _readable(url: str) -> str:
    """A database's address that can be taken apart. What is wrong is not quoted: a password may stand there."""
    try:
        make_url(url)
    except (ArgumentError, ValueError) as error:
        raise ValueError(
            "is no address of a database: write driver://user:password@host:port/name,"
            " and : / @ # % in a password as %3A %2F %40 %23 %25"
        ) from error
    return url


class Database(Part):
    """Where the only truth lives."""

    url: Secret = "sqlite:///lost-calls.db"  # or postgresql+psycopg://user:password@host/name, which several hosts need
    key_file: Path | None = None  # keeps the site's key out of the database: docs/privacy.md; made where there is none
    key: SecretUnfiled = ""  # the key itself instead of a key_file, best as CALLBACK_DATABASE__KEY in the environment

    @field_validator("url")
    @classmethod
    def _known(cls, url: str) -> str:
        if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("must begin with sqlite:/// (a file) or postgresql+psycopg:// (a server)")
        return _readable(url)

    @field_validator("key")
    @classmethod
    def _whole(cls, key: str) -> str:
        if key and not is_root(key.strip().lower()):
            raise ValueError("must be the 64 hexadecimal digits that a key_file holds")
        return key.strip().lower()

    @model_validator(mode="after")
    def _one_key(self) -> Database:
        if self.key and self.key_file:
            raise ValueError("key and key_file (CALLBACK_DATABASE__KEY counts as key) are both set; leave one of them")
        return self


class PbxWiring(Part):
    """One Asterisk and how to log in to its manager interface."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")] = "main"  # of this PBX, in every row
    host: str = "127.0.0.1"  # where its manager interface listens
    port: Port = 5038  # of the manager interface; by TLS mostly 5039
    tls: bool = False  # the manager interface is reached by TLS alone: docs/tls.md
    tls_ca: Path | None = None  # the certificates (PEM) of who signs that of the PBX; none: whom this machine trusts
    tls_name: str = ""  # the host that the certificate names, where it is not `host`
    tls_fingerprint: Fingerprint = ""  # its SHA-256 (openssl x509 -noout -sha256 -fingerprint): it, or none
    username: str  # the manager user of manager_lcr.conf
    secret: Secret  # and its secret
    journal: Path = Path("journal")  # a folder on a local disk: what was heard and is not committed yet
    queue_log: SecretUnfiled = (
        ""  # a file, or the URL of the realtime table's database; none: what a gap held is unknown
    )
    queue_log_zone: str = "UTC"  # of local times in a realtime table
    cdr: str = ""  # the CSV file of call records; none: who came to no queue in a gap is unknown
    cdr_zone: str = "UTC"  # of the times in it
    journal_max_mb: Annotated[int, Field(ge=1, le=100_000)] = 512  # the disk that the journal may take
    lease_s: Annotated[float, Field(ge=1, le=300)] = 10  # so long after a service died another takes over

    @model_validator(mode="after")
    def _tls_is_on(self) -> PbxWiring:
        if not self.tls and (self.tls_ca or self.tls_name or self.tls_fingerprint):
            raise ValueError("tls_ca, tls_name and tls_fingerprint are of no use without tls = true; write it, too")
        if self.tls_fingerprint and (self.tls_ca or self.tls_name):
            raise ValueError("tls_fingerprint is that certificate or none; leave out tls_ca and tls_name, or it")
        return self

    @property
    def trust(self) -> Tls | None:
        """What the certificate of the manager interface must be; None where it is reached in the clear."""
        return Tls(self.tls_ca, self.tls_name, self.tls_fingerprint) if self.tls else None

    @field_validator("queue_log")
    @classmethod
    def _readable_log(cls, named: str) -> str:
        return _readable(named) if "://" in named else named

    @field_validator("queue_log_zone", "cdr_zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        told(clock.zone, zone)
        return zone


class Trunk(Part):
    """A trunk: which channels are its own, how its numbers are written, and how a number is dialled over it."""

    region: str  # ISO 3166: whose national numbers are signalled
    channel: str = "PJSIP/"  # what its channels' names begin with, and no agent's do: PJSIP/trunk
    dial: str = "PJSIP/{number}@trunk"  # how a customer is dialled
    signals: Signals = ""  # what callers' digits alone are, without + or 0 before them: docs/numbers.md
    form: Literal["national", "e164", "e164-no-plus"] = "e164"  # how numbers are dialled: 030…, +4930…, 4930…
    prefix: str = ""  # dialled before the number (0 for an outside line)
    allowed_countries: tuple[str, ...] = ()  # none: the region's own alone
    own_numbers: tuple[E164, ...] = ()  # never called back: they are ours

    @field_validator("dial")
    @classmethod
    def _has_number(cls, dial: str) -> str:
        if dial.count("{number}") != 1 or not safe_value(dial.replace("{number}", "1")):
            raise ValueError("must hold {number} once, and else no braces, $ [ ] & , | or quotes: PJSIP/{number}@trunk")
        return dial

    @field_validator("region", "allowed_countries")
    @classmethod
    def _known_regions(cls, given: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for region in (given,) if isinstance(given, str) else given:
            if region not in SUPPORTED_REGIONS:
                raise ValueError(f"'{region}' is no country of ISO 3166, as in US, GB, JP")
        return given


class Alarms(Part):
    """Whom alarms reach besides the log: a program, a URL, or both; each gets one JSON object an alarm."""

    command: tuple[str, ...] = ()  # a program and its arguments; the object on its standard input
    url: Secret = ""  # the object is posted to it
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 10  # of the program, and of the URL

    @field_validator("url")
    @classmethod
    def _web(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return url


class Settings(Part):
    """Everything the service needs to know before it starts."""

    database: Database = Database()
    pbx: PbxWiring
    trunks: Annotated[dict[str, Trunk], Field(min_length=1)]
    texts: Texts = Texts()
    web: Web = Web()
    console: Console = Console()
    alarms: Alarms = Alarms()
    webhooks: Webhooks = Webhooks()
    mail: Mail = Mail()
    cluster: Cluster = Cluster()
    logs: Logs = Logs()
    metrics: Metrics = Metrics()
    retention: Retention = Retention()
    rules: SiteRules

    @model_validator(mode="after")
    def _rules_name_trunks(self) -> Settings:
        if unknown := set(self.rules.trunks) - set(self.trunks):
            known = ", ".join(sorted(self.trunks))
            raise ValueError(f"[rules.trunks.{min(unknown)}] is no trunk of [trunks]; there are {known}")
        return self

    @model_validator(mode="after")
    def _queues_name_senders(self) -> Settings:
        for name, queue in self.rules.queues.items():
            if queue.text_from and queue.text_from not in self.texts.twilio:
                known = ", ".join(sorted(self.texts.twilio)) or "none"
                raise ValueError(f"[rules.queues.{name}] text_from is no account of [texts.twilio]; there are {known}")
        return self

    @model_validator(mode="after")
    def _console_apart(self) -> Settings:
        apart, host = self.console, urlsplit(self.console.public_url).hostname
        if apart.listen and apart.listen == self.web.listen:
            raise ValueError("[console] listen is that of [web]; give it a port of its own")
        if apart.is_https and host == urlsplit(self.web.public_url).hostname:
            raise ValueError(
                f"[console] public_url has the host of [web], {host}: a browser would tell each of the other"
            )
        return self


class _Trunks(BaseModel):
    """The trunks alone, whatever else is or is not written yet."""

    trunks: Annotated[dict[str, Trunk], Field(min_length=1)]


M = TypeVar("M", bound=BaseModel)


def load(path: Path, environ: Mapping[str, str] | None = None, *, listens: bool = True) -> Settings:
    """Read the settings or raise one SettingsError that lists every fault.

    Who does not listen to the PBX needs no account of its manager interface.
    """
    return _placed(_read(path, environ, Settings, listens=listens), path.absolute().parent)


def trunks_of(path: Path, environ: Mapping[str, str] | None = None) -> dict[str, Trunk]:
    """Read the trunks of the settings, the first thing to try, or raise one SettingsError that lists their faults."""
    return _read(path, environ, _Trunks).trunks


def _read(path: Path, environ: Mapping[str, str] | None, into: type[M], *, listens: bool = True) -> M:
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors begin a file with a mark of its encoding
    except OSError as error:
        remedy = "`callback settings --example` prints one to begin with; or name another with --settings"
        raise SettingsError(str(path), [f"cannot be read: {error.strerror}; {remedy}"]) from error
    except UnicodeDecodeError as error:
        raise SettingsError(str(path), [f"is not UTF-8 at byte {error.start}; save it as UTF-8"]) from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(str(path), [f"is not TOML: {error}"]) from error
    environ = os.environ if environ is None else environ
    faults = _overlay(values, environ)
    filled = fill_in(into, values, environ, path.absolute().parent)
    if into is Settings:
        values.setdefault("rules", {})  # so that what is missing in it is named
    if not listens and isinstance(pbx := values.setdefault("pbx", {}), dict):
        values["pbx"] = {"username": "", "secret": "", **pbx}
    faults += [fault_of(text, keys, told) for keys, told in filled.faults.items()]
    try:
        valid = into.model_validate(values)
    except ValidationError as error:
        told = [item for item in error.errors(include_url=False) if item["loc"] not in filled.faults]
        raise SettingsError(str(path), [*faults, *(fault(text, item) for item in told)]) from error
    if faults:
        raise SettingsError(str(path), faults)
    return valid


def secret_files(path: Path, environ: Mapping[str, str] | None = None) -> list[Path]:
    """Give the files beside the settings file that hold secrets of it; those of systemd, which guards them, are not."""
    environ = {name: told for name, told in (os.environ if environ is None else environ).items() if name != CREDENTIALS}
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):  # `load` says so
        return []
    _overlay(values, environ)
    return fill_in(Settings, values, environ, path.absolute().parent).files


def _placed(settings: Settings, folder: Path) -> Settings:
    """Read relative paths from the folder of the settings file, wherever the service was started."""
    url = settings.database.url
    file = url.removeprefix("sqlite:///")
    key_file = settings.database.key_file
    stored = {
        "url": f"sqlite:///{folder / file}" if file != url else url,
        "key_file": folder / key_file if key_file else None,
    }
    database = settings.database.model_copy(update=stored)
    log = settings.pbx.queue_log
    placed_log = str(folder / log) if log and "://" not in log else log
    own = settings.texts.templates
    texts = settings.texts.model_copy(update={"templates": folder / own if own else None})
    cdr = str(folder / settings.pbx.cdr) if settings.pbx.cdr else ""
    ca = settings.pbx.tls_ca
    placed = {"journal": folder / settings.pbx.journal, "queue_log": placed_log, "cdr": cdr}
    placed["tls_ca"] = folder / ca if ca else None
    pbx = settings.pbx.model_copy(update=placed)
    return settings.model_copy(update={"database": database, "pbx": pbx, "texts": texts})


# Why this is not pydantic-settings (tried: 2.16, by its own TOML source, and by its environment source alone). It lays
# variables over a file as we do, but
# - a misspelt section (CALLBACK_PBXX__SECRET) is ignored; here it is a fault like any other;
# - a lone word that happens to name a section (CALLBACK_LOGS=/var/log) is read as that section in JSON, and stops the
#   start; here a lone word is no key, as CALLBACK_SETTINGS is none;
# - a list that is no JSON is one exception at once, which names neither the key nor any other fault;
# - a name that leads through a value ([pbx] secret and CALLBACK_PBX__SECRET__X) is dropped or wins without a word;
# - its TOML source knows no mark of the encoding, and gives no text in which a fault's line could be found;
# - the environment is that of the process, unless a method is overridden that it does not document.
# What would be left to it is the loop below; the checks around it would stay ours, and would be longer.
def _overlay(values: dict[str, Any], environ: Mapping[str, str]) -> list[str]:
    """Lay the environment over the file; an override names an existing key or adds it. Give what cannot be laid."""
    faults = []
    for name in sorted(environ):  # so that a value comes before what is said to stand in it
        *sections, key = name.removeprefix(PREFIX).lower().split("__")
        if not name.startswith(PREFIX) or not sections:  # a lone word (CALLBACK_SETTINGS) is not a key
            continue
        target = values
        for section in sections:
            target = target.setdefault(section, {})
            if not isinstance(target, dict):
                faults.append(f"{name}: '{section}' is a value, not a section; remove that value, or unset this name")
                break
        else:
            target[key] = environ[name]
    return faults
