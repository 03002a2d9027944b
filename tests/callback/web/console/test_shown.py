"""Numbers, instants and strangers' words as the screen shows them."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callback.web.console.shown import DOTS, HIDDEN, LONGEST, lasted, masked, said, when
from tests.callback.world import NOON, at

TOKYO = ZoneInfo("Asia/Tokyo")


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+819012345678", "+81 90 •••• 5678"),
        ("+81332140021", "+81 3 •••• 0021"),
        ("+8613812344412", "+86 138 •••• 4412"),
        ("+12125550123", "+1 •••• 0123"),
        ("+41791234567", "+41 •••• 4567"),
        ("+3545812345", "+354 ••••"),
        ("erased:0123456789abcdef", DOTS),
        ("", DOTS),
    ],
)
def test_of_a_number_people_see_what_they_know_it_by(number: str, shown: str) -> None:
    assert masked(number) == shown


@given(st.from_regex(r"\+(1|44|49|81|86|354|41|7)[1-9][0-9]{5,11}", fullmatch=True))
def test_enough_of_every_number_stays_hidden(number: str) -> None:
    shown = "".join(filter(str.isdigit, masked(number)))
    assert len(number) - 1 - len(shown) >= HIDDEN
    assert number.removeprefix("+").startswith(shown[:-4] or number[1])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("call 080-3333-9999 please", "call 080…99 please"),
        ("我的电话是09012345678", "我的电话是090…78"),
        ("tel09012345678now", "tel090…78now"),
        ("090\u200b1234\u200b5678", "090…78"),
        ("090\u202e1234\u202c5678", "090…78"),
        ("090\n1234\n5678", "090…78"),
        ("a\x00b\x1b[31m\x7f", "a␀b␛[31m␡"),
        ("\u202egnp.exe", "·gnp.exe"),
        ("two\r\nlines", "two  lines"),
        ("请下午三点 👨\u200d👩", "请下午三点 👨\u200d👩"),
        ("長" * 300, "長" * (LONGEST - 1) + "…"),
    ],
)
def test_what_others_wrote_is_text_and_no_more(text: str, shown: str) -> None:
    assert said(text) == shown


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (9.9, "0:09"), (250, "4:10"), (3723, "1:02:03")])
def test_how_long_it_took(seconds: float, shown: str) -> None:
    assert lasted(seconds) == shown


@pytest.mark.parametrize(
    ("instant", "language", "shown"),
    [
        (at("13:44"), "en", "13:44"),
        (at("09:00", 24), "en", "Tue 09:00"),
        (at("09:00", 24), "zh_Hans", "周二 09:00"),
        (at("09:00", 22), "en", "Sun 09:00"),
        (at("09:00", 30), "en", "11-30 09:00"),
        (at("09:00") - 365 * 86_400 * 1_000_000, "en", "2025-11-23 09:00"),
    ],
)
def test_an_instant_says_its_day_where_that_is_not_today(instant: int, language: str, shown: str) -> None:
    assert when(instant, NOON, TOKYO, language) == shown
