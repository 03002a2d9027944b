"""The number of a reservation, as the path of an address has it: what no database can hold names nothing."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Path
from pydantic import BeforeValidator

HIGHEST: Final = 2**63 - 1


def _digits(said: object) -> object:
    """Take digits alone: 1.0 is another address than 1."""
    if isinstance(said, str) and not (said.isascii() and said.isdigit()):
        raise ValueError
    return said


Number = Annotated[int, BeforeValidator(_digits), Path(ge=0, le=HIGHEST)]
