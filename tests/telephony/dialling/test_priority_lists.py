"""To whom callbacks are owed, as the dialplan is told."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from telephony.dialling.priority_lists import DIGITS, LASTS_S, REPEAT_S, ROOM, PriorityLists, lists, written

CUSTOMER, HER = "+819012345678", "+819087654678"
NUMBERS = st.lists(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True), max_size=30)


def told(owed: PriorityLists, numbers: list[str], boot: str = "b", now_s: float = 0) -> dict[str, str]:
    changes = owed.changes(lists(numbers), boot, now_s)
    for name, alike in changes.items():
        owed.note_sent(name, alike, now_s)
    return changes


def test_numbers_that_end_alike_share_a_variable() -> None:
    assert lists([CUSTOMER, HER, "+15551234"]) == {"LCR_OWED_678": "12345678-87654678", "LCR_OWED_234": "15551234"}


def test_a_number_too_short_to_be_told_from_others_is_left_out() -> None:
    assert lists(["+1234567"]) == {}


def test_the_value_says_until_when_and_what_he_gets_in_fixed_places() -> None:
    value = written("12345678", 10, 1_795_313_000.9)
    assert (value[:10], value[11:14], value[15:]) == (str(1_795_313_000 + LASTS_S), "010", "12345678")
    assert written("", 10, 1_795_313_000) == ""


@given(NUMBERS)
def test_everybody_is_in_the_variable_of_his_last_digits_and_no_line_is_too_long(numbers: list[str]) -> None:
    found = lists(numbers)
    for number in numbers:
        digits = number[1:][-DIGITS:]
        if len(digits) == DIGITS:
            assert digits in found[f"LCR_OWED_{digits[-3:]}"].split("-")
    crowd = lists(f"+8190{line:05}678" for line in range(2 * ROOM))
    assert len(written(crowd["LCR_OWED_678"], 100, 1_795_313_000)) < 1000


def test_only_what_changed_is_told_and_what_is_kept_is_said_again_now_and_then() -> None:
    owed = PriorityLists()
    assert told(owed, [CUSTOMER]) == {"LCR_OWED_678": "12345678"}
    assert told(owed, [CUSTOMER], now_s=1) == {}
    assert told(owed, [CUSTOMER, HER], now_s=2) == {"LCR_OWED_678": "12345678-87654678"}
    assert told(owed, [CUSTOMER, HER], now_s=2 + REPEAT_S) == {"LCR_OWED_678": "12345678-87654678"}
    assert told(owed, [], now_s=3 + REPEAT_S) == {"LCR_OWED_678": ""}
    assert told(owed, [], now_s=9 * REPEAT_S) == {}


def test_an_asterisk_that_was_restarted_is_told_everything() -> None:
    owed = PriorityLists()
    told(owed, [CUSTOMER])
    assert told(owed, [CUSTOMER], boot="another") == {"LCR_OWED_678": "12345678"}


def test_what_could_not_be_told_is_told_the_next_time() -> None:
    owed = PriorityLists()
    assert (
        owed.changes(lists([CUSTOMER]), "b", 0)
        == owed.changes(lists([CUSTOMER]), "b", 1)
        == {"LCR_OWED_678": "12345678"}
    )


@given(st.lists(NUMBERS, max_size=6))
def test_whatever_came_and_went_what_stands_is_what_is_owed_now(history: list[list[str]]) -> None:
    owed = PriorityLists()
    stands: dict[str, str] = {}
    for moment, numbers in enumerate(history):
        stands |= told(owed, numbers, now_s=moment * 25)
    assert {name: alike for name, alike in stands.items() if alike} == (lists(history[-1]) if history else {})
