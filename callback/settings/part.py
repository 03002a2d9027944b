"""What every part of the settings is made of."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A part of the settings: unknown keys are faults, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)
