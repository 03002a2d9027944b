"""Health checks tell the truth: each reason makes a node unready by its own word, and is gone with its cause."""

from __future__ import annotations

from typing import Any

import pytest

from callback.operations.readiness import Seen, alive, ready
from callback.operations.vitals import Child, Listening, Vitals

WELL = Listening(connected=True)


def node(role: str = "all", **told: Any) -> Vitals:
    given = {"role": role, "pbx": "main", "node": "here:1", "state": "at-work", "listening": WELL}
    return Vitals.model_validate(given | told)


def hears(**told: Any) -> Vitals:
    return node(listening=Listening.model_validate({"connected": True} | told))


def test_a_node_at_work_is_alive_and_ready() -> None:
    seen = Seen(node(), 0.5, picture_age_s=1.0)
    assert alive(seen).ok
    assert ready(seen).ok
    assert ready(seen).wrong == {}


@pytest.mark.parametrize(
    ("seen", "word"),
    [
        (Seen(None), "no-service"),
        (Seen(node(), 6.0), "hangs"),
        (Seen(node(), database="it cannot be reached"), "database-away"),
        (Seen(node(database_off_s=-2.5)), "database-clock-off"),
        (Seen(node(state="starting")), "starting"),
        (Seen(node(listening=None)), "deaf"),
        (Seen(hears(connected=False, why_not="refused")), "pbx-not-connected"),
        (Seen(hears(level=False, behind_s=20.0)), "pbx-behind"),
        (Seen(hears(clock_off_s=3.0)), "pbx-clock-off"),
        (Seen(hears(oldest_waits_s=16.0)), "commits-stuck"),
        (Seen(node(failing={"text": "the gateway cannot be reached"})), "texts-stuck"),
        (Seen(node("text", listening=None, failing={"text": "no"}), line_age_s=1.0), "texts-stuck"),
        (Seen(node(children={"console": Child(up=False, why="it ended with status 1")})), "console-down"),
        (Seen(node("text", listening=None), picture_age_s=1.0), "line-unknown"),
        (Seen(node("text", listening=None), line_age_s=6.0), "line-unknown"),
        (Seen(node("web", listening=None)), "no-picture"),
        (Seen(node("web", listening=None), picture_age_s=11.0), "picture-stale"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_reason_is_said(seen: Seen, word: str) -> None:
    health = ready(seen)
    assert not health.ok
    assert list(health.wrong) == [word]
    assert health.wrong[word]
    assert alive(seen).ok == (word not in {"no-service", "hangs"})  # a restart mends nothing else


@pytest.mark.parametrize(
    "seen",
    [
        Seen(node("text", listening=None), line_age_s=3.0),
        Seen(node("web", listening=None), picture_age_s=3.0),
        Seen(node("pbx", failing={"text": "others send them"})),
        Seen(hears(level=False, behind_s=2.0)),
        Seen(node(database_off_s=1.5)),
    ],
)
def test_a_role_is_asked_for_its_own_work_alone(seen: Seen) -> None:
    assert ready(seen).ok


def test_who_stands_by_is_ready_and_says_so() -> None:
    seen = Seen(node(state="stands-by", why="another listens", listening=None))
    assert (ready(seen).ok, ready(seen).stands_by) == (True, True)
    away = ready(Seen(node(state="stands-by", listening=None), database="it cannot be reached"))
    assert (away.ok, away.stands_by) == (False, True)
    assert away.as_json(seen.vitals)["wrong"] == {"database-away": "it cannot be reached"}
