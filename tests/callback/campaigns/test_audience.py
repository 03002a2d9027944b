"""Whom a campaign tells, and who is left out."""

from __future__ import annotations

import pytest

from callback.campaigns.campaign import CampaignFault
from callback.campaigns.criteria import Criteria, NoCriteria
from callback.decisions.campaigns import acts
from callback.reports.campaigns.preview import preview
from callback.store import tables as t
from scheduler.clock import HOUR, MINUTE
from tests.callback.campaigns.told import ALL, BY, blocks_texts, do, draft, made, running, site, stands
from tests.callback.world import NOON, World, call

LANDLINE, MOBILE, ANOTHER = "0312340000", "09012345678", "08012345678"


@pytest.fixture
def hit(migrated_url: str) -> World:
    """Three were lost in support, one of them twice; one in sales; one was served, and one was lost the day before."""
    world = World(migrated_url, site())
    world.hear(call(MOBILE, NOON - MINUTE))
    world.hear(call(MOBILE, NOON))
    world.hear(call(ANOTHER, NOON))
    world.hear(call(LANDLINE, NOON))
    world.hear(call("09055555555", NOON, queue="sales"))
    world.hear(call("09066666666", NOON, talked_s=60), "served")
    world.hear(call("09077777777", NOON - 24 * HOUR))
    return world


def _state(world: World) -> dict[str, str]:
    people = {row.id: row.number for row in world.rows(t.person)}
    return {people[row.person_id]: row.why or row.state for row in world.rows(t.campaign_person)}


def test_who_was_lost_is_told_once(hit: World) -> None:
    """By the newest verdict on each call, whatever the queue; a landline takes no texts."""
    made(hit)
    assert _state(hit) == {
        "+819012345678": "waiting",
        "+818012345678": "waiting",
        "+81312340000": "landline",
        "+819055555555": "waiting",
    }
    assert {row.segment for row in hit.rows(t.campaign_person)} == {"support", "sales"}


def test_criteria_narrow_it(hit: World) -> None:
    made(hit, criteria=Criteria(from_at=ALL.from_at, until_at=ALL.until_at, queues=("sales",), trunks=("main",)))
    assert _state(hit) == {"+819055555555": "waiting"}


def test_kinds_narrow_it(hit: World) -> None:
    made(hit, criteria=Criteria(from_at=ALL.from_at, until_at=ALL.until_at, kinds=("silent",)))
    assert _state(hit) == {}


def test_a_better_verdict_counts(hit: World) -> None:
    """A call that was judged lost, and then served, hit nobody."""
    heard = call("09088888888", NOON)
    hit.hear(heard, source="live-partial")
    hit.hear(heard, "served")
    made(hit)
    assert "+819088888888" not in _state(hit)


def test_who_wants_no_texts_is_left_out(hit: World) -> None:
    do(hit, blocks_texts, "+818012345678")
    made(hit)
    assert _state(hit)["+818012345678"] == "opted-out"


def test_who_was_told_by_a_campaign_of_the_same_is_left_out(hit: World) -> None:
    """But not by one about other calls."""
    first = running(hit, criteria=Criteria(from_at=ALL.from_at, until_at=ALL.until_at, queues=("sales",)))
    hit.rows(t.campaign)
    with hit.store.write() as connection:
        connection.execute(t.campaign_person.update().values(state="told"))
        connection.execute(t.campaign.update().values(told=1))
    second = made(hit)
    third = made(hit, criteria=Criteria(from_at=ALL.from_at, until_at=ALL.until_at, queues=("support",)))
    assert [row.why for row in hit.rows(t.campaign_person) if row.campaign_id == second] == [
        "",
        "",
        "landline",
        "told-already",
    ]
    assert "told-already" not in {row.why for row in hit.rows(t.campaign_person) if row.campaign_id == third}
    assert first


def test_a_file_names_people(hit: World) -> None:
    """Beside those who called: they stay when it is built anew, with the segment of the file."""
    lines = "number,segment,language\n090-1234-5678,fibre,en\n+819099990000,fibre,\n12,,\n090 9999 0000,copper,\n"
    read = do(hit, acts.read_numbers, lines.encode())
    assert [(one.line, one.why) for one in read.refused] == [(4, "not-a-number")]
    assert read.twice == 1
    number = made(hit)
    taken = do(hit, acts.add_numbers, number, read, BY)
    assert taken.new == 1
    assert stands(hit, number).state == "draft"
    do(hit, acts.build, number, BY)
    assert do(hit, acts.build, number, BY) == 5
    said = {row.person_id: row.segment for row in hit.rows(t.campaign_person) if row.of_file}
    assert sorted(said.values()) == ["copper", "fibre"]
    assert do(hit, acts.remove_numbers, number, BY) == 2
    assert do(hit, acts.build, number, BY) == 4


def test_a_file_alone(hit: World) -> None:
    number = made(hit, criteria=Criteria(calls=False))
    assert do(hit, acts.build, number, BY) == 0
    do(hit, acts.add_numbers, number, do(hit, acts.read_numbers, b"number\n09012345678\n"), BY)
    assert do(hit, acts.build, number, BY) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_file_as_spreadsheets_save_it(encoding: str, mark: str, sqlite_world: World) -> None:
    content = "number,segment\n09012345678,光纤\n".replace(",", mark).encode(encoding)
    assert do(sqlite_world, acts.read_numbers, content).named == (("+819012345678", "光纤", ""),)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "first line"),
        (b"phone\n090\n", "first line"),
        (b"number,colour\n", "colour"),
        (b"number\n\xff\n", "UTF-8"),
        (b'number\n"090\n', "no CSV"),
    ],
)
def test_a_file_that_is_none(content: bytes, said: str, sqlite_world: World) -> None:
    with pytest.raises(CampaignFault, match=said):
        do(sqlite_world, acts.read_numbers, content)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"words": {"en": "Dial {number}"}}, "number"),
        ({"words": {"en": "x" * 700}}, "segments"),
        ({"words": {"zh-Hans": "您好"}}, "language of the queue"),
        ({"words": {"en": " "}}, "empty"),
        ({"queue": "nothing"}, "no queue"),
        ({"per_min": 0}, "minute"),
        ({"name": " "}, "name"),
        ({"criteria": Criteria(from_at=NOON, until_at=NOON)}, "from when"),
        ({"criteria": Criteria(from_at=1, until_at=2, incident=7)}, "incident 7"),
        ({"criteria": Criteria(from_at=1, until_at=2, trunks=("x",))}, "trunk"),
    ],
)
def test_a_campaign_that_cannot_be(changes: dict[str, object], said: str, sqlite_world: World) -> None:
    world = World(sqlite_world.store.url, site())
    with pytest.raises((CampaignFault, NoCriteria), match=said):
        do(world, acts.make, draft(**changes), BY)
    assert not world.rows(t.campaign)


def test_what_it_costs_and_takes(hit: World) -> None:
    """Three are told; the text of 88 places is one segment."""
    number = made(hit, per_min=1)
    with hit.store.read() as connection:
        work = hit.work(connection, NOON)
        shown = preview(work, stands(hit, number))
    assert (shown.people, shown.to_tell, shown.left_out) == (4, 3, {"landline": 1})
    assert shown.by_segment == {"sales": 1, "support": 3 - 1}
    assert [(one.language, one.people, one.segments) for one in shown.words] == [("en", 3, 1)]
    assert shown.takes_us == 3 * MINUTE
    assert shown.ends_at == NOON + 3 * MINUTE
