"""Lines of every dialect are read, and no line raises."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.ids import SECOND
from telephony.queue_log.entries import Entry, Fault, Faults, parse, parse_all

AT = 1_795_307_706 * SECOND
TOKYO = ZoneInfo("Asia/Tokyo")
BERLIN = ZoneInfo("Europe/Berlin")
RING = Entry(AT, "1795307706.141", "support", "Agent One", "RINGNOANSWER", ("1000",))


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        (
            "1795307706|1795307706.141|support|NONE|ENTERQUEUE||09000000001|1",
            Entry(AT, "1795307706.141", "support", None, "ENTERQUEUE", ("", "09000000001", "1")),
        ),
        (
            "1795307706|1795307706.141|support|NONE|ENTERQUEUE|http://crm|09000000001|1|Müller, Jörg",
            Entry(
                AT, "1795307706.141", "support", None, "ENTERQUEUE", ("http://crm", "09000000001", "1", "Müller, Jörg")
            ),
        ),
        (
            "1795307706|a-1795307706.141|support|PJSIP/7|CONNECT|3|1795307706.142|2",
            Entry(AT, "a-1795307706.141", "support", "PJSIP/7", "CONNECT", ("3", "1795307706.142", "2")),
        ),
        ("1795307706|NONE|NONE|NONE|QUEUESTART|", Entry(AT, "NONE", None, None, "QUEUESTART", ())),
        ("1795307706|NONE|NONE|NONE|QUEUESTART", Entry(AT, "NONE", None, None, "QUEUESTART", ())),
        ("1795307706|1.2|q||ABANDON|1|1|0", Entry(AT, "1.2", "q", None, "ABANDON", ("1", "1", "0"))),
        ("1795307706|1.2|q|NONE|FULL|", Entry(AT, "1.2", "q", None, "FULL", ())),
        ("1795307706|1.2|q|NONE|EXITWITHKEY|1|2", Entry(AT, "1.2", "q", None, "EXITWITHKEY", ("1", "2"))),
        ("1795307706|MANAGER|q|SIP/1|ADDMEMBER|", Entry(AT, "MANAGER", "q", "SIP/1", "ADDMEMBER", ())),
        (
            "1795307706|1.2|q|NONE|SITES-OWN|a|b||c||",
            Entry(AT, "1.2", "q", None, "SITES-OWN", ("a", "b", "", "c")),
        ),
        (
            "1795307706|1.2|q|A|ATTENDEDTRANSFER|BRIDGE|b6|5|70|1",
            Entry(AT, "1.2", "q", "A", "ATTENDEDTRANSFER", ("BRIDGE", "b6", "5", "70", "1")),
        ),
    ],
)
def test_a_line(line: str, entry: Entry) -> None:
    for end in ("", "\n", "\r\n"):
        assert parse((line + end).encode()) == entry


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("1795307706", AT),
        ("1795307706.25", AT + 250_000),
        ("1795307706.123456", AT + 123_456),
        ("1795307706.123456789", AT + 123_456),
        ("2026-11-22 00:35:06", AT),
        ("2026-11-22 00:35:06.123456", AT + 123_456),
        ("2026-11-22T00:35:06Z", AT),
        ("2026-11-22 09:35:06+09:00", AT),
    ],
)
def test_times_of_every_dialect(written: str, at: int) -> None:
    assert parse(f"{written}|1795307706.141|support|Agent One|RINGNOANSWER|1000".encode()) == RING._replace(at=at)


def test_a_local_time_needs_the_zone() -> None:
    line = b"2026-11-22 09:35:06|1795307706.141|support|Agent One|RINGNOANSWER|1000"
    assert parse(line, TOKYO) == RING


def test_of_an_hour_that_comes_twice_the_first_is_meant() -> None:
    read = parse(b"2026-10-25 02:30:00.5|1.2|q|NONE|ABANDON|1|1|1", BERLIN)
    assert isinstance(read, Entry)
    assert datetime.fromtimestamp(read.at / SECOND, UTC).isoformat() == "2026-10-25T00:30:00.500000+00:00"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"x|1",
        b"1795300000|x|1",
        b"|1.2|q|NONE|ABANDON|1|1|1",
        b"17953|1.2|q|NONE|ABANDON|1|1|1",
        b"1_795_307|1.2|q|NONE|ABANDON|1|1|1",
        b"99999999999|1.2|q|NONE|ABANDON|1|1|1",
        b"0001-01-01 00:00:00|1.2|q|NONE|ABANDON|1|1|1",
        b"1795307706|1.2|q|NONE||1|1|1",
        b"1795307706|1.2|q|NO\0NE|ABANDON|1|1|1",
        "\u0661795307706|1.2|q|NONE|ABANDON|1|1|1".encode(),
    ],
)
def test_what_is_no_line_is_a_fault(line: bytes) -> None:
    read = parse(line)
    assert isinstance(read, Fault)
    assert read.why
    assert "0901" not in parse(b"09012345678|x").text  # type: ignore[union-attr]


def test_nuls_before_a_line_are_what_a_power_cut_left() -> None:
    assert parse(b"\0\0\0\x001795307706|1795307706.141|support|Agent One|RINGNOANSWER|1000") == RING


def test_bytes_that_are_no_text_are_kept_apart() -> None:
    read = parse(b"1795307706|1.2|q|NONE|ENTERQUEUE||09\xff1|1")
    assert isinstance(read, Entry)
    assert read.data[1] == "09\ufffd1"


@given(st.binary(max_size=200))
def test_no_bytes_raise(line: bytes) -> None:
    assert isinstance(parse(line), Entry | Fault)


@given(st.lists(st.sampled_from(["1795307706", "2026-11-22 00:35:06", "", "NONE", "|", "1.2", "\0", "x"]), max_size=12))
def test_no_fields_raise(fields: list[str]) -> None:
    line = "|".join(fields)
    assert parse_all([line], TOKYO) == [parse(line.encode(), TOKYO)]


def test_faults_are_counted_and_some_are_kept() -> None:
    faults = Faults(limit=2)
    for number in range(5):
        faults.add(Fault("too short", "x"), f"queue_log:{number}")
    assert (len(faults), [fault.place for fault in faults]) == (5, ["queue_log:0", "queue_log:1"])
