"""What a timeline tells in the words of its reader: reasons that the service knows, and those that somebody wrote."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from callback.decisions.reasons import NONE_GIVEN, REASONS
from callback.web.console.reservation.speech import speech
from tests.callback.world import NOON


def test_a_reason_that_was_chosen_is_told_in_the_readers_language() -> None:
    says = speech("zh_Hans", NOON, ZoneInfo("Asia/Tokyo"))
    assert says.foreign(REASONS["meeting"]) == "客户在开会"
    assert says.foreign(NONE_GIVEN) == "未说明原因"


def test_what_somebody_wrote_is_told_as_it_was_written() -> None:
    says = speech("zh_Hans", NOON, ZoneInfo("Asia/Tokyo"))
    assert says.foreign("a customer of ours") == "\u2068a customer of ours\u2069"
