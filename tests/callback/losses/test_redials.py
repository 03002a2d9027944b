"""Who calls again before we called him is known by his number, however it is signalled."""

from __future__ import annotations

import pytest

from callback.losses import redials
from callback.store import tables as t
from tests.callback.world import MINUTE, NOON, World, call, rules


def owed(world: World, number: str, queue: str = "support") -> bool:
    with world.store.read() as connection:
        return redials.owed(connection, world.site, number, queue, "PJSIP/trunk-00000007") is not None


@pytest.mark.parametrize("number", ["09012345678", "+819012345678", "819012345678"])
def test_who_is_owed_a_callback_is_known_in_every_form_of_his_number(world: World, number: str) -> None:
    world.hear(call("09012345678"))
    assert owed(world, number)
    assert owed(world, number, "sales"), "another queue of the group"


@pytest.mark.parametrize("number", ["09012345679", "", "anonymous", "1011"])
def test_nobody_else_is(world: World, number: str) -> None:
    world.hear(call("09012345678"))
    assert not owed(world, number)


def test_who_was_served_meanwhile_is_owed_nothing(world: World) -> None:
    world.hear(call())
    world.hear(call(ended_at=NOON + MINUTE, talked_s=30), "served")
    assert not owed(world, "09012345678")


def test_a_company_is_not_one_caller(world: World) -> None:
    world.hear(call())
    with world.store.write() as connection:
        connection.execute(t.person.update().values(shared=True))
    assert not owed(world, "09012345678")


def test_another_group_owes_him_nothing(migrated_url: str) -> None:
    site = rules()
    queues = {**site.queues, "shop": site.queues["sales"].model_copy(update={"group": "shop"})}
    world = World(migrated_url, rules(queues=queues))
    world.hear(call())
    assert not owed(world, "09012345678", "shop")
    world.close()


@pytest.mark.parametrize("learnt_min", [50, -800], ids=["as from a log", "by a clock that is far behind"])
def test_who_was_spoken_to_before_the_loss_was_heard_of_is_owed_nothing(world: World, learnt_min: int) -> None:
    world.hear(call(ended_at=NOON + 40 * MINUTE, talked_s=30), "served")
    world.hear(call(ended_at=NOON), now=NOON + learnt_min * MINUTE)
    assert {row.recovery for row in world.rows(t.call)} == {"none", "answered-since"}
    assert world.reservations() == []
