"""A callback is offered in the dialplan only where it would be kept."""

import pytest

from callback.attempts import offer
from callback.customers.hours import hours_of
from callback.settings.rules import QueueRules, ShiftRules
from callback.settings.sections import Trunk
from callback.site.context import Shift
from tests.callback.world import ON, at, rules

WATCHED = QueueRules()
TRIED = ON.model_copy(update={"only_numbers": ("+819012345678",)})


def shift(site: ShiftRules) -> Shift:
    return Shift("main", {"main": Trunk(region="JP")}, site, 1, site.hours(), hours_of(site))


def test_only_queues_that_are_switched_on_for_everybody_offer_it() -> None:
    site = rules(queues={"support": ON, "sales": WATCHED, "trial": TRIED})
    assert offer.queues(shift(site), at("12:00")) == ["support"]


@pytest.mark.parametrize(
    ("clock", "offered"), [("07:59", False), ("08:00", True), ("20:50", True), ("21:24", True), ("21:26", False)]
)
def test_it_is_offered_while_he_would_be_called_today(clock: str, offered: bool) -> None:
    assert bool(offer.queues(shift(rules()), at(clock))) == offered


def test_it_is_not_offered_when_closed() -> None:
    site = rules(opening={"monday": "09:00-18:00"})
    assert [bool(offer.queues(shift(site), at(clock))) for clock in ("12:00", "18:30")] == [True, False]
