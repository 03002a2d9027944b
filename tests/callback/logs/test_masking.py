"""Of a number no more than its beginning and its end stands in logs and events; ids and times stay whole."""

from __future__ import annotations

import io
import json
import logging
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callback.events import Happened
from callback.logs.masking import log_to_stderr, masked, masked_facts, masked_text
from callback.service.narrator import Narrator
from tests.callback.service.test_narrator import told_of
from tests.callback.world import NOON, World, call, fed

TOKYO = ZoneInfo("Asia/Tokyo")


@given(st.from_regex(r"\+?[0-9]{7,15}", fullmatch=True))
def test_of_a_number_only_the_beginning_and_the_end_are_left(number: str) -> None:
    shown = masked(number)
    assert number not in shown
    assert len(shown) <= 6
    assert masked_text(f"call {number}, please") == f"call {shown}, please"
    assert masked_text(shown) == shown


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("number='+819012345678', did='500'", "number='+81…78', did='500'"),
        ("Local/09012345678@from-queue", "Local/090…78@from-queue"),
        ("+44 is foreign: +447700900123.", "+44 is foreign: +44…23."),
        ("rang us from 090-1234-5678, then came", "rang us from 090…78, then came"),
        ("rang us from 0901 2345678, then came", "rang us from 090…78, then came"),
        ("(090) 1234-5678 or +81 (0)90 1234 5678.", "090…78 or +81…78."),
        ("090-1234-5678 080-1234-5678", "090…78"),
        ("(212) 555-0123 is hers", "212…23 is hers"),
        ("212-555-0123 is hers, 01.23.45.67.89 too", "212…23 is hers, 012…89 too"),
        ("tel:+81-90-1234-5678;ext", "tel:+81…78;ext"),
        (
            "192.168.100.200 is away since 2026-11-23 12:00:00,123",
            "192.168.100.200 is away since 2026-11-23 12:00:00,123",
        ),
        ("from 09:00-18:00 on 01-02-2026, 3 of 12", "from 09:00-18:00 on 01-02-2026, 3 of 12"),
        ("PJSIP/1001-00000012 of 0.123456789", "PJSIP/1001-00000012 of 0.123456789"),
        ("call_id='1795307133.7' of PJSIP/trunk-00000012", "call_id='1795307133.7' of PJSIP/trunk-00000012"),
        ("started_at=1795307133000000", "started_at=1795307133000000"),
        ("attempt 0123456789abcdef0123456789abcdef", "attempt 0123456789abcdef0123456789abcdef"),
        ("extension 1001 on 2026-11-23 12:00:00", "extension 1001 on 2026-11-23 12:00:00"),
        ("请打09012345678给我", "请打090…78给我"),
        ("電話は090-1234-5678です", "電話は090…78です"),
        ("手机13812345678。", "手机138…78。"),
        ("090—1234—5678, 090・1234・5678", "090…78, 090…78"),
        ("080\u200b1234\u200b5678", "080…78"),
    ],
)
def test_what_looks_like_a_number_is_masked_wherever_it_stands(said: str, shown: str) -> None:
    assert masked_text(said) == shown


@pytest.mark.parametrize("number", ["09012345678", "090-1234-5678", "+81(90)12345678"])
def test_a_number_in_wide_characters_is_one(number: str) -> None:
    wide = number.translate({ord(narrow): ord(narrow) + 0xFEE0 for narrow in "0123456789-()+"})
    shown = masked_text(f"rang us from {wide} today")
    assert "\u2026" in shown
    assert sum(map(str.isdigit, shown)) <= 5


def test_instants_ids_and_counts_stay_whole() -> None:
    facts = {"attempt": "00ab", "reservation": 7, "number": 3, "by_at": NOON, "call_id": "1795307133.7", "evidence": []}
    assert masked_facts(facts) == facts


def told(news: list[Happened], *, full: bool) -> tuple[str, list[dict[str, object]]]:
    people, programs = io.StringIO(), io.StringIO()
    Narrator(TOKYO, people, programs, full_numbers=full).tell(news)
    return people.getvalue(), [json.loads(line) for line in programs.getvalue().splitlines()]


def test_no_whole_number_is_told_of_a_whole_day(world: World) -> None:
    """Neither to people nor to programs; each line still tells whose it is by an id."""
    news = told_of(world)
    people, programs = told(news, full=False)
    for number in ("9012345678", "9012345602", "9012345603", "9012345604"):
        assert number not in people + json.dumps(programs)
    assert all({"reservation", "call_id"} & piece.keys() for piece in programs)


def heard(world: World) -> list[Happened]:
    world.hear(call("09012345678"))
    return fed(world.store)


def test_whole_numbers_are_told_where_the_site_wants_them(world: World) -> None:
    people, programs = told(heard(world), full=True)
    assert "+819012345678" in people
    assert "+819012345678" in [piece["number"] for piece in programs]


@pytest.mark.parametrize("full", [True, False])
def test_the_log_masks_what_others_wrote_into_errors_too(full: bool, capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        log_to_stderr(full_numbers=full)
        try:
            int("+819012345678 is no good")
        except ValueError:
            logging.getLogger("callback.service.committer").exception("put aside: %r", {"number": "09012345678"})
    finally:
        for handler in root.handlers[:]:
            root.removeHandler(handler)
        for handler in before:
            root.addHandler(handler)
        root.setLevel(level)
    said = capsys.readouterr().err
    assert ("+819012345678" in said, "'09012345678'" in said) == (full, full)
    assert "put aside" in said
