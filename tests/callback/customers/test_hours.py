"""A phone rings by the hours where it is: from the number and the rules to the promise, the claim and the last ring."""

from __future__ import annotations

from datetime import date, time
from typing import Any

import pytest
from pydantic import ValidationError

from callback.customers.hours import hours_of, place
from callback.settings.rules import QuietRules, SiteRules
from callback.settings.sections import PbxWiring, Settings, Trunk
from callback.store import tables as t
from tests.callback.world import ABROAD, MINUTE, NOON, ON, US, World, at, call, rules

NEW_YORKER, ANGELENO = "+12125550123", "+13105550123"


@pytest.fixture
def world(migrated_url: str) -> Any:
    """A site in Tokyo that calls America too."""
    made = World(migrated_url, rules(), trunks={"main": ABROAD})
    yield made
    made.close()


@pytest.mark.parametrize(
    ("e164", "country", "zones"),
    [
        ("+81312345679", "JP", ["Asia/Tokyo"]),
        ("+819012345678", "JP", ["Asia/Tokyo"]),
        (NEW_YORKER, "US", ["America/New_York"]),
        (ANGELENO, "US", ["America/Los_Angeles"]),
        ("+351912345678", "PT", ["Atlantic/Azores", "Europe/Lisbon"]),  # a mobile: anywhere in its country
        ("+18005550123", "US", []),  # answered anywhere
        ("+870773111632", "", []),
        ("erased:12ab", "", []),
        (None, "", []),
    ],
)
def test_the_number_tells_country_and_zones(e164: str | None, country: str, zones: list[str]) -> None:
    found = place(e164)
    assert [zone.key for zone in found.zones] == zones
    assert found.country in {country, "001"}


def test_a_number_of_the_sites_own_zone_has_the_sites_hours() -> None:
    site = rules()
    there = hours_of(site)
    assert there("+819012345678", "main") is there(None, "main") is there("+18005550123", "main")
    assert there(NEW_YORKER, "main") is there("+12125550199", "main")
    assert there(NEW_YORKER, "main") is not there(None, "main")


