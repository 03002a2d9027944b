"""How long what was digested waits for its commit."""

from __future__ import annotations

from callback.service.watching.delays import BOUNDS, CommitDelays


def test_what_is_followed_is_measured_from_when_it_was_taken_to_its_commit() -> None:
    clock = [0.0]
    delays = CommitDelays(lambda: clock[0])
    delays.taken(1)
    delays.taken(2)  # at the same moment as the first: not followed
    clock[0] = 0.2
    delays.taken(3)
    clock[0] = 0.4
    assert delays.oldest_waits_s == 0.4
    delays.done(2)
    assert delays.oldest_waits_s == 0.2
    clock[0] = 3.2
    delays.done(3)
    assert delays.oldest_waits_s == 0.0
    found = delays.so_far
    assert (found.count, round(found.total_s, 6)) == (2, 3.4)
    within = dict(zip(found.bounds, found.within, strict=True))
    assert found.bounds == BOUNDS
    assert (within[0.25], within[0.5], within[2.5], within[5.0]) == (0, 1, 1, 2)


def test_something_is_followed_whenever_anything_waits() -> None:
    delays = CommitDelays(lambda: 7.0)
    for number in range(1, 4):
        delays.taken(number)
        assert delays.so_far.count == number - 1
        delays.done(number)
