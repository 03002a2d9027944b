"""Numbers: what trunks signal, and what may be called back."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callback.customers.numbers import Number, Refused, block_of, dial_string, perhaps, read, takes_texts, written
from callback.settings.sections import Signals, Trunk

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
        (JAPAN, "090-1234-5678", "+819012345678"),
        (JAPAN, "tel:+81-90-1234-5678", "+819012345678"),
        (JAPAN, "sip:+819012345678@carrier.example;user=phone", "+819012345678"),
        (AMERICA, "(212) 555-0123", "+12125550123"),
        (AMERICA, "2125550123;npdi;rn=+12125550999", "+12125550123"),
        (AMERICA, "2125550123;phone-context=+1", "+12125550123"),
        (AMERICA, "2125550123;phone-context=carrier.example", "+12125550123"),
        (AMERICA, "+12125550123;cpc=ordinary;isub=7", "+12125550123"),
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
        (JAPAN, "090-1234-5678 x5", "not-a-number"),
        (JAPAN, "192.168.12.34", "not-a-number"),  # a caller without a name is his machine's address
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


GERMANY = Trunk(region="DE")
NEIGHBOURS = Trunk(region="US", allowed_countries=("US", "MX"))


@pytest.mark.parametrize(
    ("trunk", "signalled", "e164"),
    [
        (GERMANY, "4915112345678", "+4915112345678"),  # as digits alone a landline of Leer too, longer than any there
        (GERMANY, "491773333333", "+491773333333"),
        (GERMANY, "493012345678", "+493012345678"),
        (GERMANY, "015112345678", "+4915112345678"),
        (NEIGHBOURS, "525547898478", "+525547898478"),
        (NEIGHBOURS, "00525547898478", "+525547898478"),
        (NEIGHBOURS, "011525547898478", "+525547898478"),
        (NEIGHBOURS, "5215547898478", "+525547898478"),  # as Mexico's mobiles were written until 2019
        (Trunk(region="AR"), "01115 2345-6789", "+5491123456789"),
        (Trunk(region="AU", allowed_countries=("AU", "JP")), "0011819012345678", "+819012345678"),
        (Trunk(region="AU", allowed_countries=("AU", "JP")), "00819012345678", "+819012345678"),
        (Trunk(region="IT"), "0612345678", "+390612345678"),
    ],
)
def test_digits_that_can_be_one_number_alone_are_that_number(trunk: Trunk, signalled: str, e164: str) -> None:
    assert read(signalled, trunk) == Number(e164)


AMBIGUOUS: list[tuple[str, str, dict[Signals, str]]] = [
    ("US", "3215551234", {"national": "+13215551234", "e164-no-plus": "+3215551234"}),  # Florida, Belgium
    ("CN", "13052345678", {"national": "+8613052345678", "e164-no-plus": "+13052345678"}),  # a mobile, Miami
    ("RU", "84951234567", {"national": "+74951234567", "e164-no-plus": "+84951234567"}),  # Moscow, Vietnam
    ("IT", "3281234567", {"national": "+393281234567", "e164-no-plus": "+3281234567"}),  # a mobile, Namur
    ("DE", "49211234567", {"national": "+4949211234567", "e164-no-plus": "+49211234567"}),  # Emden, Düsseldorf
]


@pytest.mark.parametrize(("region", "signalled", "meant"), AMBIGUOUS)
def test_what_may_be_two_peoples_number_is_nobodys_until_the_trunk_says_how_it_signals(
    region: str, signalled: str, meant: dict[Signals, str]
) -> None:
    allowed = tuple(phonenumbers.SUPPORTED_REGIONS)
    unsaid = Trunk(region=region, allowed_countries=allowed)
    found = read(signalled, unsaid)
    assert found == Refused("ambiguous-number", None, found.readings if isinstance(found, Refused) else ())
    assert isinstance(found, Refused)
    assert set(found.readings) == set(meant.values()) == perhaps(signalled, unsaid)
    for said, e164 in meant.items():
        trunk = Trunk(region=region, allowed_countries=allowed, signals=said)
        assert read(signalled, trunk) == Number(e164)
        assert written(signalled, trunk) == found, "whoever writes a number need not do it as the trunk signals"
    with_plus = Trunk(region=region, allowed_countries=allowed, signals="e164")
    assert read(signalled, with_plus) == Refused("other-form", None, found.readings)


def test_a_country_whose_calls_are_not_wanted_still_owns_its_numbers() -> None:
    assert read("3215551234", AMERICA) == Refused("ambiguous-number", None, ("+3215551234", "+13215551234"))


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
        ("+541123456789", True),  # Argentina's mobiles are signalled like this
        ("+543515551234", True),
        ("+525512345678", True),
        ("+5491123456789", True),
    ],
)
def test_a_number_that_is_no_mobile_gets_no_texts(e164: str, takes: bool) -> None:
    assert takes_texts(e164) == takes


def test_a_block_is_shared_by_its_numbers() -> None:
    assert block_of("+819012345678") == block_of("+819012349999") != block_of("+819012355678")


def test_whose_number_may_be_on_the_line_is_reckoned_once() -> None:
    """It is asked of every number on the line, for every trunk, several times a second."""
    assert perhaps("3215551234", AMERICA) is perhaps("3215551234", AMERICA)
