"""What comes again and again: told once, then counted."""

from __future__ import annotations

from collections.abc import Callable

from callback.logs.repeated import Repeated


def test_the_first_is_told_and_the_others_are_counted_by_kind() -> None:
    said: list[str] = []
    minutes: list[tuple[Callable[[str], None], str]] = []

    def a_minute_passes() -> None:
        over, minutes[:] = minutes[:], []
        for sum_up, what in over:
            sum_up(what)

    tally = Repeated(said.append, later=lambda _s, sum_up, what: minutes.append((sum_up, what)))
    for _ in range(1000):
        tally.note("nonsense came")
    tally.note("another thing")
    assert said == ["nonsense came", "another thing"]
    a_minute_passes()
    assert said[2:] == ["nonsense came (999 more in 60 s)"]
    tally.note("nonsense came")
    tally.note("another thing")  # after a minute without it
    assert said[3:] == ["another thing"]
    a_minute_passes()
    assert said[4:] == ["nonsense came (1 more in 60 s)"]
    a_minute_passes()
    assert minutes == []
