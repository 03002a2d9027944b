"""How the site words its texts, and how they may be answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from callback.settings.sections import Settings
from callback.site import scripts, tokens
from callback.site.scripts import Scripts
from sms.text import Sample, Templates

TwoWay = Callable[[str], bool]
"""Whether a number (E.164) can answer a text so that it reaches us: the gateway knows."""


def never(_e164: str) -> bool:
    """No answer ever reaches us."""
    return False


@cache
def _loaded(folder: Path | None, sample_link: str) -> Templates:
    return Templates.load(folder, sample_link) if sample_link else Templates.load(folder)


@dataclass(frozen=True, slots=True)
class Texting:
    """The wording, and how a text may be answered: by text, or on the page of a link (none without `public_url`).

    `scripts` are for agents alone.
    """

    templates: Templates = field(default_factory=lambda: _loaded(None, ""))
    two_way: TwoWay = never
    public_url: str = ""
    scripts: Scripts = field(default_factory=lambda: scripts.loaded(None))

    def samples(self) -> Iterator[Sample]:
        """Every text with sample values, its links as long as this site's are."""
        return self.templates.samples(self.url("x" * tokens.LENGTH)) if self.public_url else self.templates.samples()

    def url(self, token: str) -> str:
        """The address of a link."""
        return f"{self.public_url}/r/{token}"


def language_faults(settings: Settings) -> list[str]:
    """Every queue whose language has no texts."""
    known = texting_of(settings).templates.languages
    return [
        f"[rules.queues.{name}] language: '{queue.language}' has no texts; there are {', '.join(sorted(known))}"
        for name, queue in settings.rules.queues.items()
        if queue.language not in known
    ]


def texting_of(settings: Settings, two_way: TwoWay = never) -> Texting:
    """Load the site's wording. SmsError with every fault, also of texts that its links make too long.

    CallbackError with every fault of its scripts for agents.
    """
    public_url = settings.web.public_url
    sample = f"{public_url}/r/{'x' * tokens.LENGTH}" if public_url else ""
    own = settings.texts.templates
    return Texting(_loaded(own, sample), two_way, public_url, scripts.loaded(own))
