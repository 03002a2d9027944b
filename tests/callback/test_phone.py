"""Numbers: what trunks signal, and what may be called back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callback.phone import Number, Refused, block_of, dial_string, read, takes_texts
from callback.settings import Trunk

JAPAN = Trunk(region="JP", form="national", own_numbers=("+81312345678",))
CHINA = Trunk(region="CN", form="e164-no-plus", prefix="9")
AMERICA = Trunk(region="US")
OPEN = Trunk(region="JP", allowed_countries=("JP", "US"))


@pytest.mark.parametrize(
    ("trunk", "signalled", "e164"),
    [
        (JAPAN, "09012345678", "+819012345678"),
        (JAPAN, "819012345678", "+819012345678"),
        (JAPAN, "+819012345678", "+819012345678"),
        (JAPAN, "0312345679", "+81312345679"),
        (CHINA, "13912345678", "+8613912345678"),
        (CHINA, "8613912345678", "+8613912345678"),
        (AMERICA, "2125550123", "+12125550123"),
        (AMERICA, "12125550123", "+12125550123"),
        (OPEN, "+12125550123", "+12125550123"),
    ],
)
def test_every_signalled_form_becomes_one_e164_number(trunk: Trunk, signalled: str, e164: str) -> None:
    assert read(signalled, trunk) == Number(e164)


@pytest.mark.parametrize(
    ("trunk", "signalled", "reason"),
    [
        (JAPAN, None, "no-number"),
        (JAPAN, "", "no-number"),
        (JAPAN, "anonymous", "not-a-number"),
        (JAPAN, "<unknown>", "not-a-number"),
        (JAPAN, "0" * 80, "not-a-number"),
        (JAPAN, "090-1234-5678", "not-a-number"),
        (JAPAN, "٠٩٠١٢٣٤٥٦٧٨", "not-a-number"),
        (JAPAN, "0901", "no-such-number"),
        (JAPAN, "110", "no-such-number"),
        (JAPAN, "0312345678", "own-number"),
        (JAPAN, "+12125550123", "foreign-country"),
        (JAPAN, "0990123456", "premium-rate"),
        (AMERICA, "9005550123", "premium-rate"),
        (AMERICA, "+819012345678", "foreign-country"),
        (AMERICA, "+81990123456", "premium-rate"),  # the worse reason first
        (OPEN, "+881612345678", "satellite"),
        (OPEN, "+870776123456", "satellite"),
        (OPEN, "+8821612345678", "satellite"),
        (Trunk(region="GB"), "07012345678", "personal-number"),
        (Trunk(region="DE"), "018012345", "shared-cost"),
    ],
)
def test_what_is_not_called_back_says_why(trunk: Trunk, signalled: str | None, reason: str) -> None:
    found = read(signalled, trunk)
    assert isinstance(found, Refused)
    assert found.reason == reason


@pytest.mark.parametrize(
    ("trunk", "e164", "dialled"),
    [
        (JAPAN, "+819012345678", "PJSIP/09012345678@trunk"),
        (JAPAN, "+81312345679", "PJSIP/0312345679@trunk"),
        (CHINA, "+8613912345678", "PJSIP/98613912345678@trunk"),
        (AMERICA, "+12125550123", "PJSIP/+12125550123@trunk"),
    ],
)
def test_a_number_is_dialled_as_the_trunk_wants_it(trunk: Trunk, e164: str, dialled: str) -> None:
    assert dial_string(e164, trunk) == dialled


@given(st.text(max_size=40))
def test_whatever_a_caller_sends_is_read_without_an_error(signalled: str) -> None:
    found = read(signalled, JAPAN)
    assert isinstance(found, Refused) or found.e164.removeprefix("+").isdigit()


@given(st.from_regex(r"\+?[0-9]{1,20}", fullmatch=True))
def test_what_is_dialled_holds_digits_alone(signalled: str) -> None:
    found = read(signalled, OPEN)
    if isinstance(found, Number):
        number = dial_string(found.e164, OPEN).removeprefix("PJSIP/").removesuffix("@trunk")
        assert number.removeprefix("+").isdigit()
        assert read(found.e164, OPEN) == found


@pytest.mark.parametrize(
    ("e164", "takes"),
    [
        ("+819012345678", True),
        ("+8613912345678", True),
        ("+12125550123", True),  # in America nobody can tell
        ("+815012345678", True),
        ("+81398765432", False),
        ("+81120123456", False),
        ("+862162345678", False),
        ("+442079460958", False),
    ],
)
def test_a_number_that_is_no_mobile_gets_no_texts(e164: str, takes: bool) -> None:
    assert takes_texts(e164) == takes


def test_a_block_is_shared_by_its_numbers() -> None:
    assert block_of("+819012345678") == block_of("+819012349999") != block_of("+819012355678")
