"""What a customer's text asks for. Pure: any text is read without an error, and STOP always wins.

Only what is said plainly is understood: a text with one word that is not known here is unclear, and for a person.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import time
from typing import Final, Literal

Word = Literal["stop", "stop-and-more", "start", "help", "call-now", "unclear"]


@dataclass(frozen=True, slots=True)
class Inbound:
    """A text that came in: both numbers as the gateway writes them, and the gateway's own name (`sid`) of it.

    `taken_for` is what the gateway itself took it for, and has answered.
    """

    account: str
    sid: str
    from_number: str
    to_number: str
    body: str
    taken_for: Word | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the numbers 1 to 5, alone: the text that the customer answers says what it stands for."""

    number: int


@dataclass(frozen=True, slots=True)
class SaidTime:
    """A wall time. `day`: days from today, or month and day; None where none was said.

    Where it is not `clear` which half of the day is meant, the afternoon's hour may be (6:30 for 18:30).
    """

    at: time
    day: int | tuple[int, int] | None
    clear: bool


Wish = Word | Choice | SaidTime


# The carriers' words for opting out. Those in the first line are plain wherever they stand; the others mean something
# else in a sentence ("the end of the day", "cancel my order") and count alone.
_STOP: Final = frozenset({"stop", "stopall", "stop all", "unsubscribe", "revoke", "optout", "opt out", "退订", "退訂"})
_STOP_ALONE: Final = frozenset({"end", "quit", "cancel", "td", "停止", "停"})
_STOP_SOMEWHERE: Final = re.compile(r"(?<![a-z])(?:stop|stopall|unsubscribe|revoke|opt[\W_]*out)(?![a-z])|退订|退訂")
_POLITE: Final = frozenset({"please", "pls", "thanks", "thank", "you", "me", "请", "請", "谢谢", "謝謝"})
# What is said beside a wish and changes nothing of it
_ASIDES: Final = (
    *("please", "pls", "plz", "kindly", "thank you", "thank u", "thankyou", "thanks", "many thanks", "thx", "ty"),
    *("very much", "so much", "cheers", "hi", "hello", "hey", "ok", "okay", "yes", "yep", "sure", "sir", "madam"),
    *("请", "請", "谢谢", "謝謝", "多谢", "多謝", "感谢", "感謝", "麻烦", "麻煩", "麻烦了", "麻煩了", "唔该", "唔該"),
    *("您好", "你好", "好的", "好", "您"),
)
_WORDS: Final[dict[Word, frozenset[str]]] = {
    "start": frozenset({"start", "unstop", "开始", "開始", "恢复", "恢復"}),
    "help": frozenset({"help", "info", "?", "帮助", "幫助"}),
    "call-now": frozenset(
        {"call", "call now", "call back", "call back now", "callback", "now", "right now", "asap"}
        | {"现在", "現在", "马上", "馬上", "现在回电", "現在回電", "回电", "回電"}
    ),
}

_DAYS: Final = {
    **dict.fromkeys(("today", "tonight", "今天", "今日", "今早", "今晚"), 0),
    **dict.fromkeys(("tomorrow", "tmr", "tmrw", "明天", "明日", "明早", "明晚", "聽日", "听日"), 1),
    **dict.fromkeys(("后天", "後天"), 2),
}
_MORNING: Final = ("am", "a.m.", "a.m", "in the morning", "morning", "凌晨", "早上", "上午", "早")
_AFTERNOON: Final = ("pm", "p.m.", "p.m", "in the afternoon", "afternoon", "下午")
_EVENING: Final = ("in the evening", "evening", "at night", "night", "傍晚", "晚上", "晚")
_HALF_OF_DAY: Final = {"tonight": "evening", "今早": "morning", "明早": "morning", "今晚": "evening", "明晚": "evening"}
_NOON, _AFTER_NOON = 12, 3
_FILLER: Final = (
    "call me back",
    "call me",
    "call",
    "at",
    "around",
    "about",
    "o'clock",
    "o\u2019clock",
    "oclock",
    "左右",
    "整",
    "钟",
    "鐘",
    "吧",
)


def _any(words: tuple[str, ...] | dict[str, int]) -> str:
    """One of these words, the longest first; a Latin one must end where it ends."""
    longest_first = sorted(words, key=len)[::-1]
    return "|".join(re.escape(word) + ("(?![a-z])" if word[0].isascii() else "") for word in longest_first)


_ASIDE: Final = re.compile(rf"(?:(?<![a-z])|(?=[^a-z]))(?:{_any(_ASIDES)})")
_ORNAMENTS: Final = frozenset({"So", "Sk", "Me", "Mn", "Cf"})  # emoji, and what makes them of letters and digits
_NUMBERS: Final = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
_CHOICE: Final = re.compile(
    rf"""\W*
    (?: (?: {_any(("option", "number", "choice", "press", "reply", "reply with", "choose"))}
        | 我?(?:选择|選擇|选|選) | 回复 | 回覆 | 回復 | 按 | 数字 | 數字 ) \W* )?
    (?P<number>[1-5] | {_any(_NUMBERS)})
    \W* (?: [吧呀啊哦啦] \W* )?""",
    re.VERBOSE,
)


