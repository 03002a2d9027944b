"""What a text says and what it costs: templates by language, and segments as the carriers count them."""

from __future__ import annotations

import json
import string
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Literal, Self

from sms.errors import SmsError

# 3GPP TS 23.038, 6.2.1: the default alphabet, in the order of its table without the escape.
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# 6.2.1.1: reached through the escape, so that each takes two places.
_EXTENSION = "\f^{}\\[~]|€"
_GSM7 = {**dict.fromkeys(_BASIC, 1), **dict.fromkeys(_EXTENSION, 2)}
_BEYOND_BMP = 0x10000  # from here on a character is a surrogate pair

Encoding = Literal["GSM-7", "UCS-2"]
# 140 octets alone; 134 beside the header that joins several.
_ROOM: Mapping[Encoding, tuple[int, int]] = {"GSM-7": (160, 153), "UCS-2": (70, 67)}


@dataclass(frozen=True, slots=True)
class Segments:
    """What is paid for: `count` segments, `units` places of the encoding taken in all."""

    encoding: Encoding
    units: int
    count: int


def segments(text: str) -> Segments:
    """Count the segments of a text: GSM-7 where every character is in its alphabet, else UCS-2.

    Neither the two places of an extension character nor a surrogate pair are split over a boundary, so that a
    joined segment may stay one place short (3GPP TS 23.038 and 23.040, 9.2.3.24.1). An empty text takes one.
    """
    gsm7 = all(character in _GSM7 for character in text)
    sizes = [_GSM7[c] if gsm7 else 1 + (ord(c) >= _BEYOND_BMP) for c in text]
    encoding: Encoding = "GSM-7" if gsm7 else "UCS-2"
    alone, joined = _ROOM[encoding]
    units = sum(sizes)
    return Segments(encoding, units, 1 if units <= alone else _packed(sizes, joined))


def _packed(sizes: list[int], room: int) -> int:
    count, used = 1, 0
    for size in sizes:
        if used + size > room:
            count, used = count + 1, 0
        used += size
    return count


LANGUAGES = ("en", "zh-Hans", "zh-Hant")
MAX_SEGMENTS = 2

# Every template with its placeholders, each with a sample as long as a value is going to be.
_WHEN = "11-24 21:30"
_BY: dict[str, str] = {"by": _WHEN, "caller_id": "+44 20 7946 0958"}
_FROM = {"from_time": _WHEN, "caller_id": _BY["caller_id"]}
_US = {"caller_id": _BY["caller_id"]}
_LINK = {"link": "https://callback.example.com/r/" + "x" * 24}
SAMPLES: Mapping[str, Mapping[str, str]] = {
    "lost": _BY,
    "lost-blocked": _BY,
    "lost-dropped": _BY,
    "lost-dropped-customer": _BY,
    "lost-dropped-verification": _BY,
    "lost-dropped-mistake": _BY,
    "lost-dropped-answer": _BY,
    "lost-silent": _BY,
    "lost-requested": _BY,
    "lost-carried": _BY | _FROM,
    "overdue": _BY,
    "overdue-tried": _BY,
    "given-up": {"tries": "10"} | _US,
    "returned": _US,
    "slot": {"at": _WHEN} | _US,
    "wrong-desk": _US,
    "ask": {},
    "ask-link": _LINK,
    "survey": {},
    "survey-repair": {},
    "case-confirm": {"case": "1000000"},
    "case-closed": {"case": "1000000"} | _US,
    "case-goes-on": {"case": "1000000"},
    "answer-now": _US,
    "answer-later": _FROM,
    "answer-no-slot": {"from_time": _WHEN},
    "answer-none-open": _US,
    "answer-held": {},
    "answer-person": {},
    "answer-stop": {},
    "answer-start": {},
    "answer-help": _US,
    "answer-thanks": {},
    "reply": {},
    "link": _LINK,
}
TAILS = ("reply", "link")
"""How to choose otherwise: what stands behind a promise where it may be answered."""
PROMISES = tuple(template for template in SAMPLES if template.startswith(("lost", "overdue")))
"""The templates that a tail may follow."""
_PACKAGED = Path(__file__).with_name("templates")
_IDEOGRAPHS = 0x2E80  # from here on, sentences are not parted by a space
_Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sample:
    """A text as a phone would show it, with sample values; `template` is `lost+link` where a tail follows."""

    template: str
    language: str
    text: str
    encoding: Encoding
    segments: int


