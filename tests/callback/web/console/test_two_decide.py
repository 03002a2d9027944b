"""Two people decide about one callback at the same moment: one of them does, and the other hears who did and when."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Final

from callback.decisions.records import Action
from callback.store import audit
from tests.callback.decisions.deciding import T0, acts, seen
from tests.callback.web.console.test_acts import heard
from tests.callback.world import NOON, US, World, call
from tests.console.served import serve
from tests.console.visitor import Answer, Visitor

ROUNDS: Final = 200
ACTS: Final[tuple[tuple[Action, dict[str, str], str], ...]] = (
    ("hold", {}, "held it"),
    ("resume", {}, "let it go on"),
    ("postpone", {"at": "15:00"}, "put it off"),
    ("assign", {"to": "bert"}, "assigned it"),
)


def test_one_of_two_decides_and_the_other_hears_of_it_two_hundred_times(world: World) -> None:
    world.hear(call("09012345601", NOON))
    both = Barrier(2)
    with serve(world, now=T0) as console, ThreadPoolExecutor(2) as people:
        anna, bo = Visitor(console), Visitor(console, "manager")

        def decide(who: Visitor, act: str, fields: dict[str, str]) -> Answer:
            both.wait(30)
            return who.post(f"/act/{act}", **fields)

        for turn in range(ROUNDS):
            act, more, did = ACTS[turn % len(ACTS)]
            console.now = T0 + turn * US
            (asked,) = seen(world)
            fields = {"items": f"1:{asked.revision}", **more}
            answers = list(people.map(decide, (anna, bo), (act, act), (fields, fields)))
            assert sorted(answer.status for answer in answers) == [200, 409], turn
            done = acts(world)
            assert len(done) == turn + 1
            winner = done[-1][0]
            lost = answers[0 if winner == "Bo" else 1]
            assert lost.status == 409
            assert re.search(rf"<bdi>{winner}</bdi> {did}, 0 s ago", lost.html), lost.html
            (now,) = seen(world)
            assert now.revision > asked.revision
    with world.store.read() as connection:
        assert audit.broken_at(connection) is None


def test_one_of_two_undoes_a_batch(world: World) -> None:
    for n in range(20):
        world.hear(call(f"090123456{n:02}", NOON + n))
    heard(world, T0)
    both = Barrier(2)
    with serve(world, now=T0) as console, ThreadPoolExecutor(2) as people:
        anna, bo = Visitor(console), Visitor(console, "manager")
        items = ",".join(f"{one.reservation}:{one.revision}" for one in seen(world))
        told = anna.post("/act/cancel", items=items, why="test").html
        batch = re.findall(r'name="batch" value="(\d+)"', told)[0]

        def undo(who: Visitor) -> int:
            both.wait(30)
            return who.post("/undo", batch=batch).status

        assert sorted(people.map(undo, (anna, bo))) == [200, 409]
    assert [action for _, action in acts(world)].count("undone") == 20
