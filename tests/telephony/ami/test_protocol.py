"""Bytes to messages and back, in pieces of any size."""

import gzip
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.ami.protocol import ActionRefused, Message, Parser, ProtocolError, encode

STREAMS = Path(__file__).parents[2] / "streams"
BANNER = b"Asterisk Call Manager/11.0.0\r\n"

NEWCHANNEL = (
    b"Event: Newchannel\r\nPrivilege: call,all\r\nChannel: PJSIP/trunk-00000001\r\n"
    b"CallerIDNum: %b\r\nCallerIDName: Taro\r\nAccountCode: \r\nUniqueid: 1795307133.7\r\n"
    b"Linkedid: 1795307133.7\r\n\r\n"
)

# Anything a value can hold; what ends a message must not come about by chance.
values = st.one_of(
    st.sampled_from([b"", b" ", b"\n", b"\r", b"a\nb", b"\xe9\xff", b"\xe2\x80\xa8", b"\x85x", b"x: y", b":"]),
    st.binary(max_size=12),
).filter(lambda value: b"\r\n" not in value)
keys = st.from_regex(rb"[A-Z][A-Za-z-]{0,8}", fullmatch=True)
bodies = st.lists(st.tuples(keys, values), min_size=1, max_size=6).map(
    lambda pairs: b"\r\n".join(key + b": " + value for key, value in pairs)
)


def parse(*pieces: bytes) -> list[bytes]:
    parser = Parser()
    return [message.raw for piece in pieces for message in parser.feed(piece)]


@given(st.lists(bodies, max_size=5), st.booleans(), st.lists(st.integers(0, 600), max_size=12), st.data())
def test_any_split_gives_the_same_messages(
    raws: list[bytes], greeted: bool, cuts: list[int], data: st.DataObject
) -> None:
    rest = data.draw(st.sampled_from([b"", b"E", b"Event: Cut\r\nKey: va", b"\r", b"\r\n"]))
    stream = (BANNER if greeted else b"") + b"".join(raw + b"\r\n\r\n" for raw in raws) + rest
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})

    assert parse(stream) == raws
    assert parse(*(stream[a:b] for a, b in pairwise(places))) == raws
    assert parse(*(stream[i : i + 1] for i in range(len(stream)))) == raws


def test_a_recording_byte_by_byte() -> None:
    stream = gzip.decompress((STREAMS / "05a-congestion.ami.gz").read_bytes())
    whole = parse(stream)

    assert len(whole) == 18
    assert parse(*(stream[i : i + 1] for i in range(len(stream)))) == whole
    assert b"\r\n\r\n".join([BANNER + whole[0], *whole[1:], b""]) == stream


def test_the_banner_is_no_message() -> None:
    parser = Parser()

    assert parser.feed(BANNER[:10]) == []
    assert (parser.banner, parser.greeted) == (None, False)
    assert parser.feed(BANNER[10:] + b"Response: Success\r\n\r\n") == [Message(b"Response: Success")]
    assert (parser.banner, parser.greeted) == ("Asterisk Call Manager/11.0.0", True)


