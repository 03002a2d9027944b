"""A process that stood still, or the network before it, knows that what it reads then is old."""

from __future__ import annotations

import pytest

from telephony.listening.stall import CATCHES_UP_S, Stall


class Clocks:
    """Two clocks in the hand of a test."""

    def __init__(self) -> None:
        self.steady, self.wall = 100.0, 5000.0

    def stall(self) -> Stall:
        return Stall(0.5, lambda: self.steady, lambda: self.wall)

    def passes(self, seconds: float, *, asleep: bool = False) -> None:
        self.wall += seconds
        self.steady += 0.0 if asleep else seconds


def test_who_ticks_in_time_is_behind_nothing() -> None:
    clocks = Clocks()
    stall = clocks.stall()
    for _ in range(10):
        stall.tick()
        clocks.passes(0.8)
        assert stall.behind_s() == 0


@pytest.mark.parametrize("asleep", [False, True], ids=["stopped", "machine-asleep"])
def test_what_is_read_after_a_standstill_is_old_until_it_has_caught_up(asleep: bool) -> None:
    clocks = Clocks()
    stall = clocks.stall()
    stall.tick()
    clocks.passes(8, asleep=asleep)
    assert stall.behind_s() == pytest.approx(7.5), "before the late tick comes"
    for _ in range(5):
        stall.tick()
        clocks.passes(0.5)
    assert stall.behind_s() == pytest.approx(7.5), f"the first {CATCHES_UP_S} s after it"
    stall.tick()
    clocks.passes(0.6)
    assert stall.behind_s() == 0


def test_before_the_first_tick_nothing_is_late() -> None:
    clocks = Clocks()
    stall = clocks.stall()
    clocks.passes(60)
    assert stall.behind_s() == 0
    stall.tick()
    assert stall.behind_s() == 0


@pytest.mark.parametrize(
    ("old_s", "silent_s", "behind_s"),
    [
        (4.0, 4.1, 4.0),  # the network brought nothing, and then all at once
        (0.2, 60.0, 0.0),  # a quiet PBX, and its event comes at once
        (9.0, 0.1, 0.0),  # a stamp from a time in which others came: somebody may have written it
        (90.0, 60.0, 0.0),
    ],
)
def test_the_first_event_after_a_silence_tells_how_long_the_network_stood_still(
    old_s: float, silent_s: float, behind_s: float
) -> None:
    clocks = Clocks()
    stall = clocks.stall()
    stall.reads(old_s, silent_s)
    assert stall.behind_s() == behind_s
    clocks.passes(CATCHES_UP_S)
    assert stall.behind_s() == 0