def test_country_and_trunk_have_quiet_hours_of_their_own() -> None:
    strict = QuietRules(
        no_ring_after=time(20), days=("monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
    )
    site = rules(countries={"US": strict}, trunks={"night": QuietRules(no_ring_before=time(10))})
    there = hours_of(site)
    nine_in_new_york, eight_in_the_evening = at("23:00"), at("10:00", day=24)
    assert there(NEW_YORKER, "main").may_ring(nine_in_new_york)
    assert not there(NEW_YORKER, "night").may_ring(nine_in_new_york)
    assert not there(NEW_YORKER, "main").may_ring(eight_in_the_evening)
    assert not there(NEW_YORKER, "main").may_ring(at("23:00", day=22))  # a Sunday there
    assert not there("+819012345678", "night").may_ring(at("09:59"))
    assert there("+819012345678", "main").may_ring(at("09:59"))


def test_he_is_promised_by_his_clock_and_called_then(world: World) -> None:
    """Noon in Tokyo is ten in the evening in New York."""
    world.hear(call(NEW_YORKER))
    (row,) = world.reservations()
    assert (row.clock_starts_at, row.not_before_at, row.deadline_at) == (at("22:00"), at("22:00"), at("23:00"))
    assert world.claim(at("22:00") - US) is None
    assert world.claim(at("22:00") + US) is None, "the PBX's clock may be two seconds behind"
    order = world.claim(at("22:00") + 2 * US)
    assert order is not None
    assert order.dial == "PJSIP/01012125550123@trunk"


def test_the_last_second_of_a_ring_is_by_his_clock(world: World) -> None:
    lost_at = at("11:00", day=24)  # 21:00 in New York
    world.hear(call(NEW_YORKER, ended_at=lost_at))
    (row,) = world.reservations()
    cut = at("11:30", day=24)
    assert row.deadline_at == cut
    order = world.claim(cut - 20 * US)
    assert order is not None
    assert order.ring_until == cut // US - 2
    (attempt,) = world.attempts()
    assert attempt.ring_until_at < cut


def test_what_is_left_at_his_cut_is_carried_to_his_morning(world: World) -> None:
    cut = at("11:30", day=24)
    world.hear(call(NEW_YORKER, ended_at=at("11:00", day=24)))
    world.hear(call("09012345678", ended_at=at("10:00", day=24)))
    world.carry_over(cut)
    his, other = world.reservations()
    assert (his.not_before_at, his.deadline_at) == (at("22:00", day=24), at("23:00", day=24))
    assert other.deadline_at == at("11:00", day=24)


def test_a_retry_waits_for_his_hours(world: World) -> None:
    world.hear(call(NEW_YORKER, ended_at=at("11:10", day=24)))
    order = world.claim(at("11:20", day=24))
    assert order is not None
    world.end(order.attempt, "no-answer", at("11:21", day=24))
    (row,) = world.reservations()
    assert row.not_before_at == at("22:00", day=24)


def test_who_is_due_by_other_rules_is_not_called_and_keeps_nobody_waiting(world: World) -> None:
    """As after a change of the rules: the lane holds somebody whom nobody may ring now."""
    world.hear(call(NEW_YORKER, ended_at=NOON - MINUTE))
    world.hear(call("09012345678"))
    with world.store.write() as connection:
        early = {"not_before_at": NOON, "clock_starts_at": NOON - MINUTE, "aim_at": NOON + 10 * MINUTE, "severity": 99}
        connection.execute(t.reservation.update().where(t.reservation.c.id == 1).values(early))
    order = world.claim(NOON + MINUTE)
    assert order is not None
    assert order.agent_sees == "+819012345678"
    assert world.claim(NOON + 2 * MINUTE) is None


def test_whose_hours_never_meet_the_sites_is_refused_and_not_lost_sight_of(migrated_url: str) -> None:
    site = rules(opening=dict.fromkeys(("monday", "tuesday", "wednesday"), "12:00-15:00"))
    world = World(migrated_url, site, trunks={"main": ABROAD})
    world.hear(call(NEW_YORKER))
    (row,) = world.reservations()
    assert (row.state, world.rows(t.call)[0].recovery) == ("refused", "never-in-hours")
    world.close()


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"countries": {"XX": {"no_ring_after": "20:00"}}}, "no country of ISO 3166"),
        ({"countries": {"US": {}}}, "say no_ring_after, no_ring_before or days"),
        ({"countries": {"US": {"no_ring_after": "20:00", "no_ring_before": "20:00"}}}, "let the two times differ"),
        ({"trunks": {"main": {"days": ["sun"]}}}, "'sun' is no weekday"),
        ({"trunks": {"main": {"days": []}}}, "days must name a weekday"),
        ({"holidays_of": "Japan"}, "holidays_of"),
        ({"holidays_of": "XX"}, "as in JP"),
        ({"holidays_of": "CN", "no_holidays": ["2026-02-14"]}, r"2026-02-14 is no holiday of CN.*\[rules.special\]"),
        ({"no_holidays": ["2026-02-14"]}, r"2026-02-14 is no holiday\. To work"),
        ({"special": {"2026-02-14": "9 to 6"}}, "opening hours '9 to 6' cannot be read"),
        ({"special": {"14.2.2026": "09:00-18:00"}}, "special"),
    ],
)
def test_rules_that_nobody_could_mean_are_refused(given: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        SiteRules(zone="UTC", queues={"support": ON}, **given)


def test_quiet_hours_of_a_trunk_that_is_none_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"rules\.trunks\.east.*there are west"):
        Settings(
            pbx=PbxWiring(username="u", secret="s"),  # noqa: S106
            trunks={"west": Trunk(region="US")},
            rules=SiteRules(zone="UTC", trunks={"east": QuietRules(no_ring_after=time(20))}),
        )


def test_public_holidays_close_the_site_unless_it_works() -> None:
    tokyo: dict[str, Any] = {"zone": "Asia/Tokyo", "holidays_of": "JP"}
    assert not SiteRules(**tokyo).hours().open(NOON)  # Labour Thanksgiving Day
    assert SiteRules(**tokyo, no_holidays=(date(2026, 11, 23),)).hours().open(NOON)
    assert not SiteRules(**tokyo, holidays=(date(2026, 11, 24),)).hours().open(at("12:00", day=24))


def test_one_days_own_hours_win_over_weekday_and_holiday() -> None:
    weekdays = dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), "09:00-18:00")
    own = {date(2026, 11, 22): "09:00-18:00", date(2026, 11, 23): "09:00-11:00", date(2026, 11, 24): ""}
    made = SiteRules(zone="Asia/Tokyo", holidays_of="JP", opening=weekdays, special=own)
    kept = SiteRules.model_validate_json(made.model_dump_json()).hours()  # as rules are kept in the database
    assert [kept.open(at("10:00", day=day)) for day in (21, 22, 23, 24, 25)] == [False, True, True, False, True]
    assert not kept.open(NOON)
    closed = [day for day in (21, 22, 23, 24, 25) if date(2026, 11, day) in kept.holidays]
    assert closed == [24], "so do forecasts: a holiday on which the site works is none"
