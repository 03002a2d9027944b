"""What a page says of a step of a case: codes of the service in the language, words of people as they are."""

from __future__ import annotations

import pytest

from callback.reports.care.whole import Step
from callback.web.console.care.steps import told
from callback.web.languages import Language
from tests.callback.world import NOON


def step(who: str, event: str, note: str) -> Step:
    return Step(NOON, who, event, "answered", note)


@pytest.mark.parametrize(
    ("one", "language", "how", "words"),
    [
        (step("service", "not-reached", "given-up"), "en", "", "not reached in any try"),
        (step("service", "not-reached", "given-up"), "zh_Hans", "", "多次回拨均未接通"),
        (step("service", "not-called", "number-blocked"), "en", "", "the number is blocked for our calls"),
        (step("service", "not-called", "wrong-person"), "zh_Hant", "", "是別人接的電話"),
        (step("service", "assigned", ""), "zh_Hant", "", ""),
        (step("anna", "confirmed", "call: It is there."), "zh_Hans", "call", "It is there."),
        (step("customer", "confirmed", "5"), "zh_Hans", "", "5"),
        (step("anna", "assigned", "voicemail"), "zh_Hans", "", "voicemail"),
    ],
)
def test_what_stands_beside_a_step(one: Step, language: Language, how: str, words: str) -> None:
    assert (told(one, language).how, told(one, language).words) == (how, words)


@pytest.mark.parametrize(
    ("one", "callback"),
    [
        (step("service", "reserved", "7"), 7),
        (step("service", "answered", "7"), 7),
        (step("anna", "answered", "7"), None),
        (step("service", "not-reached", "expired"), None),
    ],
)
def test_the_callback_that_a_step_is_about(one: Step, callback: int | None) -> None:
    assert one.callback == callback
