"""Numbers of the whole world over trunks of the whole world: each is its owner's or refused, never somebody else's."""

from __future__ import annotations

import os
from typing import NamedTuple

import phonenumbers
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneMetadata, PhoneNumberFormat

from callback.customers.numbers import Number, Refused, perhaps, read
from callback.customers.readings import longest_mobile
from callback.settings.sections import Signals, Trunk

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
EVERYWHERE = tuple(REGIONS)
DIGITS = st.sampled_from("0123456789")
MANY = settings(
    max_examples=int(os.environ.get("NUMBERS", "400")),
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
FITS: dict[str, tuple[Signals, ...]] = {
    "plus": ("", "national", "e164-no-plus", "e164"),
    "00": ("", "national", "e164-no-plus", "e164"),
    "abroad": ("", "national"),
    "e164-no-plus": ("", "e164-no-plus"),
    "national": ("", "national"),
    "bare": ("", "national"),
    "prefixed": ("", "national"),
}
"""By form, what a trunk that signals so may be said to signal."""


class Call(NamedTuple):
    """A caller's number, the form in which a trunk signals it, and what it then signals."""

    e164: str
    trunk: Trunk
    form: str
    signalled: str


def _number(region: str, national: str) -> phonenumbers.PhoneNumber | None:
    country = phonenumbers.country_code_for_region(region)
    zeros = len(national) - len(national.lstrip("0"))
    number = phonenumbers.PhoneNumber(
        country_code=country,
        national_number=int(national),
        italian_leading_zero=bool(zeros) or None,
        number_of_leading_zeros=zeros or None,
    )
    valid = phonenumbers.is_valid_number(number) and phonenumbers.region_code_for_number(number) == region
    return number if valid else None


RENUMBERED = {("GA", 7)}
"""Gabon put its 0 before seven digits into the number itself in 2019: two numbers in the plan, and one telephone."""


@st.composite
def owners(draw: st.DrawFn) -> tuple[str, str, phonenumbers.PhoneNumber]:
    """Somebody's number: his region, the number without its country's code, and all of it."""
    region = draw(st.sampled_from(REGIONS))
    metadata = PhoneMetadata.metadata_for_region(region)
    assert metadata is not None
    kinds = [kind.national_number_pattern for kind in (metadata.mobile, metadata.fixed_line) if kind is not None]
    national = draw(
        st.from_regex(draw(st.sampled_from([kind for kind in kinds if kind])), fullmatch=True, alphabet=DIGITS)
    )
    assume((region, len(national)) not in RENUMBERED)
    number = _number(region, national)
    assume(number is not None)
    assert number is not None
    return region, national, number


def _forms(trunk_region: str, region: str, national: str, number: phonenumbers.PhoneNumber) -> dict[str, str]:
    whole = f"{number.country_code}{national}"
    metadata = PhoneMetadata.metadata_for_region(trunk_region)
    preferred = (metadata.preferred_international_prefix or metadata.international_prefix) if metadata else None
    abroad = "".join(filter(str.isdigit, preferred or ""))
    forms = {"plus": f"+{whole}", "00": f"00{whole}", "e164-no-plus": whole}
    if abroad and metadata and preferred and set(preferred) <= set("0123456789~"):
        forms["abroad"] = abroad + whole
    if trunk_region == region:
        prefix = phonenumbers.ndd_prefix_for_region(region, True)
        written = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
        forms |= {"bare": national, "national": written, "prefixed": f"{prefix or ''}{national}"}
    return forms


def _dressed(draw: st.DrawFn, plain: str) -> str:
    separators = ["", "-", " "] if "." in plain else ["", "-", " ", "."]  # four parts between dots are an address
    separated = plain if len(plain) < 6 else f"{plain[:-4]}{draw(st.sampled_from(separators))}{plain[-4:]}"
    parameters = draw(st.sampled_from(["", ";npdi;rn=+12125550999", ";cpc=ordinary", ";phone-context=carrier.example"]))
    if draw(st.booleans()):
        return separated + parameters
    host = draw(st.sampled_from(["tel:{}", "sip:{}@192.0.2.7", "sip:{}@carrier.example;user=phone"]))
    return host.format(separated + parameters)


@st.composite
def calls(draw: st.DrawFn, forms: tuple[str, ...] = tuple(FITS), *, said: bool | None = None) -> Call:
    """A call from anywhere over a trunk of the caller's own country, or of any other."""
    region, national, number = draw(owners())
    trunk_region = draw(st.one_of(st.just(region), st.sampled_from(REGIONS)))
    possible = {form: text for form, text in _forms(trunk_region, region, national, number).items() if form in forms}
    assume(possible)
    form, plain = draw(st.sampled_from(sorted(possible.items())))
    signals = draw(st.sampled_from([signals for signals in FITS[form] if said is None or bool(signals) == said]))
    trunk = Trunk(region=trunk_region, allowed_countries=EVERYWHERE, signals=signals)
    signalled = _dressed(draw, plain)
    return Call(phonenumbers.format_number(number, PhoneNumberFormat.E164), trunk, form, signalled)


def _only_in_the_plan(call: Call) -> bool:
    """A number as nobody has it: its country's code and a number of that country besides, longer than any mobile's."""
    country = str(phonenumbers.country_code_for_region(call.trunk.region))
    bare = call.e164.removeprefix(f"+{country}")
    longer = len(bare) > longest_mobile(call.trunk.region)
    return call.form in {"bare", "prefixed"} and not call.trunk.signals and longer and bare.startswith(country)


@MANY
@given(calls())
def test_a_number_is_its_owners_or_refused(call: Call) -> None:
    assume(not _only_in_the_plan(call))
    found = read(call.signalled, call.trunk)
    assert not isinstance(found, Number) or found == Number(call.e164)
    assert call.e164 in perhaps(call.signalled, call.trunk), "whose line is busy is not rung"


@MANY
@given(calls(("plus", "00", "e164-no-plus"), said=True))
def test_e164_is_read_where_it_marks_itself_or_the_trunk_is_said_to_signal_it(call: Call) -> None:
    found = read(call.signalled, call.trunk)
    assert found.e164 == call.e164 or (call.form == "00" and isinstance(found, Refused))  # 00 begins other prefixes too


@MANY
@given(calls(("bare", "national", "prefixed"), said=True))
def test_national_numbers_are_read_where_the_trunk_is_said_to_signal_them(call: Call) -> None:
    found = read(call.signalled, call.trunk)
    assert found.e164 == call.e164 or (isinstance(found, Refused) and found.reason == "ambiguous-number")


@pytest.mark.parametrize("region", REGIONS)
def test_every_country_is_read_in_every_form_that_marks_itself(region: str) -> None:
    number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    if number is None:
        pytest.skip("the plan has no mobiles")
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    for signalled in (e164, f"sip:{e164}@192.0.2.7", f"{e164};npdi", f"tel:{e164}"):
        assert read(signalled, Trunk(region=region)) == Number(e164)
