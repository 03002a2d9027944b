"""By when a lost caller is called back."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scheduler import clock
from scheduler.clock import DAY, HOUR, MINUTE, SECOND
from scheduler.errors import SchedulerError
from scheduler.hours import Hours, spans
from scheduler.promise import (
    Facts,
    Promise,
    PromiseTerms,
    apology,
    carry,
    late_news,
    measured,
    merge,
    missed,
    not_before,
    promise,
    slot,
    tried_sooner,
)
from tests.scheduler.moments import at, hours, instants, shown, zones

SITE = Hours(clock.zone("Asia/Shanghai"))
TERMS = PromiseTerms()
LUNCH = Hours(SITE.zone, dict.fromkeys(range(5), spans("09:00-12:00, 13:00-18:00")))
FRIDAY = "2025-11-21 "


@pytest.mark.parametrize(
    ("lost", "starts", "aim", "deadline", "reason"),
    [
        ("10:00", FRIDAY + "10:00", FRIDAY + "10:30", FRIDAY + "11:00", "window"),
        ("20:30", FRIDAY + "20:30", FRIDAY + "21:00", FRIDAY + "21:30", "window"),  # the last that fits
        ("20:35", FRIDAY + "20:35", FRIDAY + "21:05", FRIDAY + "21:30", "evening"),
        ("21:10", FRIDAY + "21:10", FRIDAY + "21:30", FRIDAY + "21:30", "evening"),
        ("21:24:59", FRIDAY + "21:24:59", FRIDAY + "21:30", FRIDAY + "21:30", "evening"),
        ("21:25:01", "2025-11-22 08:00", "2025-11-22 08:30", "2025-11-22 09:00", "carried-over"),  # under 5 min left
        ("21:29:48", "2025-11-22 08:00", "2025-11-22 08:30", "2025-11-22 09:00", "carried-over"),
        ("21:30", "2025-11-22 08:00", "2025-11-22 08:30", "2025-11-22 09:00", "carried-over"),
        ("23:59:59", "2025-11-22 08:00", "2025-11-22 08:30", "2025-11-22 09:00", "carried-over"),
        ("07:59", FRIDAY + "08:00", FRIDAY + "08:30", FRIDAY + "09:00", "carried-over"),
        ("08:00", FRIDAY + "08:00", FRIDAY + "08:30", FRIDAY + "09:00", "window"),
    ],
)
def test_what_is_promised_on_an_ordinary_friday(lost: str, starts: str, aim: str, deadline: str, reason: str) -> None:
    made = promise("abandoned", at(FRIDAY + lost), at(FRIDAY + lost) + SECOND, SITE, TERMS)
    assert made.made_at == at(FRIDAY + lost) + SECOND
    assert (shown(made.clock_starts_at), shown(made.aim_at), shown(made.deadline_at)) == (
        starts,
        aim,
        deadline,
    )
    assert made.reason == reason


@pytest.mark.parametrize(
    ("lost", "aim", "deadline", "reason"),
    [
        ("11:45", FRIDAY + "12:00", FRIDAY + "12:00", "evening"),  # nobody calls during lunch
        ("12:10", FRIDAY + "13:30", FRIDAY + "14:00", "carried-over"),
        ("17:54:59", FRIDAY + "18:00", FRIDAY + "18:00", "evening"),
        ("17:55:01", "2025-11-24 09:30", "2025-11-24 10:00", "carried-over"),
        ("11:58", FRIDAY + "13:30", FRIDAY + "14:00", "carried-over"),  # nor in the last minutes before lunch
    ],
)
def test_closing_is_a_cut_like_the_evening(lost: str, aim: str, deadline: str, reason: str) -> None:
    made = promise("blocked", at(FRIDAY + lost), at(FRIDAY + lost), LUNCH, TERMS)
    assert (shown(made.aim_at), shown(made.deadline_at), made.reason) == (aim, deadline, reason)


def test_a_silent_call_is_called_back_within_ten_minutes_but_after_the_night_like_any_other() -> None:
    made = promise("silent", at(FRIDAY + "21:15"), at(FRIDAY + "21:15"), SITE, TERMS)
    assert made.deadline_at == made.aim_at == at(FRIDAY + "21:25")
    assert made.reason == "window"
    carried = promise("silent", at(FRIDAY + "22:00"), at(FRIDAY + "22:00"), SITE, TERMS)
    assert carried.deadline_at == at("2025-11-22 09:00")


@pytest.mark.parametrize(
    ("kind", "lost", "reason"),
    [
        ("silent", "21:20", "window"),
        ("silent", "21:24", "evening"),
        ("silent", "21:26", "carried-over"),
        ("dropped", "21:24", "evening"),
        ("dropped", "21:26", "carried-over"),
    ],
)
def test_a_short_window_needs_as_long_before_the_cut(kind: str, lost: str, reason: str) -> None:
    made = promise(kind, at(FRIDAY + lost), at(FRIDAY + lost), SITE, TERMS)
    assert made.reason == reason


def test_a_window_that_fits_is_promised_though_it_is_shorter_than_that() -> None:
    quick = PromiseTerms(silent_s=180)
    assert promise("silent", at(FRIDAY + "21:27"), at(FRIDAY + "21:27"), SITE, quick).reason == "window"
    assert promise("silent", at(FRIDAY + "21:28"), at(FRIDAY + "21:28"), SITE, quick).reason == "carried-over"


@pytest.mark.parametrize(
    ("learnt", "reason"),
    [("21:20", "evening"), ("21:25", "evening"), ("21:27", "carried-over"), ("21:30", "evening"), ("21:40", "evening")],
)
def test_what_is_heard_of_only_shortly_before_the_cut_is_not_promised_by_it(learnt: str, reason: str) -> None:
    """Heard of after the cut it is late news, and nothing is promised."""
    made = promise("abandoned", at(FRIDAY + "21:10"), at(FRIDAY + learnt), SITE, TERMS)
    assert (made.reason, late_news(at(FRIDAY + "21:10"), at(FRIDAY + learnt), made)) == (reason, learnt == "21:40")


def test_what_is_open_at_the_cut_is_carried_once() -> None:
    first = promise("abandoned", at(FRIDAY + "20:50"), at(FRIDAY + "20:50"), SITE, TERMS)
    assert carry(first, SITE, at(FRIDAY + "21:29"), TERMS) is first  # there is still time
    carried = carry(first, SITE, at(FRIDAY + "21:29:45"), TERMS)
    assert (carried.reason, carried.made_at) == ("carried-over", at(FRIDAY + "21:29:45"))
    assert (shown(carried.clock_starts_at), shown(carried.deadline_at)) == (
        "2025-11-22 08:00",
        "2025-11-22 09:00",
    )
    assert carry(carried, SITE, at(FRIDAY + "22:00"), TERMS) is carried
    assert carry(carried, SITE, at("2025-11-22 08:20"), TERMS) is carried
    assert carry(carried, SITE, at("2025-11-22 21:30"), TERMS).deadline_at == at("2025-11-23 09:00")


@pytest.mark.parametrize(
    ("lost", "done", "is_missed"),
    [
        ("20:20", "21:20", False),
        ("20:20", "21:20:01", True),
        ("20:20", "2025-11-22 08:01", True),  # its window had fitted
        ("20:31", "21:30", False),
        ("20:31", "2025-11-22 08:59", False),  # carried over counts as carried over
        ("20:31", "2025-11-22 09:01", True),
        ("23:00", "2025-11-22 09:00", False),
        ("23:00", "2025-11-22 09:01", True),
        ("20:31", None, False),
        ("20:20", None, True),
    ],
)
def test_what_counts_as_missed(lost: str, done: str | None, is_missed: bool) -> None:
    first = promise("abandoned", at(FRIDAY + lost), at(FRIDAY + lost), SITE, TERMS)
    cut = at(FRIDAY + "21:30")
    done_at = None if done is None else at(done if "2025" in done else FRIDAY + done)
    carried = done_at is None or done_at > cut
    promises = [first, carry(first, SITE, cut, TERMS)] if carried else [first]
    assert missed(promises, done_at, now=cut) is is_missed


def test_an_evening_promise_is_not_missed_before_it_is_carried() -> None:
    first = promise("abandoned", at(FRIDAY + "21:00"), at(FRIDAY + "21:00"), SITE, TERMS)
    assert not missed([first], None, now=at(FRIDAY + "21:31"))


def test_late_news_is_learnt_after_the_deadline_or_older_than_the_service() -> None:
    lost = at(FRIDAY + "10:00")
    made = promise("abandoned", lost, lost, SITE, TERMS)
    assert not late_news(lost, made.deadline_at, made)
    assert late_news(lost, made.deadline_at + 1, made)
    assert late_news(lost, lost, made, first_start_at=lost + 1)
    assert not late_news(lost, lost, made, first_start_at=lost)
    overnight = promise("abandoned", at(FRIDAY + "22:00"), at(FRIDAY + "22:00"), SITE, TERMS)
    assert not late_news(at(FRIDAY + "22:00"), at("2025-11-22 08:30"), overnight)


def test_a_silent_call_hastens_a_standing_promise_and_a_repeated_loss_does_not() -> None:
    standing = promise("abandoned", at(FRIDAY + "10:00"), at(FRIDAY + "10:00"), SITE, TERMS)
    again = promise("abandoned", at(FRIDAY + "10:20"), at(FRIDAY + "10:20"), SITE, TERMS)
    silent = promise("silent", at(FRIDAY + "10:25"), at(FRIDAY + "10:26"), SITE, TERMS)
    assert merge(standing, again) is standing
    hastened = merge(standing, silent)
    assert hastened == Promise(
        made_at=at(FRIDAY + "10:26"),
        clock_starts_at=at(FRIDAY + "10:00"),
        aim_at=at(FRIDAY + "10:30"),
        deadline_at=at(FRIDAY + "10:35"),
        reason="window",
    )


@pytest.mark.parametrize(("kind", "minutes"), [("silent", 10), ("dropped", 30), ("abandoned", 60), ("requested", 60)])
def test_each_kind_of_loss_has_its_window(kind: str, minutes: int) -> None:
    made = promise(kind, at(FRIDAY + "10:00"), at(FRIDAY + "10:00"), SITE, TERMS)
    assert made.deadline_at == at(FRIDAY + "10:00") + minutes * MINUTE
    assert made.aim_at == min(made.deadline_at, at(FRIDAY + "10:30"))


durations = st.integers(1, 3 * 3600)


@st.composite
def terms(draw: st.DrawFn) -> PromiseTerms:
    aim = draw(durations)
    window = aim + draw(st.integers(0, 7200))
    return PromiseTerms(
        window, aim, draw(durations), draw(st.integers(0, min(window - 1, 60))), draw(durations), draw(durations)
    )


kinds = st.sampled_from(["abandoned", "blocked", "dropped", "silent", "requested"])


@given(st.data())
def test_every_promise_can_be_kept_while_phones_may_ring(data: st.DataObject) -> None:
    zone = data.draw(zones)
    site, lost, agreed = data.draw(hours(zone)), data.draw(instants(zone)), data.draw(terms())
    made = promise(data.draw(kinds), lost, lost, site, agreed)
    assert lost <= made.clock_starts_at < made.aim_at <= made.deadline_at
    assert made.deadline_at <= made.clock_starts_at + agreed.window_s * SECOND
    step = max((made.deadline_at - made.clock_starts_at) // 20, 1)
    assert all(site.may_ring(moment) for moment in range(made.clock_starts_at, made.deadline_at, step))
    assert (made.reason == "carried-over") == (made.clock_starts_at > lost)


@given(st.data())
def test_nothing_is_promised_by_a_cut_that_leaves_no_time_to_find_an_agent(data: st.DataObject) -> None:
    """In every zone, at any hours: then the next opening is promised, and said to be so."""
    zone = data.draw(zones)
    site, lost, agreed, kind = data.draw(hours(zone)), data.draw(instants(zone)), data.draw(terms()), data.draw(kinds)
    made = promise(kind, lost, lost, site, agreed)
    start_at, cut = site.stretch(lost)
    left = cut - max(lost, start_at)
    least = min(agreed.before_cut_s, agreed.window_of(kind)) * SECOND
    assert left >= least or made.clock_starts_at >= cut
    assert (made.reason == "carried-over") == (made.clock_starts_at > lost)


@given(st.data())
def test_what_is_carried_starts_when_phones_may_ring_again(data: st.DataObject) -> None:
    zone = data.draw(zones)
    site, lost, agreed = data.draw(hours(zone)), data.draw(instants(zone)), data.draw(terms())
    made = promise("abandoned", lost, lost, site, agreed)
    cut = site.cut(made.clock_starts_at)
    assume(cut is not None)
    assert cut is not None
    carried = carry(made, site, cut, agreed)
    assert carried.reason == "carried-over"
    assert carried.clock_starts_at > cut >= made.deadline_at
    assert site.may_ring(carried.clock_starts_at)
    assert carry(carried, site, carried.clock_starts_at - 1, agreed) is carried


@given(st.data())
def test_a_repeated_loss_never_moves_a_deadline_later(data: st.DataObject) -> None:
    lost = data.draw(instants("Europe/Berlin"))
    site, agreed = data.draw(hours("Europe/Berlin")), data.draw(terms())
    standing = promise(data.draw(kinds), lost, lost, site, agreed)
    for _ in range(data.draw(st.integers(1, 4))):
        lost += data.draw(st.integers(0, 6 * HOUR))
        merged = merge(standing, promise(data.draw(kinds), lost, lost, site, agreed))
        assert merged.aim_at <= standing.aim_at
        assert merged.deadline_at <= standing.deadline_at
        assert merged.clock_starts_at < merged.aim_at <= merged.deadline_at
        standing = merged


@pytest.mark.parametrize(
    ("fault", "numbers"),
    [
        ("window_s=60, aim_s=61", (60, 61, 600, 30)),
        ("aim_s=0", (60, 0, 600, 30)),
        ("silent_s=0", (60, 30, 0, 30)),
        ("least_s=60", (60, 30, 600, 60)),
        ("least_s=-1", (60, 30, 600, -1)),
        ("dropped_s=0", (60, 30, 600, 30, 0)),
    ],
)
def test_terms_that_cannot_be_kept_are_refused(fault: str, numbers: tuple[int, ...]) -> None:
    with pytest.raises(SchedulerError, match=fault):
        PromiseTerms(*numbers)


def test_a_window_longer_than_the_opening_ends_with_it() -> None:
    short = Hours(SITE.zone, {0: spans("09:00-09:40")})
    made = promise("abandoned", at("2025-11-23 12:00"), at("2025-11-23 12:00"), short, TERMS)
    assert made.deadline_at - made.clock_starts_at == 40 * MINUTE
    assert carry(made, short, made.deadline_at, TERMS).clock_starts_at == made.clock_starts_at + 7 * DAY


# When it may be called at the earliest

times = st.none() | st.integers(0, 1000)


@given(st.integers(0, 1000), times, times, times)
def test_no_fact_gives_way_to_another(clock_starts_at: int, put_off: int | None, tried: int | None, quiet: int) -> None:
    facts = Facts(clock_starts_at, put_off, tried, quiet)
    said = [at for at in (clock_starts_at, put_off, tried, quiet) if at is not None]
    assert not_before(facts) in said
    assert all(not_before(facts) >= at for at in said)


# What counts


def test_an_apology_and_an_earlier_try_of_a_person_never_count() -> None:
    first = promise("abandoned", at(FRIDAY + "10:00"), at(FRIDAY + "10:00"), SITE, TERMS)
    chosen = slot(at(FRIDAY + "15:00"), at(FRIDAY + "10:05"), SITE)
    sooner = tried_sooner(chosen, at(FRIDAY + "10:10"))
    told = apology(at(FRIDAY + "15:31"), at(FRIDAY + "16:00"))
    assert (sooner.clock_starts_at, sooner.deadline_at) == (at(FRIDAY + "10:10"), chosen.deadline_at)
    assert measured([first, told]) is first
    assert measured([first, chosen, sooner, told]) is chosen
    assert missed([first, told], at(FRIDAY + "11:05"), now=at(FRIDAY + "12:00"))


promises = st.builds(
    lambda at, wait, length, why: Promise(at, at + wait, at + wait + length, at + wait + length, why),
    *(st.integers(0, 100) for _ in range(3)),
    st.sampled_from(["window", "evening", "carried-over", "slot", "apology", "tried-sooner"]),
)


@given(st.lists(promises, min_size=1, max_size=6), st.integers(0, 300), st.integers(0, 300))
def test_no_apology_in_any_place_changes_what_counts(made: list[Promise], told_at: int, by_at: int) -> None:
    for place in range(1, len(made) + 1):
        assert measured([*made[:place], apology(told_at, by_at), *made[place:]]) is measured(made)
