"""The number of a reservation, as the path of an address has it: one that no database can hold names nothing."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Path

HIGHEST: Final = 2**63 - 1
Number = Annotated[int, Path(ge=0, le=HIGHEST)]