_TOKEN: Final = re.compile(
    rf"""[\s,;!。]*(?:
      (?P<day>{_any(_DAYS)})
    | (?:20[0-9]{{2}}[-年])?(?P<month>[0-9]{{1,2}})[-月](?P<date>[0-9]{{1,2}})(?![0-9])[日号號]?
    | (?P<morning>{_any(_MORNING)}) | (?P<afternoon>{_any(_AFTERNOON)}) | (?P<evening>{_any(_EVENING)})
    | (?P<noon>noon|midday|中午)
    | (?P<filler>{_any(_FILLER)})
    | (?P<hour>[0-9]{{1,2}})
      (?: [点點时時](?: (?P<half>半) | (?P<minute>[0-9]{{1,2}})分? )? | [:.h]?(?P<digits>[0-9]{{2}}) )?(?![0-9])
    )""",
    re.VERBOSE,
)


_GUESSED: Final = 400  # characters of a text in which a time is looked for
_CLOCK_WORDS: Final = re.compile(rf"[点點时時:半]|{_any(_MORNING)}|{_any(_AFTERNOON)}|{_any(_EVENING)}")


def read(body: str) -> Wish:
    """Say what a text asks for."""
    text = unicodedata.normalize("NFKC", body).casefold()
    plain = _plain(text)
    if plain in _STOP or plain in _STOP_ALONE:
        return "stop"
    if _STOP_SOMEWHERE.search(text):
        return "stop-and-more"
    said = _ASIDE.sub(" ", "".join(sign for sign in text if unicodedata.category(sign) not in _ORNAMENTS))
    plain = _plain(said)
    for word, forms in _WORDS.items():
        if plain in forms or text.strip() in forms:
            return word
    if plain.startswith("1 ") and plain[2:] in _WORDS["call-now"]:  # twice the same
        return Choice(1)
    said = _HAN_NUMBER.sub(_in_digits, said.replace("一刻", "15").replace("三刻", "45"))
    if choice := _CHOICE.fullmatch(said):
        number = choice["number"]
        return Choice(_NUMBERS[number] if number in _NUMBERS else int(number))
    return _time(said) or "unclear"


def guessed_time(body: str) -> SaidTime | None:
    """The first time that is said anywhere in a text, for a person to judge; digits alone are none."""
    text = _ASIDE.sub(" ", unicodedata.normalize("NFKC", body[:_GUESSED]).casefold())
    text = _HAN_NUMBER.sub(_in_digits, text.replace("一刻", "15").replace("三刻", "45"))
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        said, end = _parts(text, place)
        within = text[:place][-1:].isalnum() and text[:place][-1:].isascii() and text[place].isascii()
        at = None if within else _said_time(said)
        if at is not None and _CLOCK_WORDS.search(text[place:end]):
            return at
        place = max(end, place + 1)
    return None


def _parts(text: str, place: int) -> tuple[dict[str, str], int]:
    """The parts of a time that stand there one after the other, each once, and where they end."""
    said: dict[str, str] = {}
    while token := _TOKEN.match(text, place):
        parts = {name: part for name, part in token.groupdict().items() if part is not None and name != "filler"}
        if said.keys() & parts.keys():
            break
        said |= parts
        place = token.end()
    return said, place


def _plain(text: str) -> str:
    """Only the words, without those of mere politeness."""
    return " ".join(word for word in re.split(r"[\W_]+", text) if word and word not in _POLITE)


def _time(text: str) -> SaidTime | None:
    """Read a time: its parts in any order, each at most once, and nothing else in the text."""
    said: dict[str, str] = {}
    text, place = text.strip(" \t\r\n.,;:!?。"), 0
    while place < len(text):
        token = _TOKEN.match(text, place)
        if token is None:
            return None
        parts = {name: part for name, part in token.groupdict().items() if part is not None and name != "filler"}
        if said.keys() & parts.keys():
            return None
        said |= parts
        place = token.end()
    return _said_time(said)


def _said_time(said: dict[str, str]) -> SaidTime | None:
    """Make a time of its parts; None where they are none, or contradict each other."""
    halves = said.keys() & {"morning", "afternoon", "evening", "noon"}
    halves |= {_HALF_OF_DAY[said["day"]]} if said.get("day") in _HALF_OF_DAY else set()
    if len(halves) > 1 or ("day" in said and "month" in said):
        return None
    if "hour" not in said and "noon" not in said:
        return None
    hour = _hour_of(int(said.get("hour", _NOON)), next(iter(halves), None))
    minute = 30 if "half" in said else int(said.get("minute") or said.get("digits") or 0)
    day = (int(said["month"]), int(said["date"])) if "month" in said else _DAYS.get(said.get("day", ""))
    try:
        at = time(hour, minute)
    except ValueError:
        return None
    return SaidTime(at, day, clear=bool(halves) or hour >= _NOON or said["hour"].startswith("0"))


def _hour_of(hour: int, half: str | None) -> int:
    """The hour of 24, or -1 for none: noon lasts from 11 to 2, and 12 at night is not read as midnight."""
    if (half == "evening" and hour == _NOON) or (half == "morning" and hour > _NOON):
        return -1
    if half == "morning":
        return hour % _NOON
    later = half in ("afternoon", "evening") or (half == "noon" and hour < _AFTER_NOON)
    return hour + _NOON if later and hour < _NOON else hour


_HAN: Final = {han: digit for digit, hans in enumerate(("零", "一", "二两兩", *"三四五六七八九")) for han in hans}
_HAN_NUMBER: Final = re.compile(
    r"(?P<tens>[二三四五])?十(?P<ones>[一二三四五六七八九])?|(?P<digit>[零一二两兩三四五六七八九])"
)


def _in_digits(number: re.Match[str]) -> str:
    """二十 is 20, 十五 is 15, 九 is 9."""
    if number["digit"]:
        return str(_HAN[number["digit"]])
    return f"{_HAN.get(number['tens'], 1)}{_HAN.get(number['ones'], 0)}"
