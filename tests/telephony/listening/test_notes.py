"""Notes come back as they were written, and nothing that comes over the wire is one."""

from hypothesis import given
from hypothesis import strategies as st

from telephony.ami.protocol import Parser
from telephony.events import ChannelEvent, Confirmed, Denied, Detecting
from telephony.listening import notes

text = st.text(max_size=30)
ids = (st.integers(0, 2**60), text, text, text)
any_note = st.one_of(st.builds(Confirmed, *ids, text), st.builds(Denied, *ids), st.builds(Detecting, *ids))


@given(any_note)
def test_a_note_comes_back_as_it_was_written(note: ChannelEvent) -> None:
    assert notes.read(notes.write(note)) == note


@given(any_note, st.binary(max_size=40), st.integers(1, 60))
def test_nobody_can_write_a_note_into_the_stream(note: ChannelEvent, before: bytes, size: int) -> None:
    data = b"Asterisk Call Manager/9.0.0\r\n" + before + notes.write(note) + b"\r\n\r\n"
    parser = Parser()
    messages = [message for at in range(0, len(data), size) for message in parser.feed(data[at : at + size])]
    assert messages
    assert [notes.read(message.raw) for message in messages] == [None] * len(messages)


def test_a_note_of_a_later_version_is_passed_over() -> None:
    assert notes.read(b'\r\n\r\n["Unheard", {"at": 1}]') is None
