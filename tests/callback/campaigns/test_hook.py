"""Who still calls is told while a campaign says so, and its answers belong to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from callback.campaigns import hook, waves
from callback.campaigns.campaign import CampaignFault, NoSuchCampaign
from callback.campaigns.criteria import Criteria
from callback.decisions import replies
from callback.decisions.campaigns import acts
from callback.reports.campaigns import progress
from callback.service.jobs.care.campaigns import HOOK_LASTS_S, TellCallers
from callback.settings.care import QueueCare
from scheduler.clock import DAY, HOUR, SECOND
from sms.inbound import Inbound
from telephony.simulator.server import Simulator
from tests.callback.campaigns.told import ALL, BY, ON, do, draft, running, site
from tests.callback.service.jobs.parts import actions, now_us, parts, rules, run
from tests.callback.world import NOON, World, call

LED = ON.model_copy(update={"care": QueueCare(campaigns=True, hook_queue="crisis")})
OF_SALES = Criteria(from_at=ALL.from_at, until_at=ALL.until_at, queues=("sales",))


def test_callers_of_the_queues_that_were_hit_are_led_for_a_while(migrated_url: str) -> None:
    """Before it is started, too; and not after that time, nor when somebody says so."""
    world = World(migrated_url, site(queues={"support": LED, "sales": ON}))
    number = do(world, acts.make, draft(criteria=OF_SALES), BY)
    assert do(world, hook.queues) == {}
    assert do(world, acts.tell_callers, number, HOUR, BY) == NOON + HOUR
    assert do(world, hook.queues) == {"support": "crisis", "sales": "crisis"}
    assert do(world, hook.queues, now=NOON + HOUR) == {}
    do(world, acts.tell_callers, number, None, BY)
    assert do(world, hook.queues) == {}


def test_nobody_is_told_for_ever(sqlite_world: World) -> None:
    world = World(sqlite_world.store.url, site())
    number = do(world, acts.make, draft(), BY)
    with pytest.raises(CampaignFault, match="72 hours"):
        do(world, acts.tell_callers, number, 4 * DAY, BY)


def test_the_dialplan_is_told_again_and_again(sqlite_world: World, tmp_path: Path) -> None:
    world = World(sqlite_world.store.url, rules({"support": LED}), now=now_us())
    now = now_us()
    wanted = Criteria(from_at=now - HOUR, until_at=now)
    number = do(world, acts.make, draft(criteria=wanted), BY, now=now)
    do(world, acts.tell_callers, number, HOUR, BY, now=now)

    async def main() -> None:
        async with Simulator() as simulator, parts(world, tmp_path, simulator) as made:
            await TellCallers(made.pbx, made.transactions).run()
            (told,) = actions(simulator, "Setvar")
            until, _, queue = told.get("Value").partition(" ")
            assert (told.get("Variable"), queue) == ("LCR_INCIDENT_support", "crisis")
            assert abs(int(until) - now_us() / SECOND - HOOK_LASTS_S) < 15

    run(main())


def test_what_people_answer_belongs_to_the_campaign(migrated_url: str) -> None:
    """Also of somebody who never called, whom a file named: the answer is shown, and answered in the queue's name."""
    world = World(migrated_url, site())
    world.hear(call("09012345678", NOON))
    number = do(world, acts.make, draft(), BY)
    do(world, acts.add_numbers, number, do(world, acts.read_numbers, b"number\n09099999999\n"), BY)
    do(world, acts.build, number, BY)
    do(world, acts.start, number, BY)
    do(world, waves.tend, now=NOON + SECOND)
    for sid, sender in enumerate(("+819012345678", "+819099999999", "+819088888888")):
        text = Inbound(
            account="main", sid=f"SM{sid}", from_number=sender, to_number="", body="When does it work again?"
        )
        said = do(world, replies.take, text, now=NOON + HOUR)
        assert (said is None) == (sender == "+819088888888"), "nobody is texted whom we do not know"
    one = do(world, progress.one, number)
    assert [answer.e164 for answer in do(world, progress.answers, one)] == ["+819099999999", "+819012345678"]
    assert do(world, progress.progress, one).answers == {"unclear": 2}
    assert [found.id for found in do(world, progress.campaigns)] == [number]


def test_only_who_sees_its_group_sees_it(migrated_url: str) -> None:
    world = World(migrated_url, site(queues={"support": ON, "sales": ON.model_copy(update={"group": "sales"})}))
    number = running(world)
    with pytest.raises(NoSuchCampaign):
        do(world, acts.stop, number, BY, groups=frozenset({"sales"}))
    with pytest.raises(CampaignFault, match="another group"):
        do(world, acts.make, draft(criteria=OF_SALES), BY, groups=frozenset({"site"}))
    with pytest.raises(CampaignFault, match="name the queues"):
        do(world, acts.make, draft(), BY, groups=frozenset({"site"}))
    assert do(world, progress.campaigns, frozenset({"sales"})) == []