class Templates:
    """Texts that were checked when they were loaded, so that rendering one cannot fail for its wording."""

    def __init__(self, languages: Mapping[str, _Language]) -> None:
        self._languages = MappingProxyType(dict(languages))

    @classmethod
    def load(cls, folder: Path | None = None, link: str = _LINK["link"]) -> Self:
        """Read the packaged texts, and over them what `folder` has: one `<language>.toml` for each language.

        There a packaged language changes only what it names, and another one has every template. `[queue.support]`
        holds what one queue says otherwise. `link` is as long as the site's links are. Raises one `SmsError` with
        all faults, each with file and key: an unreadable file, a missing template or an unknown one, a placeholder
        that the template does not know, or more than two segments with sample values.
        """
        faults: list[str] = []
        languages = {path.stem: _read(path, faults) for path in sorted(_PACKAGED.glob("*.toml"))}
        for path in sorted(folder.glob("*.toml")) if folder else ():
            languages[path.stem] = languages.get(path.stem, _Language({})).under(_read(path, faults))
        if folder is not None and not folder.is_dir():
            faults.append("the folder is missing")
        if not faults:
            faults = [
                f"{name}.toml: {fault}" for name, language in languages.items() for fault in language.faults(link)
            ]
        if faults:
            raise SmsError(f"texts in {folder or _PACKAGED} need mending:\n" + "\n".join(f"  {f}" for f in faults))
        return cls(languages)

    @property
    def languages(self) -> frozenset[str]:
        """The languages that can be rendered, as BCP 47 tags."""
        return frozenset(self._languages)

    def render(
        self, template: str, language: str, values: Mapping[str, str], *, queue: str = "", tail: str | None = None
    ) -> str:
        """Return the text for a phone; `values` has every placeholder of template and tail, used or not.

        Values stand as given: one character that GSM-7 lacks (a narrow space in a time) makes the text UCS-2.
        """
        if language not in self._languages:
            raise SmsError(f"no texts in language {language!r}; there are {', '.join(sorted(self._languages))}")
        for name in (template, *([tail] if tail else [])):
            if name not in SAMPLES:
                raise SmsError(f"no template {name!r}; there are {', '.join(SAMPLES)}")
            if missing := SAMPLES[name].keys() - values.keys():
                raise SmsError(f"template {name!r} needs a value for {', '.join(sorted(missing))}")
        return _joined(self._languages[language].of(queue), template, tail).format_map(values)

    def samples(self, link: str = _LINK["link"]) -> Iterator[Sample]:
        """Give every text with sample values, each promise without a tail and with each."""
        for name, language in sorted(self._languages.items()):
            for label, text in language.rendered(link):
                size = segments(text)
                yield Sample(label, name, text, size.encoding, size.count)

    def digest(self) -> str:
        """A short name of this wording: another one as soon as a word of it changes."""
        plain = {name: [language.texts, language.queues] for name, language in self._languages.items()}
        return sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class _Language:
    """The texts of one language, and what single queues say otherwise."""

    texts: _Texts
    queues: Mapping[str, _Texts] = field(default_factory=dict)

    def of(self, queue: str) -> _Texts:
        return {**self.texts, **self.queues.get(queue, {})}

    def under(self, other: _Language) -> _Language:
        """These texts where the other has none."""
        return _Language({**self.texts, **other.texts}, {**self.queues, **other.queues})

    def rendered(self, link: str) -> Iterator[tuple[str, str]]:
        """Every text with sample values, by its label; of a queue what it says otherwise."""
        common = dict(_rendered(self.texts, link))
        yield from common.items()
        for queue in self.queues:
            own = _rendered(self.of(queue), link)
            yield from ((f"{queue}: {label}", text) for label, text in own if text != common[label])

    def faults(self, link: str) -> Iterator[str]:
        """Say what is missing; where nothing is, what is too long."""
        missing = [f"{template}: missing" for template in SAMPLES if template not in self.texts]
        if missing:
            yield from missing
            return
        for label, text in self.rendered(link):
            size = segments(text)
            if size.count > MAX_SEGMENTS:
                shape = f"{size.units} places, {size.encoding}"
                yield f"{label}: {size.count} segments ({shape}); at most {MAX_SEGMENTS}"


def _joined(texts: _Texts, template: str, tail: str | None) -> str:
    text = texts[template]
    if tail is None:
        return text
    return text + ("" if ord(text[-1]) >= _IDEOGRAPHS else " ") + texts[tail]


def _rendered(texts: _Texts, link: str) -> Iterator[tuple[str, str]]:
    """Every text with sample values, by its label."""
    for template in SAMPLES:
        for tail in (None, *TAILS) if template in PROMISES else (None,):
            values = {**SAMPLES[template], "link": link}
            yield f"{template}+{tail}" if tail else template, _joined(texts, template, tail).format_map(values)


def _read(path: Path, faults: list[str]) -> _Language:
    """Return the texts of a file; what is wrong with it is added to `faults`."""
    try:
        # Notepad puts a byte order mark first
        found = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        faults.append(f"{path.name}: cannot be read: {fault}")
        return _Language({})
    queues = found.pop("queue", {})
    if not isinstance(queues, dict) or not all(isinstance(texts, dict) for texts in queues.values()):
        faults.append(f"{path.name}: queue: must be a section for each queue, as in [queue.support]")
        queues = {}
    for where, texts in (("", found), *((f"queue.{queue}: ", texts) for queue, texts in queues.items())):
        for key, text in texts.items():
            faults.extend(f"{path.name}: {where}{key}: {fault}" for fault in _faults(key, text))
    return _Language(found, queues)


def _faults(template: str, text: object) -> Iterator[str]:
    """Say what is wrong with the text of one template."""
    if template not in SAMPLES:
        yield f"unknown; there are {', '.join(SAMPLES)}"
    elif not isinstance(text, str) or not text.strip():
        yield "must be a text in quotes"
    else:
        yield from _wrong_placeholders(template, text)


def _wrong_placeholders(template: str, text: str) -> Iterator[str]:
    known = SAMPLES[template]
    there = f"there are {', '.join(f'{{{k}}}' for k in known)}" if known else "there is none"
    try:
        for _, name, spec, conversion in string.Formatter().parse(text):
            if name is not None and name not in known:
                yield f"placeholder {{{name}}} is unknown; {there}"
            elif spec or conversion:
                yield f"placeholder {{{name}}} takes no format; write it alone"
    except ValueError as fault:
        yield f"braces do not match ({fault}); write {{{{ and }}}} for the characters themselves"
