"""What texts, answers, pages and the guard ask of the database goes by an index, on both."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, event, text

from callback.care import served, tending
from callback.decisions import replies
from callback.reports import satisfaction
from callback.reports.answers import open_answers
from callback.reports.refused import refused
from callback.settings.care import QueueCare
from callback.site import links
from callback.site.templates import Texting
from callback.store import tables as t
from callback.web import customer_page
from scheduler.clock import DAY
from sms.inbound import Inbound
from sms.outbox import text_outbox
from tests.callback.world import NOON, ON, US, World, call, rules

GROWING = (
    *("reservation", "person", "call", "loss", "attempt", "promise", "answer", "text_outbox", "audit"),
    *("survey", "care_case", "care_step", "verdict", "queue_visit"),
)


def test_no_table_that_grows_is_read_from_end_to_end(world: World) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        if statement.startswith(("SELECT", "UPDATE")):
            asked.append((statement, values))

    texting = Texting(two_way=lambda _: True, public_url="https://x.example")
    asks = ON.model_copy(update={"care": QueueCare(ask_served=True, cases=True)})
    shift = rules(ask_after=True, one_ring_numbers=2, queues={"support": asks})
    world.site = replace(world.site, texting=texting, rules=shift)
    event.listen(world.store.engine, "before_cursor_execute", note)
    _walk(world)
    event.remove(world.store.engine, "before_cursor_execute", note)
    assert len(world.rows(t.care_case)) == 1
    with world.store.read() as connection:
        plans = {statement: _plan(connection, statement, values) for statement, values in asked}
    scans = {statement: line for statement, plan in plans.items() for line in plan if _scans(line)}
    assert scans == {}
    assert len(plans) > len(GROWING)


def _walk(world: World) -> None:
    """Somebody is lost, told, answers, looks, is reached and judges; others ring once."""
    _unhappy(world)
    world.hear(call())
    with world.store.write() as connection:
        for place, body in enumerate(("18:30", "hello", "1", "STOP", "START")):
            replies.take(world.work(connection, NOON + US), Inbound("main", f"SM{place}", "+819012345678", "", body))
        token = links.token(connection, 1, NOON + DAY)
        customer_page.show(world.work(connection, NOON + US), token)
        customer_page.act(world.work(connection, NOON + US), token, {"do": "call-now"})
    order = world.claim(NOON + 2 * US)
    assert order is not None
    world.end(order.attempt, "reached", NOON + 60 * US)
    for number in ("09012345001", "09012345250", "0990123456"):
        world.hear(call(number, NOON, 6))
    with world.store.write() as connection:
        customer_page.act(world.work(connection, NOON + 70 * US), token, {"do": "score", "value": "5"})
        open_answers(world.work(connection, NOON), 9)
        replies.done(connection, "main", 1, "anna", NOON)
        refused(world.work(connection, NOON), 9)
        satisfaction.judged(connection, "main", NOON, NOON + DAY)


def _unhappy(world: World) -> None:
    """Somebody is served, asked, and not content."""
    with world.store.write() as connection:
        reader = served.begin(world.work(connection, NOON - 9 * US))
    assert reader is not None
    world.hear(call("09012349999", NOON - 8 * US, talked_s=30), "served")
    with world.store.write() as connection:
        served.ask(world.work(connection, NOON - 7 * US), reader)
        connection.execute(
            text_outbox.update().where(text_outbox.c.id > 0).values(state="unknown", settled_at=NOON, claimed_at=NOON)
        )
        work = world.work(connection, NOON - 6 * US)
        replies.take(work, Inbound("main", "SM99", "+819012349999", "", "1"))
        tending.tend(work)


def _plan(connection: Connection, statement: str, values: Any) -> list[str]:
    if connection.dialect.name == "sqlite":
        return [str(row.detail) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
    connection.execute(text("SET LOCAL enable_seqscan = off"))
    return [str(row[0]) for row in connection.exec_driver_sql(f"EXPLAIN {statement}", values)]


def _scans(line: str) -> bool:
    """Whether a line of a plan reads a table from end to end."""
    bare = line.split("  (cost", maxsplit=1)[0].strip("-> ")
    return re.fullmatch(rf"(SCAN|Seq Scan on) ({'|'.join(GROWING)})( \w+)?", bare) is not None
