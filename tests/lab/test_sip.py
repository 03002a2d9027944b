"""SIP messages are read and written as RFC 3261 has them."""

from __future__ import annotations

import pytest

from lab import sip
from lab.sip import Message

INVITE = (
    b"INVITE sip:09012345678@127.0.0.2:21002 SIP/2.0\r\n"
    b"v: SIP/2.0/UDP 127.0.0.1:21001;rport;branch=z9hG4bKa\r\n"
    b"Via: SIP/2.0/UDP 127.0.0.9:5060;branch=z9hG4bKb\r\n"
    b'From: "Support, Tokyo" <sip:0312345678@127.0.0.1>;tag=x\r\n'
    b"To: <sip:09012345678@127.0.0.2>\r\n"
    b"Contact: <sip:asterisk@127.0.0.1:21001>\r\n"
    b"Call-ID: one\r\nCSeq: 7 INVITE\r\nContent-Type: application/sdp\r\nContent-Length: 51\r\n\r\n"
    b"v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 21010 RTP/AVP 0\r\n"
)


def test_a_request_is_read() -> None:
    message = Message.parse(INVITE)
    assert (message.status, message.method, message.dialled) == (None, "INVITE", "09012345678")
    assert (sip.user(message.get("from")), sip.display_name(message.get("from"))) == ("0312345678", "Support, Tokyo")
    assert sip.uri(message.get("contact")) == "sip:asterisk@127.0.0.1:21001"
    assert sip.media(message.body) == ("127.0.0.1", 21010)
    assert [value[-1] for _, value in message.every("via")] == ["a", "b"]


def test_a_reply_goes_the_way_the_request_came() -> None:
    request = Message.parse(INVITE)
    reply = Message.parse(request.reply(180, tag="mine", contact="<sip:me@127.0.0.2>").encode())
    assert (reply.status, reply.method) == (180, "INVITE")
    assert reply.every("via") == request.every("via")
    assert reply.get("to") == "<sip:09012345678@127.0.0.2>;tag=mine"
    for name in ("from", "call-id", "cseq"):
        assert reply.get(name) == request.get(name)
    assert "tag=" not in request.reply(100, tag="mine", contact="").get("to")


def test_a_phone_that_holds_says_so_in_a_new_description() -> None:
    held = sip.describe(("127.0.0.3", 40000), direction="sendonly", version=2)
    assert b"o=- 1 2 IN" in held
    assert held.endswith(b"a=sendonly\r\n")
    assert sip.tag('"A" <sip:1@h>;tag=x;y=1') == "x"
    assert sip.tag("<sip:1@h>") == ""


def test_a_session_description_says_where_it_listens() -> None:
    assert sip.media(sip.describe(("127.0.0.3", 40000))) == ("127.0.0.3", 40000)
    assert sip.media(b"v=0\r\n") is None


@pytest.mark.parametrize(
    ("header", "name"),
    [("<sip:1@h>;tag=a", ""), ("sip:1@h", ""), ('"" <sip:1@h>', ""), ("Bob <sip:1@h>", "Bob"), ('"B" <sip:1@h>', "B")],
)
def test_what_a_phone_would_show(header: str, name: str) -> None:
    assert sip.display_name(header) == name
    assert sip.user(header) == "1"


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"\xff\x00"])
def test_what_is_no_sip_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not SIP"):
        Message.parse(data)
