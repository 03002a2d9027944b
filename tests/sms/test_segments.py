"""Segments as the carriers count them; the published figures are those of Twilio's public calculator."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.text import Segments, segments

_DIGITS = "1234567890" * 40


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", Segments("GSM-7", 0, 1), id="empty"),
        # published: '{' and digits, the last that fits one segment and the first that does not
        pytest.param("{" + _DIGITS[1:159], Segments("GSM-7", 160, 1), id="escape, 1120 bits"),
        pytest.param("{" + _DIGITS[1:160], Segments("GSM-7", 161, 2), id="escape, 1127 bits"),
        # published: a face and digits
        pytest.param("😜" + _DIGITS[1:69], Segments("UCS-2", 70, 1), id="face, 1120 bits"),
        pytest.param("😜" + _DIGITS[1:70], Segments("UCS-2", 71, 2), id="face, 1136 bits"),
        # published: the third segment holds one character
        pytest.param(_DIGITS[:307], Segments("GSM-7", 307, 3), id="153 + 153 + 1"),
        pytest.param("😜" + _DIGITS[1:134], Segments("UCS-2", 135, 3), id="67 + 67 + 1"),
        # published: a flag of four units, and a flag joined of six, before digits
        pytest.param("🇮🇹" + _DIGITS[1:67], Segments("UCS-2", 70, 1), id="flag, 1120 bits"),
        pytest.param("🇮🇹" + _DIGITS[1:68], Segments("UCS-2", 71, 2), id="flag, 1136 bits"),
        pytest.param(
            "\U0001f3f3\ufe0f\U0001f308" + _DIGITS[1:66], Segments("UCS-2", 70, 1), id="joined flag, 1120 bits"
        ),
        pytest.param(
            "\U0001f3f3\ufe0f\U0001f308" + _DIGITS[1:67], Segments("UCS-2", 71, 2), id="joined flag, 1136 bits"
        ),
        # published: what takes two places in GSM-7 takes one in UCS-2
        pytest.param("😀" + "]" * 68, Segments("UCS-2", 70, 1), id="face and brackets"),
        pytest.param("😀" + "]" * 69, Segments("UCS-2", 71, 2), id="face and more brackets"),
        # published: one letter with three accents is four characters
        pytest.param("e\u0301\u0301\u0301" + "a" * 66, Segments("UCS-2", 70, 1), id="accents, one segment"),
        pytest.param("e\u0301\u0301\u0301" + "a" * 67, Segments("UCS-2", 71, 2), id="accents, two segments"),
        *(pytest.param(c * 70, Segments("UCS-2", 70, 1), id=f"70 {c}") for c in "ÁÚúçíÍóÓ"),
        *(pytest.param(c * 71, Segments("UCS-2", 71, 2), id=f"71 {c}") for c in "ÁÚúçíÍóÓ"),
        *(pytest.param(c + _DIGITS[:158], Segments("GSM-7", 160, 1), id=f"{c}, 1120 bits") for c in "|^€{}[]~\\"),
        *(pytest.param(c + _DIGITS[:159], Segments("GSM-7", 161, 2), id=f"{c}, 1127 bits") for c in "|^€{}[]~\\"),
        pytest.param(_DIGITS[:160], Segments("GSM-7", 160, 1), id="160"),
        pytest.param(_DIGITS[:161], Segments("GSM-7", 161, 2), id="161"),
        pytest.param(_DIGITS[:306], Segments("GSM-7", 306, 2), id="306"),
        pytest.param("喂" * 70, Segments("UCS-2", 70, 1), id="70"),
        pytest.param("喂" * 71, Segments("UCS-2", 71, 2), id="71"),
        pytest.param("喂" * 134, Segments("UCS-2", 134, 2), id="134"),
        pytest.param("喂" * 135, Segments("UCS-2", 135, 3), id="135"),
        # what takes two places is not split: a place stays empty, and that may cost a segment
        pytest.param("a" * 152 + "€" + "a" * 152, Segments("GSM-7", 306, 3), id="extension over the boundary"),
        pytest.param("a" * 151 + "€" + "a" * 153, Segments("GSM-7", 306, 2), id="extension at the boundary"),
        pytest.param("喂" * 66 + "😜" + "喂" * 66, Segments("UCS-2", 134, 3), id="pair over the boundary"),
        pytest.param("喂" * 65 + "😜" + "喂" * 67, Segments("UCS-2", 134, 2), id="pair at the boundary"),
        # one place is free where the boundary is, and nothing needs it
        pytest.param("a" * 152 + "€" + "a" * 151, Segments("GSM-7", 305, 2), id="extension moved, still two"),
        pytest.param("don't", Segments("GSM-7", 5, 1), id="plain apostrophe"),
        pytest.param("don\N{RIGHT SINGLE QUOTATION MARK}t", Segments("UCS-2", 5, 1), id="smart apostrophe"),
    ],
)
def test_segments(text: str, expected: Segments) -> None:
    assert segments(text) == expected


def test_the_default_alphabet_is_complete() -> None:
    plain = [chr(c) for c in range(0x3000) if segments(chr(c)) == Segments("GSM-7", 1, 1)]
    double = [chr(c) for c in range(0x3000) if segments(chr(c)) == Segments("GSM-7", 2, 1)]
    assert len(plain) == 127  # 128 without the escape
    assert set(double) == set("\f^{}\\[~]|€")
    assert {"`", "ç", "\t"}.isdisjoint(plain)  # easily taken for members


@given(st.text(st.sampled_from("a€喂😜"), max_size=500))
def test_no_character_is_ever_split(text: str) -> None:
    counted = segments(text)
    # a second opinion: measure runs of whole characters as they are encoded
    size = _gsm7_size if counted.encoding == "GSM-7" else _ucs2_size
    alone, joined = (160, 153) if counted.encoding == "GSM-7" else (70, 67)
    assert counted.units == size(text)
    if counted.units <= alone:
        assert counted.count == 1
        return
    runs = [""]
    for character in text:
        if size(runs[-1] + character) > joined:
            runs.append("")
        runs[-1] += character
    assert counted.count == len(runs)


def _gsm7_size(text: str) -> int:
    return len(text) + text.count("€")


def _ucs2_size(text: str) -> int:
    return len(text.encode("utf-16-be")) // 2
