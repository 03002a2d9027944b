"""Passwords: which are taken, and that proving one costs as much where nobody has the name."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from callback.accounts import passwords
from callback.accounts.passwords import LEAST, MOST

GOOD = "violet-harbour-9-kettle"


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        (GOOD, None),
        ("correct horse battery", None),
        ("我们今天下午两点开会吧好的吗", None),
        ("x7#mQ2!pK0z", "short"),
        ("", "short"),
        ("violet harbour " * 14, "long"),
        ("password1234", "common"),
        ("iloveyou1234", "common"),
        ("123456789012", "common"),
        ("qwertyuiop[]", "common"),
        ("aaaaaaaaaaaaaaaaaaaaaaaa", "common"),
        ("unchained123", "common"),
        ("hunter2hunter2", "common"),
    ],
)
def test_short_long_and_common_passwords_are_refused(password: str, fault: str | None) -> None:
    assert passwords.fault(password) == fault


def test_the_own_name_is_common() -> None:
    assert passwords.fault("yamadahanako1") is None
    assert passwords.fault("yamadahanako1", ["YamadaHanako"]) == "common"


def test_no_character_is_asked_for_or_forbidden() -> None:
    assert passwords.fault("lampshade gravel otter") is None
    assert passwords.fault("8391 5527 0946 1832") is None


def test_the_hash_opens_to_its_password_alone_and_tells_its_parameters() -> None:
    kept = passwords.hashed(GOOD)
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert GOOD not in kept
    assert passwords.proved(kept, GOOD)
    assert not passwords.proved(kept, GOOD + " ")
    assert kept != passwords.hashed(GOOD)


def test_nobodys_password_is_never_right() -> None:
    assert not passwords.proved(None, "")
    assert not passwords.proved(None, GOOD)
    assert not passwords.proved("not a hash", GOOD)


@given(st.text(min_size=LEAST, max_size=LEAST + 4))
def test_whatever_the_keyboard_makes_is_judged(password: str) -> None:
    assert passwords.fault(password) in {None, "short", "common"}


def test_a_password_is_the_same_however_it_is_composed() -> None:
    assert passwords.proved(passwords.hashed("caf\u00e9-au-lait-de-lune"), "cafe\u0301-au-lait-de-lune")


def test_a_very_long_password_is_never_right_and_costs_no_more() -> None:
    kept = passwords.hashed("k" * MOST)
    assert passwords.proved(kept, "k" * MOST)
    assert not passwords.proved(kept, "k" * (MOST + 1))
    assert not passwords.proved(kept, "k" * 60_000)


def test_a_hash_of_other_parameters_is_outdated() -> None:
    weaker = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(GOOD)
    assert passwords.outdated(weaker)
    assert not passwords.outdated(passwords.hashed(GOOD))
    assert passwords.proved(weaker, GOOD)


def test_one_time_passwords_differ_and_would_be_taken() -> None:
    made = {passwords.one_time() for _ in range(100)}
    assert len(made) == 100
    assert all(passwords.fault(one) is None for one in made)
