"""The number of a reservation, as an address has it: what no database can hold names nothing."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Path
from pydantic import BeforeValidator

from callback.store.engine import HIGHEST

_DIGITS: Final = len(str(HIGHEST))  # Python itself reads no number of thousands of digits


def number_in(said: str) -> int | None:
    """The number that these digits name; None where they name none."""
    if not said.isascii() or not said.isdigit() or len(said) > _DIGITS or int(said) > HIGHEST:
        return None
    return int(said)


def _digits(said: object) -> object:
    """Take digits alone: 1.0 is another address than 1."""
    if isinstance(said, str) and not (said.isascii() and said.isdigit()):
        raise ValueError
    return said


Number = Annotated[int, BeforeValidator(_digits), Path(ge=0, le=HIGHEST)]
