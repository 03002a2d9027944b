"""Values as programs write and read them: instants with their zone, durations in seconds, numbers masked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from callback.logs.masking import masked, masked_text
from callback.store.engine import HIGHEST
from scheduler.clock import SECOND, local

_LEAST: Final = 2000
_MOST: Final = 2999
"""Years that an instant may lie in."""
_MORE: Final = 400
_RFC3339: Final = r"^2[0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$"
_CONTROL: Final = r"^[^\x00-\x1f\x7f]*$"


class Said(BaseModel):
    """What a program sends: nothing but what is named, and nothing in another form."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Shown(BaseModel):
    """What a program gets."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _read(text: str) -> str:
    instant_of(text)
    return text


def instant_of(text: str) -> int:
    """Give the microseconds UTC of an RFC 3339 instant. ValueError where it is none, or has no zone."""
    then = datetime.fromisoformat(text)
    if then.tzinfo is None:
        raise ValueError("say the zone, as in 2026-11-23T12:00:00+09:00")
    if not _LEAST <= then.year <= _MOST:
        raise ValueError("no such year")
    return int(then.timestamp()) * SECOND


def rfc3339(at: int, zone: ZoneInfo) -> str:
    """Give an instant on the site's clock, to the millisecond, with its zone."""
    return local(at, zone).isoformat(timespec="milliseconds")


Instant = Annotated[
    str,
    StringConstraints(pattern=_RFC3339, max_length=40),
    AfterValidator(_read),
    Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-23T15:00:00+09:00"]),
]
"""An instant that a program says."""
Time = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-23T15:00:00.000+09:00"])]
"""An instant that it is told."""
Id = Annotated[int, Field(ge=1, le=HIGHEST)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=_MORE, pattern=_CONTROL)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=_CONTROL)]
Number = Annotated[
    str,
    StringConstraints(pattern=r"^\+?[0-9][0-9 ()./-]{2,30}$"),
    Field(description="A telephone number, best with its country.", examples=["+819012345678"]),
]
After = Annotated[str, StringConstraints(max_length=300, pattern=r"^[0-9A-Za-z_-]*$")] | None
"""Where the page before of a list ended, as it gave it (`cursor`)."""
Reference = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9A-Za-z._:/#-]{1,100}$"),
    Field(description="What the program calls it. It is shown to people, and must not hold the number."),
]


def is_no_instant(fault: Mapping[str, Any]) -> bool:
    """Whether a fault that pydantic found is that an instant was meant, and written in another way."""
    return bool(fault["type"] == "value_error" or fault.get("ctx", {}).get("pattern") == _RFC3339)


def number(e164: str, *, whole: bool) -> str:
    """Give a number, masked unless it may be seen whole."""
    return e164 if whole else masked(e164)


def plain(value: Any, zone: ZoneInfo, *, whole: bool = False) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """Give facts for a program: `_at` as instants, `_us` as seconds, and no number in a text unless it may be seen."""
    match value:
        case Mapping():
            return dict(_named(str(name), one, zone, whole=whole) for name, one in value.items())
        case str():
            return value if whole else masked_text(value)
        case list() | tuple():
            return [plain(one, zone, whole=whole) for one in value]
        case _:
            return value


def _named(name: str, value: Any, zone: ZoneInfo, *, whole: bool) -> tuple[str, Any]:  # noqa: ANN401 - as above
    if isinstance(value, int) and not isinstance(value, bool):
        if name == "at" or name.endswith("_at"):
            return name, rfc3339(value, zone)
        if name.endswith("_us"):
            return f"{name[:-3]}_s", value / SECOND
    return name, plain(value, zone, whole=whole)
