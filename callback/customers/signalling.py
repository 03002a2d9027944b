"""How a trunk signals its callers: of the last of them kept by form, without their numbers, for people to set it by.

Nothing is read by it: whose a number is must not depend on who called before.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import Final

from sqlalchemy import Connection, bindparam, insert, select, update

from callback.customers import numbers, readings
from callback.settings.sections import Signals, Trunk
from callback.store import tables as t
from callback.store.engine import late

LAST: Final = 200
"""So many of a trunk's callers are looked back upon."""
ENOUGH: Final = 10
"""So many must have come as digits alone before they say anything of the trunk."""

AMBIGUOUS: Final = "a"
_WORDS: Final = {
    "+": "with a plus",
    "0": "with 0 before them",
    "n": "national as digits alone",
    "e": "in E.164 without its plus",
    "=": "with the country's code, which is its trunk prefix too",
    AMBIGUOUS: "that may be two people's",
    "o": "in another form than signals says",
    "-": "that are no number here",
}
"""What each letter stands for: the form in which a caller's number was signalled."""
_ALONE: Final[dict[frozenset[str], str]] = {
    frozenset({"national"}): "n",
    frozenset({"e164-no-plus"}): "e",
    frozenset({"national", "e164-no-plus"}): "=",
}
_UNREAD: Final = {"ambiguous-number": AMBIGUOUS, "other-form": "o"}

_S = t.signalled.c
_LATELY = select(_S.lately).where(_S.pbx == bindparam("of_pbx"), _S.trunk == bindparam("of_trunk"))
_KEEP = update(t.signalled).where(_S.pbx == bindparam("of_pbx"), _S.trunk == bindparam("of_trunk"))
_KEEP = _KEEP.values(lately=bindparam("now_lately"))
_FIRST = insert(t.signalled)


@lru_cache(maxsize=8192)
def letter(signalled: str, trunk: Trunk) -> str:
    """The letter for the form in which a trunk signalled this number."""
    read = numbers.read(signalled, trunk)
    if read.e164 is None:
        return _UNREAD.get(read.reason, "-") if isinstance(read, numbers.Refused) else "-"
    digits = numbers.digits_of(signalled)
    if digits[:1] in {"+", "0"}:
        return digits[0]
    forms = frozenset(reading.form for reading in readings.of(digits, trunk.region) if reading.e164 == read.e164)
    return _ALONE.get(forms, "0")


def saw(connection: Connection, pbx: str, name: str, trunk: Trunk, signalled: str) -> bool:
    """Keep in which form a caller came over a trunk; True for its first caller whose number that left open."""
    came = letter(signalled, trunk)
    return came not in keep(connection, pbx, name, came) and came == AMBIGUOUS


def keep(connection: Connection, pbx: str, trunk: str, came: str) -> str:
    """Keep the letter of a caller of this trunk, and give those of the callers before, the newest last."""
    trunks = late(connection, _Trunks)
    before = trunks.lately(connection, pbx, trunk)
    trunks.now[pbx, trunk] = (before + came)[-LAST:]
    return before


class _Trunks:
    """The letters of trunks as they stood before this transaction, and as they are to be kept with it."""

    def __init__(self) -> None:
        self._stood: dict[tuple[str, str], str | None] = {}
        self.now: dict[tuple[str, str], str] = {}

    def lately(self, connection: Connection, pbx: str, trunk: str) -> str:
        """The letters by now."""
        if (pbx, trunk) not in self._stood:
            stood = connection.execute(_LATELY, {"of_pbx": pbx, "of_trunk": trunk}).scalar_one_or_none()
            self._stood[pbx, trunk], self.now[pbx, trunk] = stood, stood or ""
        return self.now[pbx, trunk]

    def write(self, connection: Connection) -> None:
        """Keep them; nearly all trunks signal in one form, and then there is nothing to be written."""
        for (pbx, trunk), now in self.now.items():
            stood = self._stood[pbx, trunk]
            if stood is None:
                connection.execute(_FIRST, {"pbx": pbx, "trunk": trunk, "lately": now})
            elif stood != now:
                connection.execute(_KEEP, {"of_pbx": pbx, "of_trunk": trunk, "now_lately": now})


def kept(connection: Connection, pbx: str) -> dict[str, str]:
    """By trunk, the letters of its last callers, the newest last."""
    rows = connection.execute(select(_S.trunk, _S.lately).where(_S.pbx == pbx)).all()
    return {row.trunk: row.lately for row in rows}


def in_words(lately: str) -> str:
    """Say the forms that these letters stand for, the most frequent one first."""
    counts = Counter(lately).most_common()
    return f"of the last {len(lately)} callers' numbers " + ", ".join(f"{n} came {_WORDS[came]}" for came, n in counts)


def advice(lately: str, said: Signals) -> str:
    """What to write in the settings of the trunk; empty where nothing is to be mended."""
    came = Counter(lately)
    alone = sum(came[letter] for letter in "nea=o")
    if came["-"] * 2 > len(lately) >= ENOUGH:
        return "most are no number there: is `region` the country whose national numbers this trunk signals?"
    if said:
        return f'they do not fit signals = "{said}"' if came["o"] * 10 > alone else ""
    if alone == 0:
        return ""
    if came["n"] and came["e"]:
        return "it mixes two forms: numbers that may be two people's stay refused; ask the carrier for a plus"
    if alone < ENOUGH or not (came["n"] or came["e"]):
        return 'ask the carrier in which form callers come: signals = "national", "e164-no-plus" or "e164"'
    return f'signals = "{"national" if came["n"] else "e164-no-plus"}", if the carrier says so too'
