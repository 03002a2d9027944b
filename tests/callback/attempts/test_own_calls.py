"""An agent rings the customer by hand: what that settles, what it only delays, and what it must not touch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from callback.attempts import own_calls, snapshot
from callback.customers import numbers
from callback.decisions import actions
from callback.events import Happened
from callback.reports import rates
from callback.reservations import times
from callback.settings.sections import Trunk
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import By
from telephony.calls.facts.agent_call import AgentCall
from telephony.pbx import Stretch
from tests.callback.service.test_commit_process import Office
from tests.callback.service.test_committer import Desk
from tests.callback.world import MINUTE, NOON, US, World, at, call, picture, rules

RANG = NOON + MINUTE
OVER = RANG + 20 * US
TALKED = AgentCall(
    call_id="1795307000.1",
    phone="PJSIP/agent1-00000001",
    channel="PJSIP/trunk-00000002",
    dial_string="09012345678@trunk",
    dialled_at=RANG,
    ended_at=OVER,
    talked_at=RANG + 5 * US,
    talked_s=15.0,
)


@pytest.fixture
def lost(world: World) -> World:
    """Lost in support, whose agent is at PJSIP/agent1; sales is another group, with PJSIP/agent2."""
    settle_by(world)
    world.hear(call())
    with world.store.write() as connection:
        phones = {"support": frozenset({"PJSIP/agent1"}), "sales": frozenset({"PJSIP/agent2"})}
        snapshot.store(connection, "main", replace(picture(), phones=phones), NOON)
    return world


def settle_by(world: World, **changes: Any) -> None:
    site = rules(**changes)
    queues = {**site.queues, "sales": site.queues["sales"].model_copy(update={"group": "sales"})}
    world.site = replace(world.site, rules=site.model_copy(update={"queues": queues}))


def heard(world: World, now: int = OVER, **changes: Any) -> list[Happened]:
    def done(connection: Any) -> list[Happened]:
        work = world.work(connection, now)
        own_calls.heard(work, replace(TALKED, **changes))
        own_calls.audited(work)
        return work.told

    return world.store.transact(done)


def states(world: World) -> list[str]:
    return [row.state for row in world.reservations()]


def test_who_was_talked_with_is_owed_nothing_more(lost: World) -> None:
    (told,) = heard(lost)
    assert (told.name, told.facts["phone"], told.facts["talked_s"]) == ("called-by-hand", "PJSIP/agent1", 15.0)
    assert states(lost) == ["done-elsewhere"]
    assert set(lost.texts().values()) == {"withdrawn"}
    (row,) = lost.rows(t.audit)
    assert (row.who, row.action, row.reservation_id) == ("service", "called-by-hand", 1)
    assert lost.claim(OVER + 10 * MINUTE) is None


def test_it_is_committed_with_what_else_was_heard(lost: World) -> None:
    desk = Desk(lost)
    desk.write(Stretch((), (), 10, agent_calls=(TALKED,)))
    assert (desk.events, states(lost)) == (["called-by-hand"], ["done-elsewhere"])
    assert len(lost.rows(t.audit)) == 1


def test_the_process_that_commits_knows_it_too(lost: World) -> None:
    async def work(office: Office) -> None:
        await office.commit(Stretch((), (), 10, agent_calls=(TALKED,)))

    lost.settings = lost.settings.model_copy(update={"rules": lost.site.rules})
    Office(lost).during(work)
    assert states(lost) == ["done-elsewhere"]


def test_it_counts_as_dialled_reached_and_closed(lost: World) -> None:
    heard(lost)
    with lost.store.read() as connection:
        whole, *_ = rates.rates(connection, "main", 0, NOON + 61 * MINUTE)
    assert (whole.valid, whole.dialled_30, whole.reached_30, whole.closed_30) == (1, 1, 1, 1)


def test_what_people_did_elsewhere_is_closed_and_not_reached(lost: World) -> None:
    with lost.store.write() as connection:
        actions.done_elsewhere(Work(connection, lost.site, OVER), 1, By("anna", "by mail"))
    with lost.store.read() as connection:
        whole, *_ = rates.rates(connection, "main", 0, NOON + 61 * MINUTE)
    assert (whole.dialled_30, whole.reached_30, whole.closed_30) == (0, 0, 1)


LESS: dict[str, dict[str, Any]] = {
    "a talk that was too short": {"talked_s": 9.9},
    "nobody answered": {"talked_at": None, "talked_s": 0.0},
    "one side was mute": {"mute": "customer"},
    "a phone of no queue": {"phone": "PJSIP/accounts-00000001"},
    "an agent of another group": {"phone": "PJSIP/agent2-00000001"},
    "a caller who was sent on": {"phone": "PJSIP/trunk-00000001"},
    "a program's channel": {"phone": "Local/s@crm-00000001;1"},
    "a number that the trunk does not write so": {"dial_string": "trunk/sip:09012345678@carrier"},
    "digits in another form": {"dial_string": "819012345678@trunk"},
}


@pytest.mark.parametrize("changes", LESS.values(), ids=LESS)
def test_less_than_a_talk_with_an_agent_only_gives_a_rest(lost: World, changes: dict[str, Any]) -> None:
    (told,) = heard(lost, **changes)
    assert (told.name, told.facts["until_at"]) == ("rests-after-own-call", OVER + MINUTE)
    assert states(lost) == ["waiting"]
    assert lost.rows(t.audit) == []
    assert lost.claim(OVER + MINUTE - 1) is None
    assert lost.claim(OVER + MINUTE) is not None


@pytest.mark.parametrize("dialled", ["09012345679@trunk", "agent2", "*69@trunk", "1@trunk", "", "8190@trunk"])
def test_another_number_is_another_persons_affair(lost: World, dialled: str) -> None:
    assert heard(lost, dial_string=dialled) == []
    assert lost.claim(OVER) is not None


def test_a_loss_after_the_talk_is_answered_by_nothing(lost: World) -> None:
    lost.hear(call(ended_at=OVER + MINUTE))
    assert heard(lost, OVER + 2 * MINUTE) == []  # heard only now, from the journal: its rest is over too
    assert states(lost) == ["waiting"]


def test_a_switchboards_number_is_many_people(lost: World) -> None:
    with lost.store.write() as connection:
        connection.execute(t.person.update().values(shared=True))
    assert [told.name for told in heard(lost)] == ["rests-after-own-call"]


def test_in_another_group_the_same_customer_is_still_owed_a_callback(lost: World) -> None:
    lost.hear(call(queue="sales"))
    assert [told.name for told in heard(lost)] == ["called-by-hand", "rests-after-own-call"]
    assert states(lost) == ["done-elsewhere", "waiting"]


def test_heard_twice_it_changes_nothing_more(lost: World) -> None:
    heard(lost)
    assert heard(lost) == []
    lost.hear(call(ended_at=OVER + MINUTE))
    assert heard(lost, OVER + 2 * MINUTE) == []
    assert states(lost) == ["done-elsewhere", "waiting"]


def test_a_rest_is_given_once_for_each_call_and_never_shortens_a_wait(lost: World) -> None:
    assert len(heard(lost, talked_s=1.0)) == 1
    assert heard(lost, talked_s=1.0) == []
    with lost.store.write() as connection:
        times.change(connection, 1, put_off_until_at=at("15:00"))
    assert heard(lost, talked_s=1.0) == []


def test_while_we_look_for_an_agent_it_settles_all_the_same(lost: World) -> None:
    order = lost.claim(RANG)
    assert order is not None
    assert [told.name for told in heard(lost)] == ["called-by-hand"]
    lost.end(order.attempt, "agent-cancelled", OVER + US)
    assert states(lost) == ["done-elsewhere"]


def test_who_was_given_up_is_not_told_so_any_more(lost: World) -> None:
    settle_by(lost, max_tries=1)
    order = lost.claim(NOON)
    assert order is not None
    lost.end(order.attempt, "no-answer", NOON + 30 * US)
    assert heard(lost) == []
    assert states(lost) == ["given-up"]
    assert lost.texts()["given-up/1"] == "withdrawn"


SETTINGS: list[tuple[dict[str, Any], str, list[str], list[str]]] = [
    ({"own_calls": "grace"}, "PJSIP/agent1-00000001", ["rests-after-own-call"], ["waiting"]),
    ({"own_calls": "grace", "own_call_grace_s": 0}, "PJSIP/agent1-00000001", [], ["waiting"]),
    ({"own_calls": "ignore"}, "PJSIP/agent1-00000001", [], ["waiting"]),
    ({"own_calls": "settle-any-phone"}, "SCCP/accounts-00000001", ["called-by-hand"], ["done-elsewhere"]),
    ({"own_calls": "settle-any-phone"}, "PJSIP/trunk-00000001", ["rests-after-own-call"], ["waiting"]),
]


@pytest.mark.parametrize(("changes", "by", "events", "after"), SETTINGS)
def test_the_site_says_what_counts(
    lost: World, changes: dict[str, Any], by: str, events: list[str], after: list[str]
) -> None:
    settle_by(lost, **changes)
    assert [told.name for told in heard(lost, phone=by)] == events
    assert states(lost) == after


def test_without_a_picture_of_the_agents_nobody_is_known_as_one(world: World) -> None:
    world.hear(call())
    assert [told.name for told in heard(world)] == ["rests-after-own-call"]


@pytest.mark.parametrize(
    ("trunk", "dialled", "number"),
    [
        ({}, "09012345678@trunk", "+819012345678"),
        ({}, "0312345678@trunk", "+81312345678"),
        ({}, "9012345678@trunk", None),  # no 0 before it: another plan, or a slip
        ({}, "0109012345678@trunk", None),
        ({"prefix": "0"}, "009012345678@trunk", "+819012345678"),
        ({"prefix": "0"}, "09012345678@trunk", None),
        ({"form": "e164"}, "+819012345678@trunk", "+819012345678"),
        ({"form": "e164"}, "819012345678@trunk", None),
        ({"form": "e164-no-plus"}, "819012345678@trunk", "+819012345678"),
        ({"form": "e164-no-plus", "dial": "SIP/carrier/{number}"}, "carrier/819012345678", "+819012345678"),
        ({"dial": "DAHDI/g1/{number}"}, "g1/09012345678", "+819012345678"),
        ({"dial": "DAHDI/g1/{number}"}, "g2/09012345678", None),
        ({"region": "DE", "form": "e164-no-plus"}, "4915112345678@trunk", "+4915112345678"),
        ({"region": "DE"}, "015112345678@trunk", "+4915112345678"),
        ({"region": "US"}, "2125551234@trunk", "+12125551234"),
        ({"region": "US"}, "12125551234@trunk", "+12125551234"),
        ({}, "+819012345678@trunk", "+819012345678"),
        ({}, "110@trunk", None),
        ({}, "09012345678@trunk&PJSIP/1@trunk", None),
        ({}, "٠٩٠١٢٣٤٥٦٧٨@trunk", None),
    ],
)
def test_what_was_dialled_is_read_by_the_trunks_own_rules(
    trunk: dict[str, Any], dialled: str, number: str | None
) -> None:
    site = Trunk(**{"channel": "PJSIP/trunk", "region": "JP", "form": "national", **trunk})
    assert numbers.dialled(dialled, site) == number


def test_a_number_dialled_with_the_trunks_prefix_is_on_the_line() -> None:
    site = Trunk(channel="PJSIP/trunk", region="JP", form="national", prefix="9")
    assert "+819012345678" in numbers.on_the_line("909012345678", site)
    assert "+819012345678" in numbers.perhaps_dialled("909012345678@trunk", site)
    assert "+819012345678" in numbers.on_the_line("09012345678", site)


@pytest.mark.parametrize("form", ["national", "e164", "e164-no-plus"])
@pytest.mark.parametrize(
    ("region", "number"),
    [("JP", "+819012345678"), ("US", "+12125551234"), ("FR", "+33612345678"), ("DE", "+493012345")],
)
def test_what_we_would_dial_ourselves_is_read_as_that_number_or_not_at_all(form: str, region: str, number: str) -> None:
    site = Trunk(channel="PJSIP/trunk", region=region, form=form, prefix="0")  # type: ignore[arg-type]
    dialled = numbers.dial_string(number, site).partition("/")[2]
    assert numbers.dialled(dialled, site) in (number, None)
    assert number in numbers.perhaps_dialled(dialled, site)