@pytest.mark.parametrize("beginning", [b"SSH-2.0-OpenSSH_9.2p1\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"x"])
def test_another_server_has_no_banner(beginning: bytes) -> None:
    parser = Parser()
    parser.feed(beginning)

    assert parser.greeted
    assert parser.banner is None


def test_empty_lines_too_many_belong_to_no_message() -> None:
    stream = b"\r\n\r\nEvent: A\r\n\r\n\r\nEvent: B\r\n\r\n\r\n\r\nEvent: C\r\n\r\n"

    assert parse(stream) == [b"Event: A", b"Event: B", b"Event: C"]
    assert parse(*(stream[i : i + 1] for i in range(len(stream)))) == [b"Event: A", b"Event: B", b"Event: C"]


def test_a_message_cut_off_is_known_as_unfinished() -> None:
    parser = Parser()
    parser.feed(BANNER + b"Event: A\r\n\r\n")
    assert not parser.unfinished
    parser.feed(b"Event: Hang")
    assert parser.unfinished


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_a_message_without_end_is_given_up(size: int) -> None:
    limit = 10_000
    exact = b"Event: " + b"x" * (limit - 7) + b"\r\n\r\n"
    over = b"Event: " + b"x" * (limit - 6) + b"\r\n\r\n"

    assert len(Parser(limit).feed(exact)) == 1
    parser = Parser(limit)
    assert sum(len(parser.feed(exact[i : i + size])) for i in range(0, len(exact), size)) == 1
    with pytest.raises(ProtocolError, match="longer than 10000 bytes"):
        assert not [parser.feed(over[i : i + size]) for i in range(0, len(over), size)]
    with pytest.raises(ProtocolError):
        Parser(limit).feed(b"Event: A\r\n\r\n" + over)


def test_a_long_message_in_small_pieces_costs_no_square() -> None:
    piece = b"x" * 64
    parser = Parser()
    parser.feed(b"Event: Long\r\nKey: ")
    for _ in range((1 << 20) // 64 - 8):  # copied on each feed, these would be 8 GB
        assert parser.feed(piece) == []

    assert len(parser.feed(b"\r\n\r\n")) == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"Taro", "Taro"),
        (b"\xe5\xb1\xb1\xe7\x94\xb0", "山田"),
        (b"Ren\xe9", "René"),  # Latin-1, for this field alone
        (b"a\nb", "a\nb"),
        (b"a\rb", "a\rb"),
        (b"a\xe2\x80\xa8Uniqueid: 1", "a\u2028Uniqueid: 1"),
        (b"a\xc2\x85b\x0bc\x1cd", "a\x85b\x0bc\x1cd"),
        (b"", ""),
        (b" two spaces ", " two spaces "),
        (b"a: b", "a: b"),
    ],
)
def test_a_value_is_what_stands_between_colon_and_crlf(value: bytes, text: str) -> None:
    (message,) = Parser().feed(b"Event: X\r\nName: " + value + b"\r\nCity: \xe6\x9d\xb1\r\n\r\n")

    assert message.get("Name") == text
    assert message.all("Name") == [text]
    assert message.headers == [("Event", "X"), ("Name", text), ("City", "東")]


def test_reading_a_message() -> None:
    message = Message(b"Event: VarSet\r\nVariable: A\r\nState: 1\r\nNoSpace:x\r\nno colon\r\nState: 2")

    assert message.name == "VarSet"
    assert message.get("Event") == "VarSet"
    assert message.get("State") == "1"
    assert message.all("State") == ["1", "2"]
    assert message.get("NoSpace") == "x"
    assert message.get("state", "none") == "none"  # keys are exact
    assert message.get("tate") == ""
    assert message.get("Var") == ""
    assert [key for key in ("Event", "State", "Variable", "X") if message.count(key) > 1] == ["State"]
    assert message.headers[3:5] == [("NoSpace", "x"), ("", "no colon")]


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"Event: Hangup", "Hangup"),
        (b"Response: Success\r\nEvent: Hangup", ""),
        (b"CallerIDName: x\r\nEvent: Hangup", ""),  # the tail of a message that a caller cut in two
        (b"event: Hangup", ""),
        (b"", ""),
    ],
)
def test_an_event_begins_with_its_name(raw: bytes, name: str) -> None:
    assert Message(raw).name == name


def test_messages_are_equal_by_their_bytes() -> None:
    assert Message(b"Event: A") == Message(b"Event: A")
    assert len({Message(b"Event: A"), Message(b"Event: A"), Message(b"Event: B")}) == 2
    assert Message(b"Event: A") != "Event: A"
    assert repr(Message(b"Event: A")) == "Message(b'Event: A')"


# What a caller's SIP user with %0d%0a in it makes of a Newchannel (Asterisk 16 and 22 alike).


def test_a_forged_header_shows_as_repeated() -> None:
    (message,) = Parser().feed(NEWCHANNEL % b"090\r\nUniqueid: 666.1\r\nX: y")

    assert message.get("Uniqueid") == "666.1"  # the first: the parser cannot know
    assert message.all("Uniqueid") == ["666.1", "1795307133.7"]
    assert message.count("Uniqueid") > 1
    assert message.count("Linkedid") == 1


