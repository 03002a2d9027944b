"""Numbers as carriers signal them: what is a number, and what is not; whatever is sent, digits alone come out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.ids import usable


@pytest.mark.parametrize(
    ("signalled", "digits"),
    [
        ("09012345678", "09012345678"),
        ("+819012345678", "+819012345678"),
        ("2125550147;npdi", "2125550147"),
        ("2125550147;npdi;rn=+12125550990", "2125550147"),
        ("+12125550147;cpc=ordinary;oli=0", "+12125550147"),
        ("2125550147;ext=12;isub=3", "2125550147"),
        ("2125550147;phone-context=sip.carrier.example", "2125550147"),
        ("2125550147;phone-context=+1", "+12125550147"),
        ("30123456;Phone-Context=+49", "+4930123456"),
        ("+4930123456;phone-context=+44", "+4930123456"),  # whole as it is
        ("tel:+49-30-123456", "+4930123456"),
        ("TEL:+49(30)123.456", "+4930123456"),
        ("sip:2125550147@192.0.2.7", "2125550147"),
        ("sips:+12125550147;npdi@[2001:db8::7]:5061;user=phone", "+12125550147"),
        ("(212) 555-0147", "2125550147"),
        ("212.555.0147", "2125550147"),
    ],
)
def test_a_number_is_read_in_all_that_is_written_around_it(signalled: str, digits: str) -> None:
    assert usable(signalled) == digits


@pytest.mark.parametrize(
    "signalled",
    [
        "",
        "anonymous",
        "<unknown>",
        "12",
        "2" * 21,
        "٠٩٠١٢٣٤٥٦٧٨",
        "192.168.12.34",  # a machine, not a person
        "sip:192.168.12.34",
        "2125550147;phone-context=1",  # neither a number's beginning nor a domain
        "2125550147;phone-context=+1;phone-context=+44",
        "2125550147@carrier.example",
        "212555014x",
        "+1+2125550147",
        "-2125550147",
        " 2125550147",
        "2125550147\n",
        "2125550147;npdi\r\nUniqueid: 1",
        "2125550147;x=a|b",
        "2125550147;x=\x00",
        '2125550147;x="y"',
        "2125550147;x=<y>",
        "2125550147;" + "x" * 300,
        "tel:",
        "sip:+@carrier.example",
    ],
)
def test_what_is_no_number_stays_none(signalled: str) -> None:
    assert usable(signalled) is None


@given(st.text(alphabet=st.sampled_from("+0123456789();-. =:@sipteluc\r\n|\x00phone-context"), max_size=60))
def test_digits_alone_come_out_and_are_what_they_are(signalled: str) -> None:
    digits = usable(signalled)
    if digits is not None:
        assert digits.removeprefix("+").isdigit()
        assert digits.isascii()
        assert usable(digits) == digits
        assert not {"\r", "\n", "|", "\x00"} & set(signalled)
