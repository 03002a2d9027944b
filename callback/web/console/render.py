"""Templates to HTML, in a person's language and by the site's clock; whatever others wrote is shown as text."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Hashable, Mapping
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from callback.web.console import shown, words
from callback.web.console.live.views import hashed
from callback.web.console.vocabulary import Subject
from callback.web.console.words import LANGUAGES, Language
from scheduler.clock import local

_FOLDER: Final = Path(__file__).parent
TEMPLATES: Final = _FOLDER / "templates"
STATIC: Final = _FOLDER / "static"

KEPT: Final = 2_000
"""Elements that are kept, some kilobytes each."""


def digest() -> str:
    """Of all static files: it stands in their path, so that a browser may keep them for ever."""
    whole = hashlib.sha256()
    for file in sorted(STATIC.iterdir()):
        whole.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return whole.hexdigest()[:16]


@cache
def integrity(name: str) -> str:
    """What a browser compares a static file with before it uses it."""
    return "sha384-" + base64.b64encode(hashlib.sha384((STATIC / name).read_bytes()).digest()).decode()


class Pages:
    """Renders templates. Each language has an environment of its own, made at the start."""

    def __init__(self, zone: ZoneInfo, globals_: Mapping[str, object] | None = None) -> None:
        self.digest = digest()
        self.zone = zone
        self._globals = dict(globals_ or {})
        self._by_language = {language: self._environment(language) for language in LANGUAGES}
        self._kept = lru_cache(maxsize=KEPT)(self._part)

    def render(self, template: str, language: Language, **values: object) -> str:
        """Give the HTML. What a template asks for and nobody gave is an error."""
        return self._by_language[language].get_template(template).render(**values)

    def part(self, template: str, language: Language, **values: Hashable) -> str:
        """Give an element that depends on nothing but these values: the same that was rendered lately serves again."""
        return self._kept(template, language, tuple(values.items()))

    def _part(self, template: str, language: Language, values: tuple[tuple[str, Hashable], ...]) -> str:
        return hashed(self.render(template, language, **dict(values)).strip())

    def _environment(self, language: Language) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            extensions=["jinja2.ext.i18n"],
        )
        installer: Any = environment
        installer.install_gettext_translations(words.catalogue(language), newstyle=True)
        environment.globals.update(
            language=language,
            tag=words.TAGS[language],
            languages=words.OWN_NAMES,
            tags=words.TAGS,
            zone=self.zone.key,
            city=self.zone.key.rpartition("/")[2].replace("_", " "),
            static=lambda name: f"/static/{self.digest}/{name}",
            integrity=integrity,
            **self._globals,
        )
        environment.filters.update(clock=self._clock, iso=_iso, word=partial(_word, language))
        environment.filters.update(given=partial(words.given, language), actor=partial(words.actor, language))
        environment.filters.update(masked=shown.masked, said=shown.said, lasted=shown.lasted)
        environment.filters["when"] = partial(self._when, language)
        return environment

    def _clock(self, at: int) -> str:
        """An instant as the site's clock shows it: 13:42."""
        return f"{local(at, self.zone):%H:%M}"

    def _when(self, language: Language, at: int, now: int) -> str:
        """An instant as the site's clock shows it, with its day where that is not today: `{{ at|when(now) }}`."""
        return shown.when(at, now, self.zone, language)


def _word(language: Language, code: str, subject: Subject, **facts: object) -> str:
    """What stands for a code: `{{ row.kind|word("kind") }}`."""
    return words.say(language, subject, code, **facts)


def _iso(at: int) -> str:
    """An instant as `<time datetime>` wants it."""
    return local(at, ZoneInfo("UTC")).isoformat()
