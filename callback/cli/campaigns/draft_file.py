"""A campaign as a file that people write, in TOML: whom it is about, and what they are told.

name = "The outage of Monday"
queue = "support"
from = "2026-11-23 09:00"
until = "2026-11-23 13:00"
kinds = ["abandoned", "blocked"]
[words]
en = "Our lines were down this morning. All is well again. Questions: {caller_id}"
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from callback.campaigns.campaign import Draft
from callback.campaigns.criteria import Criteria, Loss
from callback.errors import CallbackError
from callback.site import written
from callback.site.work import Work


class _Said(BaseModel):
    """What stands in the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    queue: str
    words: dict[str, str]
    since: str | None = Field(None, alias="from")
    until: str | None = None
    queues: tuple[str, ...] = ()
    kinds: tuple[Loss, ...] = ()
    trunks: tuple[str, ...] = ()
    incident: int | None = None
    per_min: float | None = None


def read(work: Work, file: Path) -> Draft:
    """Read such a file; without `from` and `until` it is about people of a file of numbers alone. CallbackError."""
    said = _said(file)
    criteria = Criteria(calls=False)
    if said.since is not None or said.until is not None:
        criteria = Criteria(
            queues=said.queues, trunks=said.trunks, kinds=said.kinds, incident=said.incident,
            from_at=_at(work, file, "from", said.since), until_at=_at(work, file, "until", said.until),
        )  # fmt: skip
    return Draft(name=said.name, queue=said.queue, criteria=criteria, words=said.words, per_min=said.per_min)


def _said(file: Path) -> _Said:
    try:
        return _Said.model_validate(tomllib.loads(file.read_text("utf-8")))
    except OSError as error:
        raise CallbackError(f"{file} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CallbackError(f"{file} is no TOML: {error}") from error
    except ValidationError as error:
        raise CallbackError("\n".join(f"{file}: {_fault(one)}" for one in error.errors())) from error


def _fault(one: Any) -> str:  # noqa: ANN401 - as pydantic tells it
    return f"{'.'.join(map(str, one['loc']))}: {one['msg'].lower()}"


def _at(work: Work, file: Path, key: str, said: str | None) -> int:
    if said is None:
        raise CallbackError(f"{file}: {key}: say from when until when the calls began: '2026-11-23 09:00'")
    try:
        return written.instant(said, work.now, work.site.hours.zone)
    except CallbackError as error:
        raise CallbackError(f"{file}: {key}: {error}") from error
