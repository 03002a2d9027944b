"""What a caller wrote into the log by his number changes no call but his own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.queue_log.entries import Entry, Faults
from telephony.queue_log.sieve import FORGED, HEADLESS, REACH, DoubtfulEntry, Sieve
from tests.telephony.queue_log.logs import T, Told, lines, told

HEAD = f"{T}|{T}.50|support|NONE|ENTERQUEUE||0901"
BEFORE = """-5 .1 support NONE ENTERQUEUE |0801|1
            -4 .2 support NONE ENTERQUEUE |0802|2
            -3 .2 support Ann CONNECT 1|x.3|1"""
AFTER = """1 .50 support NONE ABANDON 1|1|1
           2 .60 support NONE ENTERQUEUE |0860|1
           3 .60 support NONE ABANDON 1|1|1
           8 .1 support NONE ABANDON 1|1|13
           9 .2 support Ann COMPLETECALLER 1|12|1"""
TRUE: list[Told] = [
    (".50", None, "support", "abandoned", "gave-up-waiting"),
    (".60", "0860", "support", "abandoned", "gave-up-waiting"),
    (".1", "0801", "support", "abandoned", "gave-up-waiting"),
    (".2", "0802", "support", "served", None),
]


def sifted(text: str, faults: Faults, step: int = 1 << 16) -> list[Entry]:
    sieve = Sieve(faults, lambda number: f"log:{number + 1}")
    whole = text.encode()
    found, begin = [], 0
    while begin < len(whole):
        end = whole.find(b"\n", begin + step) + 1 or len(whole)
        found += sieve.feed(whole[begin:end].decode())
        begin = end
    return found + sieve.close()


def text(log: str) -> str:
    return "".join(line.decode() + "\n" for line in lines(log))


def with_number(number: str) -> str:
    """Give a log in which a caller sent this number."""
    return f"{text(BEFORE)}{T}|{T}.50|support|NONE|ENTERQUEUE||{number}|1\n{text(AFTER)}"


FORGERIES = {
    "a line and a tail": f"0901\n{T}|{T}.70|support|NONE|ENTERQUEUE||0999|1\nx",
    "two lines and a tail": f"0901\n{T}|{T}.70|q|NONE|ENTERQUEUE||0999|1\n{T + 1}|{T}.70|q|NONE|ABANDON|1|1|1\nx",
    "the tail completes the line": f"0901\n{T}|{T}.70|support|NONE|ENTERQUEUE||0999",
    "the end of another's call": f"0901\n{T}|{T}.99|support|NONE|ABANDON|1|1",
    "a tail, then a line": f"0901\nx|1\n{T}|{T}.70|support|NONE|ENTERQUEUE||0999",
    "a restart": f"0901\n{T}|NONE|NONE|NONE|QUEUESTART|",
    "a refusal": f"0901\n{T}|{T}.70|support|NONE|CALLERID|0999\n{T}|{T}.70|support|NONE|FULL|\nx",
    "a whole head, and a tail": f"0901|1\n{T}|{T}.70|support|NONE|FULL|\nx",
    "nothing but a line feed": "0901\n",
    "a line feed and a carriage return": "0901\r\nX",
    "a bar": "0901|3",
    "bars": "0901|||||||||||||||||||||||||||||||||",
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forgery_changes_no_other_call(forgery: str) -> None:
    faults = Faults()
    number = FORGERIES[forgery]
    calls = told(sifted(with_number(number), faults))
    if "whole head" in forgery:  # what he sent before the bar passes for his number
        calls = [(call_id, None if call_id == ".50" else number, *rest) for call_id, number, *rest in calls]  # type: ignore[misc]
    assert calls == TRUE
    if "|" not in number.replace("\n", "", 1)[:7] and "\n" in number:
        assert faults.counts


def test_what_was_forged_is_counted_and_named() -> None:
    faults = Faults()
    sifted(with_number(FORGERIES["two lines and a tail"]), faults)
    assert faults.counts[FORGED] == 2
    assert [(fault.place, fault.text) for fault in faults if fault.why == FORGED] == [
        ("log:5", "ENTERQUEUE"),
        ("log:6", "ABANDON"),
    ]
    assert "0999" not in str(faults)


def test_hostile_callers_one_after_the_other_hide_nobody() -> None:
    log = text(BEFORE)
    expected = []
    for number in range(100, 160):
        hostile = f"{T}|{T}.{number}|support|NONE|ENTERQUEUE||0901\n{T}|{T}.7|q|NONE|ENTERQUEUE||0999|1\nx|1\n"
        log += hostile + text(f"1 .{number} support NONE ABANDON 1|1|1")
        log += text(f"1 .{number}5 support NONE ENTERQUEUE |08{number}|1\n2 .{number}5 support NONE ABANDON 1|1|1")
        expected += [(f".{number}", None), (f".{number}5", f"08{number}")]
    assert [(call_id, number) for call_id, number, *_ in told(sifted(log, Faults()))] == expected


def test_what_is_out_of_reach_is_above_doubt() -> None:
    log = (
        HEAD
        + "\n"
        + f"{T}|{T}.70|{'q' * REACH}|NONE|ENTERQUEUE||0999|1\n"
        + text("1 .80 support NONE ENTERQUEUE |0880|1")
    )
    kinds = [type(entry) for entry in sifted(log, Faults())]
    assert kinds == [Entry, DoubtfulEntry, Entry]


def test_the_hostile_call_itself_is_above_doubt() -> None:
    log = text(BEFORE) + HEAD + "\nx|1\n" + text(AFTER)
    assert {type(entry) for entry in sifted(log, Faults())} == {Entry}


@given(st.sampled_from(sorted(FORGERIES)), st.integers(1, 400))
def test_blocks_of_any_size_give_the_same(forgery: str, step: int) -> None:
    log = text(BEFORE) * 8 + with_number(FORGERIES[forgery]) + text(AFTER) * 8
    whole, parts = Faults(), Faults()
    assert sifted(log, parts, step) == sifted(log, whole)
    assert (parts.counts, parts.kept) == (whole.counts, whole.kept)


@given(
    st.lists(st.sampled_from([HEAD, "x|1", "", f"{T}|{T}.7|q|NONE|ENTERQUEUE||0999|1", f"{T}|NONE|NONE|NONE|X"])),
    st.integers(1, 99),
)
def test_nothing_raises_and_every_line_is_given_or_counted(parts: list[str], step: int) -> None:
    faults = Faults()
    log = "".join(f"{part}\n" for part in parts)
    given_ = sifted(log, faults, step)
    assert len(given_) + len(faults) - faults.counts[HEADLESS] == len(parts)
