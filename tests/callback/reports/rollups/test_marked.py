"""Each table that is counted is marked, whoever changes it and how; and reports say how far they know."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from callback.reports.rollups import heat, lines
from callback.reports.rollups.lines import Reported
from callback.store import marking
from callback.store import tables as t
from scheduler.clock import DAY
from sms.outbox import text_outbox
from tests.callback.decisions.deciding import send_texts
from tests.callback.reports.rollups.rolling import must_be_rolled_up, ring, roll_up
from tests.callback.world import MINUTE, NOON, World, call

NOW = NOON + 5 * 60 * MINUTE
CHANGES = {
    "call": "UPDATE call SET recovery = 'short-abandon' WHERE recovery <> 'short-abandon'",
    "verdict": "UPDATE verdict SET kind = 'served' WHERE kind = 'abandoned'",
    "past_call": "DELETE FROM past_call",
    "reservation": "UPDATE reservation SET state = 'expired' WHERE id = 1",
    "promise": "UPDATE promise SET clock_starts_at = clock_starts_at + 60000000000",
    "loss": "UPDATE loss SET redialled_at = lost_at + 60000000",
    "attempt": "UPDATE attempt SET agent = 'PJSIP/b', customer_dialled_at = customer_dialled_at + 60000000000",
    "answer": "UPDATE answer SET score = 1",
    "text_outbox": "UPDATE text_outbox SET delivery = 'undelivered'",
    "audit": "INSERT INTO audit (id, at, pbx, who, action, reservation_id, why, facts, previous, hash)"
    " VALUES (999, 1, 'main', 'a', 'called-by-hand', 1, '', '{}', '', 'x')",
}
"""For each table a change that changes what is counted, told to nobody."""


def lived(world: World) -> None:
    """Somebody is lost, texted, reached and has said how it was; another is lost; and one call was imported."""
    world.hear(call("09012345678"))
    send_texts(world, NOON + MINUTE)
    order = world.claim(NOON + 5 * MINUTE)
    assert order is not None
    ring(world, order.attempt, "reached", NOON + 5 * MINUTE)
    world.end(order.attempt, "reached", NOON + 8 * MINUTE)
    world.hear(call("09012345679", NOON + 10 * MINUTE, queue="sales"))
    about = {"person_id": 1, "reservation_id": 1, "wish": "choice-5", "body": "", "score": 5, "state": "done"}
    past = {"caller": 0, "kind": "abandoned", "began_at": NOON - DAY, "over_at": NOON - DAY, "waited_us": 1}
    with world.store.write() as connection:
        connection.execute(
            t.answer.insert().values(pbx="main", account="a", sid="1", received_at=NOON + 9 * MINUTE, **about)
        )
        connection.execute(t.past_call.insert().values(pbx="main", call_id="1.1", queue="support", talked_us=0, **past))


def told(world: World, now: int, **more: Any) -> Reported:
    with world.store.read() as connection:
        return lines.figures(world.work(connection, now), NOON - 3 * DAY, NOON + 3 * DAY, **{"by": "day", **more})


@pytest.mark.parametrize("table", CHANGES)
def test_whoever_changes_a_table_that_is_counted_changes_the_figures(world: World, table: str) -> None:
    lived(world)
    roll_up(world, NOW)
    must_be_rolled_up(world, NOW)
    before = told(world, NOW)
    with world.store.write() as connection:
        connection.execute(text(CHANGES[table]))
    assert roll_up(world, NOW) > 0
    must_be_rolled_up(world, NOW)
    agents = [row.agent for row in world.rows(t.rollup_agent_day)]
    assert told(world, NOW) != before
    assert agents == (["PJSIP/b"] if table == "attempt" else ["PJSIP/a"])
    assert roll_up(world, NOW) == 0


def test_the_changes_are_to_all_tables_that_have_triggers() -> None:
    assert set(CHANGES) == set(marking.MARKED)


def test_what_is_not_rolled_up_is_counted_while_one_waits(world: World) -> None:
    lived(world)
    live = told(world, NOW)
    assert (live.since, live.until) == (NOW - DAY - (NOW % (30 * MINUTE)), NOW + 1)
    assert (live.whole.calls, live.whole.lost, live.whole.reached, live.whole.texts_sent) == (2, 2, 1, 1)
    roll_up(world, NOON + 5 * MINUTE)  # of the half hour at noon nothing is rolled up yet
    both = told(world, NOW)
    assert (both.since, both.until) == (NOON - 3 * DAY, NOW + 1)
    assert both.whole.calls == 3  # with the imported one
    roll_up(world, NOW)
    assert told(world, NOW).lines == both.lines


@pytest.mark.parametrize("by", ["whole", "month", "week", "day", "hour", "half-hour"])
@pytest.mark.parametrize("split", ["", "queue", "group", "kind", "trunk"])
def test_however_it_is_divided_it_is_the_same_in_all(sqlite_world: World, by: Any, split: Any) -> None:
    lived(sqlite_world)
    roll_up(sqlite_world, NOON + 5 * MINUTE)
    assert told(sqlite_world, NOW, by=by, split=split).whole == told(sqlite_world, NOW).whole


def test_others_groups_are_left_out(world: World) -> None:
    lived(world)
    roll_up(world, NOON + 5 * MINUTE)
    assert told(world, NOW, groups=frozenset({"elsewhere"})).lines == []
    assert told(world, NOW, groups=frozenset({"site"})).whole == told(world, NOW).whole
    with world.store.read() as connection:
        work, span = world.work(connection, NOW), (NOON - 3 * DAY, NOON + DAY)
        assert heat.heat(work, *span, frozenset({"elsewhere"})) == {}
        assert lines.agents(work, *span, "day", frozenset({"elsewhere"})) == []
        (of_agent,) = lines.agents(work, *span, "month")
        assert (of_agent.agent, of_agent.figures.tried, of_agent.figures.reached) == ("PJSIP/a", 1, 1)
        cells = heat.heat(work, *span)
    assert {cell: one.calls for cell, one in cells.items()} == {(6, 24): 1, (0, 23): 1, (0, 24): 1}


def test_another_time_zone_counts_everything_anew(world: World) -> None:
    lived(world)
    roll_up(world, NOW)
    with world.store.write() as connection:
        connection.execute(t.rollup_state.update().values(zone="Asia/Kathmandu"))
    before = world.rows(t.rollup_half_hour)
    assert roll_up(world, NOW) > 0
    assert world.rows(t.rollup_half_hour) == before
    must_be_rolled_up(world, NOW)


def test_texts_about_no_reservation_are_no_ones(world: World) -> None:
    lived(world)
    roll_up(world, NOW)
    with world.store.write() as connection:
        connection.execute(text_outbox.update().values(recipient="person/1"))
    roll_up(world, NOW)
    must_be_rolled_up(world, NOW)
    assert told(world, NOW).whole.texts_sent == 0
