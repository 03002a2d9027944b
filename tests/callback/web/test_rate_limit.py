"""As fast as people are, and no faster; and no more is remembered than there is room for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from callback.web import rate_limit
from callback.web.rate_limit import Pace


@given(st.lists(st.floats(0, 30), max_size=200))
def test_in_no_stretch_of_time_is_more_let_through(gaps: list[float]) -> None:
    one, now, let = Pace(3, 10), 0.0, list[float]()
    for gap in gaps:
        now += gap
        if one.allows("him", now):
            let.append(now)
    for first, began in enumerate(let):
        for last, ended in enumerate(let[first:], first + 1):
            assert last - first <= 3 + (ended - began) / 10 + 1e-6


def test_whoever_is_patient_is_always_let_through() -> None:
    one = Pace(3, 10)
    assert all(one.allows("him", second) for second in range(0, 10_000, 10))


def test_one_does_not_use_up_anothers() -> None:
    one = Pace(1, 10)
    assert [one.allows(key, 0) for key in ("a", "b", "a", "b")] == [True, True, False, False]


def test_who_asked_long_ago_is_forgotten() -> None:
    one = Pace(1, 10)
    for key in range(rate_limit.KEPT + 1):
        one.allows(key, 0)
    assert one.allows(0, 0)
    assert not one.allows(rate_limit.KEPT, 0)
