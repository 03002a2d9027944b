"""A callback is offered in the dialplan only where it would be kept."""

import pytest

from callback.attempts import offer
from callback.customers.hours import hours_of
from callback.settings.rules import QueueRules, SiteRules
from callback.settings.sections import Trunk
from callback.site.context import Site
from tests.callback.world import ON, at, rules

WATCHED = QueueRules()
TRIED = ON.model_copy(update={"only_numbers": ("+819012345678",)})


def site(of: SiteRules) -> Site:
    return Site("main", {"main": Trunk(region="JP")}, of, 1, of.hours(), hours_of(of))


def test_only_queues_that_are_switched_on_for_everybody_offer_it() -> None:
    some = rules(queues={"support": ON, "sales": WATCHED, "trial": TRIED})
    assert offer.queues(site(some), at("12:00")) == ["support"]


@pytest.mark.parametrize(
    ("clock", "offered"), [("07:59", False), ("08:00", True), ("20:50", True), ("21:24", True), ("21:26", False)]
)
def test_it_is_offered_while_he_would_be_called_today(clock: str, offered: bool) -> None:
    assert bool(offer.queues(site(rules()), at(clock))) == offered


def test_it_is_not_offered_when_closed() -> None:
    weekdays = rules(opening={"monday": "09:00-18:00"})
    assert [bool(offer.queues(site(weekdays), at(clock))) for clock in ("12:00", "18:30")] == [True, False]