def test_a_forged_header_without_space_shows_as_repeated() -> None:
    (message,) = Parser().feed(NEWCHANNEL % b"090\r\nUniqueid:666.1")

    assert message.count("Uniqueid") > 1


def test_a_forged_event_takes_the_ids_from_the_real_one() -> None:
    forged = b"090\r\n\r\nEvent: UserEvent\r\nUserEvent: CallbackReserve\r\nNumber: 0900666"
    real, user_event = Parser().feed(NEWCHANNEL % forged)

    assert (real.name, real.get("Uniqueid")) == ("Newchannel", "")  # the sign of it
    assert (user_event.name, user_event.get("Uniqueid")) == ("UserEvent", "1795307133.7")


def test_a_forged_whole_event_leaves_a_nameless_tail() -> None:
    forged = b"090\r\n\r\nEvent: Hangup\r\nUniqueid: 1.1\r\nLinkedid: 1.1\r\n\r\nX: y"
    real, hangup, tail = Parser().feed(NEWCHANNEL % forged)

    assert real.get("Uniqueid") == ""
    assert (hangup.name, hangup.get("Uniqueid"), hangup.count("Uniqueid")) == ("Hangup", "1.1", 1)
    assert (tail.name, tail.get("Uniqueid")) == ("", "1795307133.7")


def test_an_action_as_bytes() -> None:
    action = encode("Originate", [("ActionID", "x1"), ("Variable", "A=1"), ("Variable", "B=東")])

    assert action == (b"Action: Originate\r\nActionID: x1\r\nVariable: A=1\r\nVariable: B=\xe6\x9d\xb1\r\n\r\n")
    assert encode("Ping") == b"Action: Ping\r\n\r\n"


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("Exten", "1\r\nAction: Command", "'Exten' holds a carriage return"),
        ("Exten", "1\nAction: Command", "'Exten' holds a line feed"),
        ("Exten", "1\0", "'Exten' holds a NUL"),
        ("Exten", "\ud800", "'Exten' is no Unicode text"),
        ("Exten", "x" * 1014, "'Exten' has 1021 bytes of 1020"),
        ("Exten", "東" * 338, "'Exten' has 1021 bytes of 1020"),
        ("Ex\r\nten", "1", "no name of a header"),
        ("Exten: 1", "1", "no name of a header"),
        ("Ex ten", "1", "no name of a header"),
        ("", "1", "no name of a header"),
        ("É", "1", "no name of a header"),
    ],
)
def test_what_asterisk_would_misread_is_refused(key: str, value: str, sentence: str) -> None:
    with pytest.raises(ActionRefused, match=sentence):
        encode("Originate", [("Context", "lcr-customer"), (key, value)])


def test_a_refusal_does_not_show_the_value() -> None:
    with pytest.raises(ActionRefused) as refused:
        encode("Login", [("Secret", "hunter2\r\n")])

    assert "hunter2" not in str(refused.value)


def test_the_action_itself_is_checked_too() -> None:
    with pytest.raises(ActionRefused, match="'Action' holds"):
        encode("Ping\r\nAction: Command")


def test_the_longest_line_and_the_most_headers_go_through() -> None:
    assert len(encode("A", [("Exten", "x" * 1013)])) == len("Action: A\r\n") + 1020 + 4
    assert encode("A", [("Variable", "x")] * 127).count(b"Variable") == 127
    with pytest.raises(ActionRefused, match=r"'A' has 129 headers and Asterisk takes 128: leave some out from 'Z'"):
        encode("A", [("Variable", "x")] * 127 + [("Z", "x")])


texts = st.text(st.one_of(st.sampled_from("\r\n\0: ,=東\u2028\x85"), st.characters(codec="ascii")), max_size=9)


@given(st.lists(st.tuples(st.sampled_from(["Exten", "Variable", "X-y"]), texts), max_size=6))
def test_what_is_sent_reads_back_as_it_was(headers: list[tuple[str, str]]) -> None:
    try:
        data = encode("Test", headers)
    except ActionRefused:
        assert any(set(value) & set("\r\n\0") for _, value in headers)
        return

    (message,) = Parser().feed(data)
    assert message.headers == [("Action", "Test"), *headers]
