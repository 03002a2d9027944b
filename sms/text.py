"""What a text says and what it costs: templates by language, and segments as the carriers count them."""

import string
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
_BY = "Wednesday 21:30"
_CALLER_ID = "+44 20 7946 0958"
SAMPLES: Mapping[str, Mapping[str, str]] = {
    "lost": {"by": _BY, "caller_id": _CALLER_ID},
    "lost-carried": {"from_time": "Wednesday 09:00", "by": _BY, "caller_id": _CALLER_ID},
    "lost-dropped": {"by": _BY, "caller_id": _CALLER_ID},
    "lost-silent": {"by": _BY, "caller_id": _CALLER_ID},
    "lost-requested": {"by": _BY, "caller_id": _CALLER_ID},
    "given-up": {"tries": "10", "caller_id": _CALLER_ID},
}
_PACKAGED = Path(__file__).with_name("templates")


class Templates:
    """Texts that were checked when they were loaded, so that rendering one cannot fail for its wording."""

    def __init__(self, texts: Mapping[str, Mapping[str, str]]) -> None:
        self._texts = MappingProxyType({language: dict(found) for language, found in texts.items()})

    @classmethod
    def load(cls, folder: Path = _PACKAGED) -> Self:
        """Read one `<language>.toml` for each language: ours, and any other that the folder has.

        Raises one `SmsError` with all faults, each with file and key: a missing file or template, an unknown
        one, a placeholder that the template does not know, or more than two segments with sample values.
        """
        files = {path.stem: path for path in folder.glob("*.toml")}
        files |= {language: folder / f"{language}.toml" for language in LANGUAGES}
        faults: list[str] = []
        texts = {language: _read(files[language], faults) for language in sorted(files)}
        if faults:
            raise SmsError(f"texts in {folder} need mending:\n" + "\n".join(f"  {f}" for f in faults))
        return cls(texts)

    @property
    def languages(self) -> frozenset[str]:
        """The languages that can be rendered, as BCP 47 tags."""
        return frozenset(self._texts)

    def render(self, template: str, language: str, values: Mapping[str, str]) -> str:
        """Return the text for a phone; `values` has every placeholder of the template, used or not.

        Values stand as given: one character that GSM-7 lacks (a narrow space in a time) makes the text UCS-2.
        """
        if language not in self._texts:
            raise SmsError(f"no texts in language {language!r}; there are {', '.join(sorted(self._texts))}")
        if template not in SAMPLES:
            raise SmsError(f"no template {template!r}; there are {', '.join(SAMPLES)}")
        if missing := SAMPLES[template].keys() - values.keys():
            raise SmsError(f"template {template!r} needs a value for {', '.join(sorted(missing))}")
        return self._texts[language][template].format_map(values)


def _read(path: Path, faults: list[str]) -> dict[str, str]:
    """Return the texts of a file; what is wrong with it is added to `faults`."""
    try:
        # Notepad puts a byte order mark first
        found = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        faults.append(f"{path.name}: the file is missing")
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        faults.append(f"{path.name}: cannot be read: {fault}")
        return {}
    unknown = found.keys() - SAMPLES.keys()
    faults.extend(f"{path.name}: {key}: unknown; there are {', '.join(SAMPLES)}" for key in sorted(unknown))
    for key in SAMPLES:
        faults.extend(f"{path.name}: {key}: {fault}" for fault in _faults(key, found.get(key)))
    return found


def _faults(template: str, text: object) -> Iterator[str]:
    """Say what is wrong with the text of one template."""
    if text is None:
        yield "missing"
        return
    if not isinstance(text, str) or not text.strip():
        yield "must be a text in quotes"
        return
    wrong = list(_wrong_placeholders(template, text))
    yield from wrong
    if wrong:
        return
    size = segments(text.format_map(SAMPLES[template]))
    if size.count > MAX_SEGMENTS:
        yield f"{size.count} segments ({size.units} places, {size.encoding}); at most {MAX_SEGMENTS}"


def _wrong_placeholders(template: str, text: str) -> Iterator[str]:
    known = SAMPLES[template]
    try:
        for _, name, spec, conversion in string.Formatter().parse(text):
            if name is not None and name not in known:
                yield f"placeholder {{{name}}} is unknown; there are {', '.join(f'{{{k}}}' for k in known)}"
            elif spec or conversion:
                yield f"placeholder {{{name}}} takes no format; write it alone"
    except ValueError as fault:
        yield f"braces do not match ({fault}); write {{{{ and }}}} for the characters themselves"
