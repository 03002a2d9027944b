"""What customers of `make faults` will do, by chance from a seed: the same seed, the same people."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from lab import phone
from lab.people import mobiles
from lab.phone import Script

IMPATIENT_S: Final = (2.0, 2.4)  # less than an agent takes to pick up: they are lost while agents are free
PATIENT_S: Final = 30.0
Kind = Literal["patient", "silence", "again", "impatient"]
_KINDS: Final[dict[Kind, float]] = {"patient": 0.45, "silence": 0.07, "again": 0.08, "impatient": 0.40}


@dataclass
class Fate:
    """What a customer will do: how long the customer waits and talks, how called back, and whether to call again."""

    number: str
    patience_s: float
    talk_s: float
    called_back: tuple[Script, ...]
    again_after_s: float | None = None
    again_patience_s: float = 0.0
    mute_agent: bool = False


def fates(chance: random.Random) -> Iterator[Fate]:
    """Customers for ever: more than half of them are lost, some by an agent whose phone sends nothing."""
    answers = phone.answer(0.8, talk_s=4.5)
    ways = [(answers,), (phone.busy(), answers), (phone.no_answer(), answers), (phone.decline(),)]
    for number in mobiles():
        called_back = chance.choices(ways, [8, 1, 1, 0.5])[0]
        kind = chance.choices(list(_KINDS), list(_KINDS.values()))[0]
        fate = Fate(number, chance.uniform(*IMPATIENT_S), chance.uniform(3, 6), called_back)
        if kind == "patient":
            fate.patience_s = PATIENT_S
        elif kind == "silence":
            fate.patience_s, fate.mute_agent = 18.0, True
        elif kind == "again":
            fate.again_after_s = chance.uniform(5, 9)
            fate.again_patience_s = chance.choice([IMPATIENT_S[0], PATIENT_S])
        yield fate
