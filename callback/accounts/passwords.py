"""Passwords: which ones are taken, how they are kept, and how one is proved.

Kept as argon2id with its own salt and parameters. Proving one takes some 15 ms of a core and 19 MiB, also where nobody
has that name: how long an answer takes says nothing about who is known.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from functools import cache
from typing import Final, Literal
from unicodedata import normalize

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

Fault = Literal["short", "long", "common"]

LEAST: Final = 12
"""Characters that a password has."""
MOST: Final = 200
_JUDGED: Final = 72
"""Characters that are judged: what judges takes none longer, and so many are enough."""
_GUESSES: Final = 10**8
"""A password that is found among so few guesses is a common one."""
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""Of one-time passwords: no letter looks like another."""
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def fault(password: str, names: Collection[str] = ()) -> Fault | None:
    """Say why a password is not taken: too short, too long, or among the first that are tried; None: it is taken.

    `names` of the person, which are tried first. There is no rule about which characters it must have.
    """
    whole = _plain(password)
    if len(whole) < LEAST:
        return "short"
    if len(whole) > MOST:
        return "long"
    return "common" if _guesses(whole[:_JUDGED], names) < _GUESSES else None


def _guesses(password: str, names: Collection[str]) -> float:
    """After how many guesses it is found: by its words, dates, rows of keys and repetitions."""
    from zxcvbn import zxcvbn  # noqa: PLC0415 - a tenth of a second for its lists, which only those pay who judge

    return float(zxcvbn(password, user_inputs=[name.casefold() for name in names])["guesses"])


def hashed(password: str) -> str:
    """Give what is kept of a password."""
    return _HASHER.hash(_plain(password))


def proved(kept: str | None, password: str) -> bool:
    """Tell whether this is the password; None is nobody's, and takes as long."""
    try:
        return _HASHER.verify(kept or _nobodys(), _plain(password)[: MOST + 1]) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def outdated(kept: str) -> bool:
    """Tell whether a hash was made with other parameters than today's: it is made anew when the password is known."""
    return _HASHER.check_needs_rehash(kept)


def one_time() -> str:
    """Make a password of 74 random bits that is easily read out and typed: xxxxx-xxxxx-xxxxx."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(3))


@cache
def _nobodys() -> str:
    return _HASHER.hash(secrets.token_urlsafe())


def _plain(password: str) -> str:
    """The same characters, however the keyboard made them."""
    return normalize("NFKC", password)
