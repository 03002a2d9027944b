"""What becomes of a loss, by its facts alone: no database takes part."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callback.customers.caller import Caller, Customer, Reason
from callback.customers.loss import Doubt, Loss
from callback.losses.decide import Decision, Incident, Join, Known, Nothing, Refuse, Reserve, Standing, decide
from scheduler.promise import Promise
from tests.callback.world import MINUTE, NOON, rules

SHORT_S = 5.0
HOURS = rules().hours()
LOSS = Loss("1.1", "support", "abandoned", "gave-up", "customer", 20.0, NOON - MINUTE, NOON)
CALLER = Caller("+819012345678", None, "main", HOURS, 7)
PLEDGE = Promise(NOON, NOON, NOON + 30 * MINUTE, NOON + 60 * MINUTE, "window")
KNOWN = Known(NOON, PLEDGE)
KEPT = Promise(NOON - 20 * MINUTE, NOON - 20 * MINUTE, NOON + 10 * MINUTE, NOON + 40 * MINUTE, "window")
STANDING = Standing(3, 1, NOON - 20 * MINUTE, 0, None, NOON + 40 * MINUTE, None, None, None, KEPT)
HOLDING = Incident(None, None, "holding", NOON, (3,))
CUSTOMER = Customer(7, "+819012345678")


def decided(loss: Loss = LOSS, caller: Caller = CALLER, known: Known = KNOWN) -> Decision:
    return decide(loss, caller, known, SHORT_S)


@pytest.mark.parametrize(
    ("loss", "caller", "known", "decision"),
    [
        ({"queue": ""}, {}, {}, Nothing("no-queue")),
        ({"doubt": "unconfirmed"}, {"person": None}, {}, Nothing("unconfirmed")),
        ({"doubt": "unproved"}, {}, {}, Nothing("unproved")),
        ({"waited_s": 4.9}, {}, {}, Nothing("short-abandon")),
        ({"waited_s": 4.9, "kind": "blocked"}, {}, {}, Reserve(CUSTOMER, PLEDGE, 0)),
        ({}, {}, {"now": NOON + 61 * MINUTE}, Nothing("late-news")),
        ({}, {}, {"first_start_at": NOON + 1}, Nothing("late-news")),
        ({}, {}, {"spoken_to_since": True}, Nothing("answered-since")),
        ({}, {"e164": None, "refused": "no-number", "person": None}, {}, Nothing("no-number")),
        ({}, {"e164": None, "refused": "ambiguous-number", "person": None}, {}, Nothing("ambiguous-number")),
        ({}, {"refused": "foreign-country"}, {}, Refuse("foreign-country", CUSTOMER, PLEDGE, 0)),
        ({}, {"refused": "foreign-country", "calls_blocked": True}, {}, Refuse("foreign-country", CUSTOMER, PLEDGE, 0)),
        ({}, {"calls_blocked": True}, {"burst": True}, Refuse("number-blocked", CUSTOMER, PLEDGE, 0)),
        ({}, {}, {"burst": True}, Refuse("one-ring-burst", CUSTOMER, PLEDGE, 0)),
        ({}, {"texts_blocked": True}, {}, Reserve(CUSTOMER, PLEDGE, 0)),
        ({"waited_s": 400.0}, {}, {}, Reserve(CUSTOMER, PLEDGE, 1)),
        ({}, {}, {"cause": "c", "incident": HOLDING}, Reserve(CUSTOMER, PLEDGE, 0, "c", HOLDING)),
    ],
)
def test_one_fact_decides(
    loss: dict[str, Any], caller: dict[str, Any], known: dict[str, Any], decision: Decision
) -> None:
    assert decided(replace(LOSS, **loss), replace(CALLER, **caller), replace(KNOWN, **known)) == decision


BROKEN = replace(STANDING, deadline_at=NOON - MINUTE, kept=replace(KEPT, deadline_at=NOON - MINUTE))
SOONER = replace(PLEDGE, aim_at=NOON + 5 * MINUTE, deadline_at=NOON + 10 * MINUTE)


@pytest.mark.parametrize(
    ("standing", "pledge", "deadline_at", "flags"),
    [
        (STANDING, PLEDGE, NOON + 40 * MINUTE, ("again",)),
        (replace(STANDING, last_lost_at=NOON - 9 * MINUTE), PLEDGE, NOON + 40 * MINUTE, ()),
        (STANDING, SOONER, NOON + 10 * MINUTE, ("again",)),
        (BROKEN, PLEDGE, NOON + 60 * MINUTE, ("anew", "again")),
        (replace(BROKEN, overdue_by_at=NOON + 30 * MINUTE), PLEDGE, NOON + 30 * MINUTE, ("anew", "again")),
        (replace(BROKEN, last_lost_at=NOON - MINUTE), PLEDGE, NOON + 60 * MINUTE, ("anew", "again")),
        (replace(STANDING, slot_at=NOON + 1), SOONER, NOON + 40 * MINUTE, ("chosen", "again")),
        (replace(STANDING, slot_at=NOON), SOONER, NOON + 10 * MINUTE, ("again",)),
    ],
    ids=["kept", "soon after", "bettered", "broken", "told a time", "broken soon after", "chosen", "chosen time over"],
)
def test_one_more_loss_joins_what_stands(
    standing: Standing, pledge: Promise, deadline_at: int, flags: tuple[str, ...]
) -> None:
    join = decided(known=Known(NOON, pledge, standing=standing))
    assert isinstance(join, Join)
    assert join.pledge.deadline_at == deadline_at
    assert tuple(flag for flag in ("chosen", "anew", "again") if getattr(join, flag)) == flags


def _instants(earliest: int = -90, latest: int = 90) -> st.SearchStrategy[int]:
    return st.integers(earliest, latest).map(lambda minutes: NOON + minutes * MINUTE)


_PROMISES = st.builds(
    lambda made_at, aim_min, more_min: Promise(
        made_at, made_at, made_at + aim_min * MINUTE, made_at + (aim_min + more_min) * MINUTE, "window"
    ),
    _instants(),
    st.integers(1, 40),
    st.integers(0, 40),
)
_LOSSES = st.builds(
    Loss,
    call_id=st.just("1.1"),
    queue=st.sampled_from(["support", "support", ""]),
    kind=st.sampled_from(["abandoned", "blocked", "dropped", "silent", "requested"]),
    reason=st.none(),
    side=st.none(),
    waited_s=st.floats(0, 600),
    started_at=st.just(NOON - MINUTE),
    lost_at=_instants(-60, 5),
    doubt=st.sampled_from([None, None, None, *get_args(Doubt)]),
)
_SURE = st.builds(
    Caller,
    e164=st.just("+819012345678"),
    refused=st.sampled_from([None, None, "foreign-country", "never-in-hours"]),
    trunk=st.just("main"),
    hours=st.just(HOURS),
    person=st.just(7),
    shared=st.booleans(),
    calls_blocked=st.booleans(),
    texts_blocked=st.booleans(),
)
_NO_NUMBERS: tuple[Reason, ...] = ("no-number", "ambiguous-number", "not-a-number")
_UNSURE = st.sampled_from(_NO_NUMBERS).map(lambda why: Caller(None, why, "main", HOURS))
_STANDINGS = st.builds(
    lambda kept, slot_at, overdue_by_at, last_lost_at: Standing(
        3, 1, last_lost_at, 0, slot_at, kept.deadline_at, overdue_by_at, None, None, kept
    ),
    _PROMISES,
    st.none() | _instants(),
    st.none() | _instants(),
    _instants(-90, 0),
)
_KNOWN = st.builds(
    Known,
    now=st.just(NOON),
    pledge=_PROMISES,
    first_start_at=st.just(0) | _instants(),
    spoken_to_since=st.booleans(),
    burst=st.booleans(),
    incident=st.sampled_from([None, HOLDING]),
    standing=st.none() | _STANDINGS,
)


@given(_LOSSES, _SURE | _UNSURE, _KNOWN)
def test_the_same_facts_give_the_same_decision(loss: Loss, caller: Caller, known: Known) -> None:
    assert decided(loss, caller, known) == decided(replace(loss), replace(caller), replace(known))


@given(_LOSSES, _SURE | _UNSURE, _KNOWN)
def test_a_callback_is_owed_to_a_sure_number_alone_that_nobody_blocked(
    loss: Loss, caller: Caller, known: Known
) -> None:
    match decided(loss, caller, known):
        case Reserve() | Join() as owed:
            assert (caller.refused, caller.calls_blocked, loss.doubt, known.burst) == (None, False, None, False)
            assert owed.customer == Customer(7, "+819012345678")
            assert (known.standing is None) == isinstance(owed, Reserve)
        case Refuse():
            assert caller.person is not None, "people can release nobody without a number"
        case Nothing(why):
            assert why


@given(_LOSSES, _UNSURE, _KNOWN)
def test_for_an_unsure_number_nothing_is_ever_done(loss: Loss, caller: Caller, known: Known) -> None:
    assert isinstance(decided(loss, caller, known), Nothing)


@given(_LOSSES, _SURE, _KNOWN)
def test_what_is_gathered_later_changes_nothing_once_it_is_decided(loss: Loss, caller: Caller, known: Known) -> None:
    """So `intake.gather` may stop asking."""
    decision = decided(loss, caller, replace(known, standing=None, incident=None, cause=""))
    if not isinstance(decision, Reserve):
        assert decided(loss, caller, known) == decision
    if isinstance(decision, Nothing):
        worse = replace(caller, refused="pager", calls_blocked=True)
        assert decided(loss, worse, replace(known, burst=True)) == decision


@given(_LOSSES, _SURE, _KNOWN)
def test_a_promise_that_stands_is_never_moved_later(loss: Loss, caller: Caller, known: Known) -> None:
    join = decided(loss, caller, known)
    if isinstance(join, Join) and not join.anew:
        assert join.pledge.deadline_at <= join.standing.kept.deadline_at
