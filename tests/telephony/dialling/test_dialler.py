"""Our callbacks, followed in streams recorded from real ones (Asterisk 22, our own contexts)."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.ami.protocol import Message, Parser, encode
from telephony.dialling.dialler import (
    AttemptEnd,
    AttemptEvent,
    AttemptStep,
    Dialler,
    Order,
    attempt_of_message,
    originate,
)
from telephony.ids import attempt_of
from telephony.replay import calls_of
from tests.telephony.wire import written

STREAMS = Path(__file__).parents[2] / "streams" / "callbacks"
ALL = sorted(path.name.removesuffix(".ami.gz") for path in STREAMS.glob("*.ami.gz"))
STEPS = ("agent_connected_at", "customer_dialled_at", "customer_answered_at")
CUSTOMER_FIRST = ("customer_dialled_at", "customer_answered_at", "agent_connected_at")

# stream -> outcome and how many of the three steps were taken
EXPECTED = {
    "reached": ("reached", 3),
    "customer-left": ("customer-left", 3),
    "busy": ("busy", 2),
    "declined": ("declined", 2),
    "invalid-number": ("invalid-number", 2),
    "no-answer": ("no-answer", 2),
    "trunk-failure": ("trunk-failure", 2),
    "trunk-refuses": ("trunk-failure", 2),  # 403 is about us, though its cause is that of a decline
    "agent-cancelled": ("agent-cancelled", 2),
    "agent-no-answer": ("agent-no-answer", 0),
    "refused-used": ("refused-used", 1),
    "refused-late": ("refused-late", 0),
    "alone-reached": ("reached", 3),  # one agent's phone was rung and no other
    "alone-no-answer": ("agent-no-answer", 0),
    "customer-first-reached": ("reached", 3),
    "customer-first-nobody": ("agent-no-answer", 2),
    "customer-first-left": ("customer-left", 2),
    "customer-first-called-off": ("agent-cancelled", 1),
}


def messages(name: str) -> list[Message]:
    return Parser().feed(gzip.decompress((STREAMS / f"{name}.ami.gz").read_bytes()) + b"\r\n\r\n")


def followed(stream: list[Message], reached_after_s: float = 10) -> list[AttemptEvent]:
    dialler = Dialler(lambda: reached_after_s)
    return [news for offset, message in enumerate(stream) for news in taken(dialler, message, at_of(message), offset)]


def taken(dialler: Dialler, message: Message, at: int, offset: int) -> list[AttemptEvent]:
    attempt = attempt_of_message(message)
    return [] if attempt is None else dialler.take(attempt, message, at, offset)


def at_of(message: Message) -> int:
    return int(float(message.get("Timestamp") or 0) * 1e6)


def test_every_stream_has_its_expectation() -> None:
    assert set(ALL) == set(EXPECTED)


@pytest.mark.parametrize("name", ALL)
def test_a_recorded_callback_ends_as_it_really_did(name: str) -> None:
    outcome, steps = EXPECTED[name]
    news = followed(messages(name))
    order_of_steps = CUSTOMER_FIRST if name.startswith("customer-first") else STEPS
    assert [n.step for n in news if isinstance(n, AttemptStep)] == list(order_of_steps[:steps])
    assert [n.outcome for n in news if isinstance(n, AttemptEnd)] == [outcome]


@pytest.mark.parametrize("name", ALL)
def test_nobody_whom_we_called_counts_as_a_caller(name: str) -> None:
    """Not even he who was called first and then waited in the queue."""
    judged = calls_of(STREAMS / f"{name}.ami.gz", trunks=("PJSIP/trunk",))
    assert {(attempt_of(call.call_id) is not None, verdict.kind) for call, verdict in judged} == {(True, "callback")}


def test_the_agent_is_named() -> None:
    assert [n.agent for n in followed(messages("reached")) if isinstance(n, AttemptStep)] == [
        "Agent One",
        None,
        None,
    ]


def test_an_agent_who_is_rung_alone_is_known_by_the_answer_to_our_own_dial_and_named_by_nobody() -> None:
    stream = messages("alone-reached")
    assert [n.agent for n in followed(stream) if isinstance(n, AttemptStep)] == [None, None, None]
    unsaid = [m for m in stream if m.get("UserEvent") != "LcrAlone"]
    assert [n.step for n in followed(unsaid) if isinstance(n, AttemptStep)] == list(STEPS[1:]), "a transfer is no agent"


@pytest.mark.parametrize("name", ["reached", "customer-first-reached"])
def test_reached_needs_both_legs_bridged_long_enough(name: str) -> None:
    ends = [n.outcome for n in followed(messages(name), reached_after_s=60) if isinstance(n, AttemptEnd)]
    assert ends == ["customer-left"]


def test_waiting_for_an_agent_is_no_talk() -> None:
    """The customer, called first, was on the line for 12.5 s, and talked to an agent for 10.6 of them."""
    stream = messages("customer-first-reached")
    assert [n.outcome for n in followed(stream, 10) if isinstance(n, AttemptEnd)] == ["reached"]
    assert [n.outcome for n in followed(stream, 11) if isinstance(n, AttemptEnd)] == ["customer-left"]


@pytest.mark.parametrize("name", ALL)
def test_without_our_contexts_words_the_end_is_left_to_the_ticket(name: str) -> None:
    stream = [m for m in messages(name) if m.name != "UserEvent"]
    assert [n.outcome for n in followed(stream) if isinstance(n, AttemptEnd)] == [None]


def test_a_callback_whose_words_come_on_another_channel_is_not_believed() -> None:
    stream = messages("busy")
    ids = [("Uniqueid", "1795313879.7"), ("Linkedid", "lcr-s3-1")]
    said = [("CallbackId", "s3"), ("DialStatus", "ANSWER"), ("HangupCause", "16"), ("AnsweredTime", "600")]
    forged = Message(written([("Event", "UserEvent"), *ids, ("UserEvent", "LcrEnded"), *said]))
    begun = next(i for i, m in enumerate(stream) if m.name == "DialBegin")
    assert [n.outcome for n in followed([*stream[:begun], forged, *stream[begun:]]) if isinstance(n, AttemptEnd)] == [
        "busy"
    ]


@given(st.sampled_from(ALL), st.data())
def test_whatever_is_lost_doubled_or_reordered_an_attempt_ends_once_and_never_as_more_than_it_was(
    name: str, data: st.DataObject
) -> None:
    stream = [m for m in messages(name) if b"lcr-" in m.raw]
    kept = data.draw(st.lists(st.sampled_from(range(len(stream))), max_size=80))
    dialler = Dialler(lambda: 10)
    news = [n for offset, i in enumerate(kept) for n in taken(dialler, stream[i], offset, offset)]
    ends = [n for n in news if isinstance(n, AttemptEnd)]
    assert len({(n.attempt, n.at) for n in ends}) == len(ends)
    if EXPECTED[name][0] != "reached":
        assert "reached" not in [n.outcome for n in ends]


def order(**changes: object) -> Order:
    values: dict[str, object] = {
        "attempt": "a1b2",
        "queue": "support",
        "dial": "PJSIP/09012345678@trunk",
        "ring_until": 1_795_313_900,
        "agent_wait_s": 30,
        "ring_s": 25,
        "caller_num": "0312345678",
        "caller_name": "Support",
        "agent_sees": "09012345678",
    }
    return Order(**{**values, **changes})  # type: ignore[arg-type]


def test_an_order_becomes_an_originate_of_our_contexts() -> None:
    sent = encode("Originate", originate(order(), 1_795_313_000)).decode()
    assert "Channel: Local/s@lcr-agent/n\r\nContext: lcr-customer\r\nExten: s\r\n" in sent
    assert "ChannelId: lcr-a1b2-1\r\nOtherChannelId: lcr-a1b2-2\r\n" in sent
    assert "Variable: __LCR_RING_UNTIL=1795313900\r\n" in sent


def test_an_order_for_the_customer_first_dials_him_on_the_same_leg_and_asks_the_queue_on_the_other() -> None:
    sent = encode("Originate", originate(order(first="customer"), 1_795_313_000)).decode()
    assert "Channel: Local/s@lcr-customer/n\r\nContext: lcr-waiting\r\nExten: s\r\n" in sent
    assert "ChannelId: lcr-a1b2-2\r\nOtherChannelId: lcr-a1b2-1\r\n" in sent
    assert "Variable: __LCR_PRIO=1000\r\n" in sent


@pytest.mark.parametrize(("left_s", "milliseconds"), [(900.0, 30_000), (20.25, 25_250), (-90.0, 1000)])
def test_a_customer_who_comes_first_is_let_go_by_our_own_dial_and_not_before_it(
    left_s: float, milliseconds: int
) -> None:
    """His phone must stop as unanswered, not as called off by us."""
    sent = dict(originate(order(first="customer", ring_until=1_795_313_900), 1_795_313_900 - left_s))
    assert sent["Timeout"] == str(milliseconds)


@pytest.mark.parametrize("evil", ["a,b", "x&PJSIP/1900@trunk", "${SHELL(id)}", 'n"', "two\r\nlines", "$[1+1]"])
@pytest.mark.parametrize("field", ["queue", "dial", "caller_name", "agent_sees", "agent_reads", "agent"])
def test_a_value_that_a_dialplan_reads_as_more_is_refused(field: str, evil: str) -> None:
    with pytest.raises(ValueError, match="dialplan reads"):
        originate(order(**{field: evil}), 1_795_313_000)


@pytest.mark.parametrize(("left_s", "milliseconds"), [(900.0, 35_000), (20.25, 20_250), (0.0, 1000), (-90.0, 1000)])
def test_asterisk_gives_up_no_later_than_the_last_ring(left_s: float, milliseconds: int) -> None:
    """Not even where the queue lets a phone ring past its time-out; what is too late, our context refuses."""
    sent = dict(originate(order(ring_until=1_795_313_900), 1_795_313_900 - left_s))
    assert sent["Timeout"] == str(milliseconds)


def test_an_answer_is_told_once() -> None:
    stream = messages("reached")
    again = [copy for m in stream for copy in ([m, m] if m.name == "DialEnd" else [m])]
    assert [n.step for n in followed(again) if isinstance(n, AttemptStep)] == list(STEPS)


def test_what_holds_a_full_journal_is_forgotten() -> None:
    dialler = Dialler(lambda: 10)
    for number in (1, 2, 3):
        dialler.adopt(f"a{number}", number * 100)
    dialler.forget_before(200)
    assert dialler.oldest_offset() == 200
    assert sorted(n.attempt for n in dialler.keep_only(set())) == ["a2", "a3"]


def test_a_message_that_asterisk_did_not_write_tells_nothing_of_an_attempt() -> None:
    ids = [("Uniqueid", "lcr-s3-1"), ("Linkedid", "lcr-s3-1")]
    for kind in ("Newchannel", "Hangup", "DialEnd", "UserEvent"):
        said = [("UserEvent", "LcrEnded"), ("CallbackId", "s3")] if kind == "UserEvent" else []
        assert attempt_of_message(Message(written([("Event", kind), *ids, *said]))) == "s3"
        forged = "\r\n".join(f"{key}: {value}" for key, value in [("Event", kind), *ids, *said])
        assert attempt_of_message(Message(forged.encode())) is None
