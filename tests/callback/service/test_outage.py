"""A PBX that is away is told once, then now and then that it still is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from callback.service.outage import REMEDY, STILL_EVERY_US, Outage
from tests.callback.world import MINUTE, NOON, US


def test_it_is_told_when_it_goes_and_then_that_it_still_is_away() -> None:
    outage = Outage()
    tries = range(0, 20 * 60, 2)
    told = [(second, outage.down("refused", NOON + second * US)) for second in tries]
    assert [(second, facts) for second, facts in told if facts] == [
        (0, {"why": "refused", "remedy": REMEDY}),
        *((minutes * 60, {"why": "refused", "remedy": REMEDY, "still_since_at": NOON}) for minutes in (5, 10, 15)),
    ]


def test_a_new_outage_is_news_again() -> None:
    outage = Outage()
    assert outage.down("cut", NOON)
    outage.up()
    assert outage.down("cut", NOON + US) == {"why": "cut", "remedy": REMEDY}


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 10 * MINUTE)), max_size=60))
def test_however_it_flaps_no_outage_is_told_twice_within_five_minutes(steps: list[tuple[bool, int]]) -> None:
    outage, now, last = Outage(), NOON, None
    for down, after in steps:
        now += after
        if not down:
            outage.up()
            last = None
        elif outage.down("why", now):
            assert last is None or now - last >= STILL_EVERY_US
            last = now
        else:
            assert last is not None
