"""The life of a reservation: its table, and what no sequence of events can do to it."""

from __future__ import annotations

from contextlib import suppress
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callback.errors import IllegalTransition
from callback.reservations.moves import move
from callback.reservations.states import STATES, TABLE, Event, State, after, is_open
from callback.store import tables as t
from callback.store.tables import RESERVATION_STATES
from tests.callback.world import MINUTE, NOON, World, call

EVENTS: tuple[Event, ...] = get_args(Event)
OPEN = {"waiting", "held", "calling"}  # we owe him a call, or are just making it
LEGAL = [(state, event, following) for state, row in TABLE.items() for event, following in row.items()]
ILLEGAL = [(state, event) for state in STATES for event in EVENTS if event not in TABLE[state]]


def test_every_state_has_a_row_and_every_event_a_place() -> None:
    assert set(TABLE) == set(get_args(State))
    assert {event for _, event, _ in LEGAL} == set(EVENTS)
    assert {following for _, _, following in LEGAL} <= set(TABLE)


def test_a_reservation_is_open_exactly_while_something_is_owed() -> None:
    assert {state for state in STATES if is_open(state)} == OPEN


def test_every_state_follows_from_another_but_for_those_that_are_no_step_of_a_life() -> None:
    assert set(STATES) - {following for _, _, following in LEGAL} == {"refused", "continued"}


def test_only_a_dialled_reservation_can_be_reached() -> None:
    assert {state for state, event, _ in LEGAL if event == "reached"} == {"calling"}


@pytest.mark.parametrize(("state", "event"), ILLEGAL)
def test_an_event_that_a_state_does_not_know_raises(state: State, event: Event) -> None:
    with pytest.raises(IllegalTransition, match=f"'{state}' does not know '{event}'"):
        after(state, event)


@given(st.sampled_from(["waiting", "refused"]), st.lists(st.sampled_from(EVENTS), max_size=30))
def test_whatever_happens_states_stay_legal_and_what_is_closed_stays_closed(state: State, events: list[Event]) -> None:
    for event in events:
        before = state
        with suppress(IllegalTransition):
            state = after(state, event)
        assert state in TABLE
        if before not in OPEN:
            assert state == before


def test_an_illegal_event_leaves_the_row_as_it_was(world: World) -> None:
    world.hear(call())
    (row,) = before = world.reservations()
    with pytest.raises(IllegalTransition), world.store.write() as connection:
        move(world.work(connection, NOON + MINUTE), row.id, "reached", tries=9)
    assert world.reservations() == before


@pytest.mark.parametrize(("state", "event", "following"), LEGAL)
def test_the_open_column_follows_the_table(sqlite_world: World, state: State, event: Event, following: State) -> None:
    sqlite_world.hear(call())
    with sqlite_world.store.write() as connection:
        connection.execute(t.reservation.update().values(state=state, open=is_open(state)))
        (row,) = connection.execute(t.reservation.select())
        assert move(sqlite_world.work(connection, NOON + MINUTE), row.id, event) == following
    (row,) = sqlite_world.reservations()
    assert (row.state, row.open, row.state_since_at) == (following, following in OPEN, NOON + MINUTE)


def test_the_table_takes_exactly_the_states_of_the_rule() -> None:
    assert set(RESERVATION_STATES) == set(STATES)
