"""Who has what open is believed for a while, and forgotten with the session."""

from __future__ import annotations

from callback.web.console.live.presence import LASTS_S, MOST, TABS, Presence


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_each_tab_says_what_it_has_open() -> None:
    presence = Presence()
    presence.here("s1", "a", "Anna", [1, 2])
    presence.here("s1", "b", "Anna", [2])
    presence.here("s2", "a", "Bo", [2])
    assert presence.who() == {1: ["Anna"], 2: ["Anna", "Bo"]}
    presence.here("s1", "a", "Anna", [])
    assert presence.who() == {2: ["Anna", "Bo"]}
    presence.left("s1")
    assert presence.who() == {2: ["Bo"]}


def test_who_does_not_say_it_again_is_gone() -> None:
    clock = Clock()
    presence = Presence(clock)
    presence.here("s1", "a", "Anna", [1])
    clock.now_s = LASTS_S - 1
    presence.here("s2", "a", "Bo", [1])
    clock.now_s = LASTS_S
    assert presence.who() == {1: ["Bo"]}


def test_nobody_fills_the_memory() -> None:
    presence = Presence()
    presence.here("s", "a", "Anna", range(MOST * 2))
    assert sorted(presence.who()) == list(range(MOST))
    for tab in range(TABS * 2):
        presence.here("s", f"tab{tab}", "Anna", [1000 + tab])
    assert sorted(presence.who()) == [1000 + tab for tab in range(TABS, TABS * 2)]
