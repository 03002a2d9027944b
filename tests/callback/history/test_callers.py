"""One caller is one, in whatever form a log shows his number; two are two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callback.history.callers import caller
from callback.settings.sections import Trunk

FORMS = {
    "a mobile in New York": ["+12125550111", "12125550111", "2125550111", "0012125550111"],
    "a German mobile": ["+4915112345678", "4915112345678", "015112345678", "004915112345678"],
    "a short number in Munich": ["+49891234567", "0891234567", "0049891234567"],
    "a Japanese mobile": ["+819012345678", "819012345678", "09012345678"],
    "a line in Rome, whose zero is its own": ["+390612345678", "0612345678"],
    "a Norwegian mobile": ["+4792345678", "92345678", "004792345678"],
    "somebody in Moscow": ["+74951234567", "84951234567", "4951234567"],
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_a_number_is_one_caller(name: str) -> None:
    assert len({caller(form) for form in FORMS[name]}) == 1


def test_all_of_them_are_different_people() -> None:
    assert len({caller(forms[0]) for forms in FORMS.values()}) == len(FORMS)


def test_a_trunk_knows_its_countrys_short_numbers() -> None:
    norway = (Trunk(region="NO"),)
    assert caller("4792345678", norway) == caller("92345678", norway) == caller("+4792345678")
    assert caller("3612345678", (Trunk(region="HU"),)) == caller("+3612345678")


def test_trunks_that_read_a_number_otherwise_leave_it_as_it_is() -> None:
    assert caller("2125550111", (Trunk(region="US"), Trunk(region="DE"))) == caller("2125550111")


@pytest.mark.parametrize("number", ["0", "00", "000", "+", "+0", "101", "110", "09", "999999999999999"])
def test_odd_numbers_stand_for_somebody(number: str) -> None:
    assert caller(number)


@given(st.text("0123456789", min_size=3, max_size=15), st.sampled_from(["+", "00", "0", ""]))
def test_whatever_is_signalled_stands_for_somebody(digits: str, before: str) -> None:
    assert 1 <= len(caller(before + digits)) <= 17
