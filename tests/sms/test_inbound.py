"""What customers write: read without an error whatever it is, and STOP always wins."""

from __future__ import annotations

from datetime import time
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sms.inbound import Choice, SaidTime, Wish, guessed_time, read

WORDS = ("STOP", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "CANCEL", "REVOKE", "OPTOUT", "退订", "退訂", "TD")
PLAIN = ("STOP", "STOPALL", "UNSUBSCRIBE", "REVOKE", "OPTOUT", "OPT-OUT", "opt out", "退订", "退訂")


def said(clock: str, day: int | tuple[int, int] | None = None, *, clear: bool = True) -> SaidTime:
    return SaidTime(time.fromisoformat(clock), day, clear)


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("form", ["{}", " {} ", "{}.", "{}!", '"{}"', "please {}", "{} please", "{}, thanks", "{}\r\n"])
def test_every_carriers_word_opts_out_however_it_is_written(word: str, form: str) -> None:
    for text in (form.format(word), form.format(word.lower()), form.format(word.title())):
        assert read(text) == "stop", text


@given(st.text(max_size=60), st.sampled_from(PLAIN), st.text(max_size=60))
@example("1 ", "STOP", "")
@example("", "stop", " 18:30")
@example("START ", "STOP", " START")
@example("别再发了,", "退订", "谢谢")
def test_stop_wins_over_whatever_stands_around_it(before: str, word: str, after: str) -> None:
    assert read(f"{before} {word} {after}") in {"stop", "stop-and-more"}


@given(st.text(st.characters(), max_size=300))
@example("\ud800")
@example("1" * 5000)
@example("十" * 300)
def test_whatever_is_sent_is_read_without_an_error(body: str) -> None:
    assert read(body) is not None


@pytest.mark.parametrize(
    "text",
    [
        "the end of the day is fine",
        "I want to cancel my order",
        "nonstop music",
        "stopped",
        "I quit smoking",
        "endless",
    ],
)
def test_a_word_that_means_something_else_there_opts_nobody_out(text: str) -> None:
    assert read(text) == "unclear"


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("1", Choice(1)),
        (" 1. ", Choice(1)),
        ("\uff11", Choice(1)),
        ("一", Choice(1)),
        ("5", Choice(5)),
        ("call me now", "call-now"),
        ("Call me back, please", "call-now"),
        ("现在", "call-now"),
        ("START", "start"),
        ("Unstop", "start"),
        ("恢复", "start"),
        ("HELP", "help"),
        ("?", "help"),
        ("\uff1f", "help"),
        ("幫助", "help"),
        ("stop calling me at night", "stop-and-more"),
        ("", "unclear"),
        ("...", "unclear"),
        ("I called at 18:30 and nobody answered", "unclear"),
        ("tomorrow", "unclear"),
        ("pm", "unclear"),
        ("18:30 19:00", "unclear"),
        ("today tomorrow 9", "unclear"),
        ("25:00", "unclear"),
        ("9:60", "unclear"),
        ("18:30:00", "unclear"),
        ("183", "unclear"),
        ("9-11", "unclear"),
        ("晚上12点", "unclear"),
        ("in the morning at 3 pm", "unclear"),
    ],
)
def test_what_is_said_plainly_is_understood_and_nothing_else(text: str, wish: Wish) -> None:
    assert read(text) == wish


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("18:30", said("18:30")),
        ("18.30", said("18:30")),
        ("18h30", said("18:30")),
        ("1830", said("18:30")),
        ("18\uff1a30", said("18:30")),
        ("at 18:30 please", said("18:30")),
        ("call me at 6:30 pm", said("18:30")),
        ("6 p.m.", said("18:00")),
        ("9", said("09:00", clear=False)),
        ("930", said("09:30", clear=False)),
        ("09:30", said("09:30")),
        ("12", said("12:00")),
        ("noon", said("12:00")),
        ("tomorrow 9", said("09:00", 1, clear=False)),
        ("tomorrow at 9 in the evening", said("21:00", 1)),
        ("3 pm tomorrow", said("15:00", 1)),
        ("tonight 8", said("20:00", 0)),
        ("明天9点", said("09:00", 1, clear=False)),
        ("明天\uff0c9點半", said("09:30", 1, clear=False)),
        ("下午3点半", said("15:30")),
        ("下午三点一刻", said("15:15")),
        ("下午三点四十分左右", said("15:40")),
        ("明早十点零五分", said("10:05", 1)),
        ("今晚八點", said("20:00", 0)),
        ("后天 14:00", said("14:00", 2)),
        ("中午", said("12:00")),
        ("中午一点", said("13:00")),
        ("二十点", said("20:00")),
        ("18点30分", said("18:30")),
        ("11-24 09:30", said("09:30", (11, 24))),
        ("2026-11-24 18:30", said("18:30", (11, 24))),
        ("11月24日下午2点", said("14:00", (11, 24))),
    ],
)
def test_a_time_is_read_in_three_languages(text: str, moment: SaidTime) -> None:
    assert read(text) == moment


