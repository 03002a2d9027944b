"""Past calls in the database: never doubled, bettered where more is told, and joined with what the service heard."""

from __future__ import annotations

from callback.history import past_calls as kept
from callback.history.past_calls import PastCallWriter, past_calls, stints
from callback.store import tables as t
from telephony.queue_log.briefs import Brief
from telephony.queue_log.logins import Stint
from tests.callback.world import MINUTE, NOON, US, World, call

ONE = Brief(
    "main", "1.1", "0901", "sales", "served", None, NOON, NOON + 90 * US, 30 * US, 60 * US, "Ann", NOON + 30 * US
)


def keep(world: World, *calls: Brief, there: tuple[Stint, ...] = ()) -> int:
    writer = PastCallWriter(world.store)
    for one in calls:
        writer.add(one)
    return writer.finish({"main": list(there)})


def known(world: World) -> list[Brief]:
    with world.store.read() as connection:
        return list(past_calls(connection))


def test_what_is_kept_comes_back_but_for_the_number(world: World) -> None:
    assert keep(world, ONE, ONE._replace(call_id="1.2", number=None)) == 2
    first, second = sorted(known(world), key=lambda one: one.call_id)
    assert first._replace(number="0901") == ONE
    assert second.number is None
    with world.store.read() as connection:
        assert "0901" not in str(connection.execute(t.past_call.select()).all())


def test_the_same_caller_is_known_again_in_another_import(world: World) -> None:
    keep(world, ONE)
    keep(world, ONE._replace(call_id="1.2", pbx="west"), ONE._replace(call_id="1.3", number="0902"))
    numbers = {one.call_id: one.number for one in known(world)}
    assert numbers["1.1"] == numbers["1.2"] != numbers["1.3"]


def test_to_keep_again_changes_nothing_and_a_longer_telling_betters(world: World) -> None:
    thrown_out = ONE._replace(kind="blocked", reason="queue-time-out", agent=None, talked_at=None)
    assert keep(world, thrown_out) == 1
    assert keep(world, thrown_out) == 0
    later = ONE._replace(over_at=ONE.over_at + MINUTE)
    assert keep(world, later) == 0
    assert keep(world, thrown_out) == 0
    assert [one.kind for one in known(world)] == ["served"]


def test_who_has_not_ended_and_our_own_callbacks_are_not_kept(world: World) -> None:
    assert keep(world, ONE._replace(kind="unfinished"), ONE._replace(call_id="lcr-1-2", kind="callback")) == 0


def test_stints_grow_and_are_never_doubled(world: World) -> None:
    cut = Stint("Ann", "sales", NOON, NOON + MINUTE)
    keep(world, there=(cut,))
    keep(world, there=(cut._replace(until=NOON + 2 * MINUTE),))
    keep(world, there=(cut,))
    with world.store.read() as connection:
        assert list(stints(connection)) == [cut._replace(until=NOON + 2 * MINUTE)]


def test_what_the_service_heard_stands_beside_what_was_imported_and_goes_before_it(world: World) -> None:
    heard = call("09012345678", talked_s=40)
    lost = call("09012345679", NOON + MINUTE)
    world.hear(heard, "served")
    world.hear(lost)
    keep(world, ONE, ONE._replace(call_id=heard.call_id, kind="abandoned"))
    found = {one.call_id: one for one in known(world)}
    assert len(found) == 3
    assert (found[heard.call_id].kind, found[heard.call_id].agent) == ("served", "Agent One")
    assert found[heard.call_id].talked == 40 * US
    assert found[lost.call_id].kind == "abandoned"
    assert [one.over_at for one in known(world)] == sorted(one.over_at for one in known(world))


def test_more_rows_than_go_in_one_transaction(world: World) -> None:
    many = [ONE._replace(call_id=f"1.{number}", over_at=NOON + number) for number in range(4500)]
    assert keep(world, *many) == len(many)
    assert len(known(world)) == len(many)


def test_to_import_again_brings_callers_who_were_kept_under_another_form_together(world: World) -> None:
    """What older versions kept under the number as signalled; a telling that goes less far changes nothing."""
    keep(world, ONE._replace(number="+81901"), ONE._replace(call_id="1.2"))
    assert len({one.number for one in known(world)}) == 2
    assert keep(world, ONE, ONE._replace(call_id="1.2", number="0902", over_at=NOON)) == 0
    assert len({one.number for one in known(world)}) == 1


def test_what_was_heard_lately_is_read_by_keys(sqlite_world: World) -> None:
    """No table that grows with the years is read as a whole."""
    recent = kept._heard().where(t.call.c.started_at >= NOON)  # noqa: SLF001
    with sqlite_world.store.read() as connection:
        words = str(recent.compile(connection, compile_kwargs={"literal_binds": True}))
        plan = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}")]
    assert not [step for step in plan if step.startswith("SCAN")], plan
