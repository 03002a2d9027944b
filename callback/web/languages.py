"""Which language a browser asks for, of those that pages speak."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, get_args

Language = Literal["en", "zh_Hans", "zh_Hant"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
TAGS: Final[Mapping[Language, str]] = {"en": "en", "zh_Hans": "zh-Hans", "zh_Hant": "zh-Hant"}
"""As HTML names them."""
_TRADITIONAL: Final = ("zh-hant", "zh-tw", "zh-hk", "zh-mo")


def asked_for(header: str) -> Language:
    """The first of an Accept-Language that there is, else English."""
    for part in header.lower().split(","):
        tag = part.partition(";")[0].strip()
        if tag.startswith(_TRADITIONAL):
            return "zh_Hant"
        if tag.startswith("zh"):
            return "zh_Hans"
        if tag.startswith("en"):
            return "en"
    return "en"