BEFORE = ("", "please ", "Hi, ", "ok ", "Yes please: ", "pls. ", "请", "請 ", "好的\uff0c", "麻烦", "唔該 ")
AFTER = (
    "",
    " please",
    ", thanks!",
    " thx",
    " thank you very much",
    " ty \U0001f64f",
    "谢谢",
    " 謝謝您",
    "\uff0c麻烦了",
    "\n\nthanks",
)
CHOICES = (
    *("{}", "{}.", '"{}"', "({})", "#{}", "{}\ufe0f\u20e3", "option {}", "number {}", "press {}", "reply {}"),
    *("选{}", "選 {}", "我选{}", "选择{}", "回复{}", "回覆{}", "按{}", "{}吧", "{}呀"),
)
TIMES = {
    "13": ("13:00", True),
    "13:00": ("13:00", True),
    "12": ("12:00", True),
    "1830": ("18:30", True),
    "at {}": None,
    "{} o'clock": None,
    "{} o\u2019clock": None,
    "around {}": None,
    "about {}": None,
    "{}点": None,
    "{}點吧": None,
    "{}点左右": None,
    "call me at {}": None,
    "{}:00": None,
    "{}.00": None,
}


@pytest.mark.parametrize("form", CHOICES)
def test_a_choice_is_one_whatever_politeness_stands_around_it(form: str) -> None:
    for before, after, number in product(BEFORE, AFTER, range(1, 6)):
        text = before + form.format(number) + after
        assert read(text) == Choice(number), text


@pytest.mark.parametrize("form", TIMES)
def test_a_time_stays_one_whatever_politeness_stands_around_it(form: str) -> None:
    for before, after, number in product(BEFORE, AFTER, range(1, 6)):
        clock, clear = TIMES[form] or (f"0{number}:00", False)
        text = before + form.format(number) + after
        assert read(text) == said(clock, clear=clear), text


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("one", Choice(1)),
        ("Five, thank you!", Choice(5)),
        ("\u2460", Choice(1)),  # a one in a circle
        ("一\uff0c谢谢", Choice(1)),
        ("1 call me", Choice(1)),  # both mean the same
        ("1, please call me back now", Choice(1)),
        ("1 now", Choice(1)),
        ("1 现在回电", Choice(1)),
        ("now please", "call-now"),
        ("ok call me", "call-now"),
        ("tomorrow 9 thanks", said("09:00", 1, clear=False)),
        ("hi, 6 pm is fine", "unclear"),
        ("6", said("06:00", clear=False)),  # nothing that was offered
        ("6 please", said("06:00", clear=False)),
        ("1 or 2", "unclear"),
        ("1 2", "unclear"),
        ("1/5", "unclear"),
        ("not 1", "unclear"),
        ("不要1", "unclear"),
        ("1 am", said("01:00")),
        ("1pm please", said("13:00")),
        ("2 call me", said("02:00", clear=False)),
        ("yes cancel", "unclear"),  # of what, a person sees
        ("please", "unclear"),
        ("hello?", "unclear"),  # no question of what can be answered
        ("谢谢", "unclear"),
    ],
)
def test_what_stands_beside_a_number_is_weighed(text: str, wish: Wish) -> None:
    assert read(text) == wish


_HALF_HOURS = st.builds(time, st.integers(0, 23), st.sampled_from((0, 15, 30, 45)))
_HAN = "零一二三四五六七八九"


def _han(number: int) -> str:
    """A number below 100 as it is said in Chinese."""
    if number < 10:
        return _HAN[number]
    tens, ones = divmod(number, 10)
    return f"{_HAN[tens] if tens > 1 else ''}十{_HAN[ones] if ones else ''}"


@given(_HALF_HOURS, st.sampled_from(("", "tomorrow ", "11-24 ")))
def test_a_time_as_our_texts_write_it_is_read_as_it_was_meant(at: time, day: str) -> None:
    wish = read(f"{day}{at:%H:%M}")
    assert isinstance(wish, SaidTime)
    assert (wish.at, wish.day) == (at, {"": None, "tomorrow ": 1, "11-24 ": (11, 24)}[day])


@given(_HALF_HOURS, st.sampled_from(("", "明天", "後天")))
def test_a_time_as_it_is_said_in_chinese_is_read_as_it_was_meant(at: time, day: str) -> None:
    half = "上午" if at.hour < 12 else "下午"
    spoken = f"{_han(at.hour % 12 or 12)}点{_han(at.minute) + '分' if at.minute else '整'}"
    assert read(day + half + spoken) == SaidTime(at, {"": None, "明天": 1, "後天": 2}[day], clear=True)


@pytest.mark.parametrize(
    ("body", "meant"),
    [
        ("请下午三点后再打给我 谢谢", said("15:00")),
        ("明天上午十点半可以吗 我在开会", said("10:30", 1)),
        ("my wife is home after 6pm so ring then", said("18:00")),
        ("tomorrow at 9:30, but on my other number", said("09:30", 1, clear=False)),
        ("CALL ME AT 080-3333-9999 INSTEAD!!", None),
        ("invoice 12345:67 is wrong", None),
        ("ticket 77, contract 2026-11-24", None),
        ("", None),
        ("长" * 3000, None),
    ],
)
def test_a_time_within_other_words_is_guessed_and_digits_alone_are_none(body: str, meant: SaidTime | None) -> None:
    assert guessed_time(body) == meant


@given(st.text())
def test_any_text_is_guessed_at_without_an_error(body: str) -> None:
    assert isinstance(guessed_time(body), SaidTime | None)
