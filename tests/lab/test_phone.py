"""The lab's phones on the lab's Asterisk: what a test may rely on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from lab import phone
from lab.asterisk import MUSIC_HZ
from lab.phone import AGENT_HZ, CUSTOMER_HZ, PhoneError

if TYPE_CHECKING:
    from lab.asterisk import Asterisk
    from lab.phone import Carrier, Phone

pytestmark = pytest.mark.live

CUSTOMER = "09012345678"


def place(pbx: Asterisk, number: str, *, ring_s: float = 5) -> None:
    """Let the PBX call a customer, who then hears nothing for a while."""
    timeout = str(int(ring_s * 1000))
    where = {"Channel": f"PJSIP/{number}@trunk", "CallerID": "Support <0312345678>"}
    pbx.action("Originate", **where, Application="Wait", Data="30", Timeout=timeout, Async="true")


def test_customer_and_agent_hear_each_other(pbx: Asterisk, carrier: Carrier, agent2: Phone) -> None:
    agent2.script = phone.answer(0.8)
    call = carrier.call("505", caller=CUSTOMER)
    call.wait_heard(MUSIC_HZ)
    assert not call.heard(AGENT_HZ)
    rung = agent2.wait_call().wait_answered()
    call.wait_heard(AGENT_HZ)
    rung.wait_heard(CUSTOMER_HZ)
    assert rung.caller_id == CUSTOMER
    call.hang_up()
    rung.wait_ended()
    assert (call.ended_by, rung.ended_by) == ("us", "pbx")
    assert rung.answered_at
    assert rung.rang_at
    assert rung.ended_at
    assert call.at < rung.at <= rung.rang_at < rung.answered_at < rung.ended_at
    assert not call.heard(CUSTOMER_HZ), "nobody hears himself"
    pbx.wait_quiet()
    assert f"|sales|NONE|ENTERQUEUE||{CUSTOMER}|" in pbx.queue_log.read_text()


def test_an_agent_who_hangs_up_ends_the_call_of_the_customer(carrier: Carrier, agent2: Phone) -> None:
    agent2.script = phone.answer(0.1, talk_s=0.3)
    call = carrier.call("505", caller=CUSTOMER)
    rung = agent2.wait_call().wait_ended()
    call.wait_ended()
    assert (call.ended_by, rung.ended_by) == ("pbx", "us")
    assert rung.talked_s == pytest.approx(0.3, abs=0.25)


@pytest.mark.parametrize("did", ["505", "508"])
def test_a_customer_gives_up_while_waiting(pbx: Asterisk, carrier: Carrier, agent2: Phone, did: str) -> None:
    agent2.script = phone.no_answer()
    call = carrier.call(did, caller=CUSTOMER)
    rung = agent2.wait_call(timeout_s=20).wait_ringing()
    call.hang_up()
    rung.wait_ended()
    assert rung.ended_by == "pbx"
    assert rung.answered_at is None
    assert rung.rang_until == rung.ended_at
    pbx.wait_quiet()


@pytest.mark.parametrize(("did", "code"), [("503", 200), ("510", 503), ("513", 503), ("999", 404)])
def test_a_customer_who_is_blocked_is_told_so(carrier: Carrier, did: str, code: int) -> None:
    call = carrier.call(did, caller=CUSTOMER).wait_ended()
    assert (call.ended_by, call.code) == ("pbx", code)


def test_digits_reach_the_pbx(pbx: Asterisk, carrier: Carrier) -> None:
    with pbx.console() as listening:
        call = carrier.call("502", caller=CUSTOMER).wait_answered()
        call.press("17")
        digits = [listening.wait_event("DTMFEnd")["Digit"] for _ in range(2)]
    assert digits == ["1", "7"]


@pytest.mark.parametrize(
    ("script", "causes", "code"),
    [
        (phone.answer(0.1, talk_s=0.2), {"0", "16"}, 200),  # 0 on Asterisk 22, 16 on 16
        (phone.busy(), {"17"}, 486),
        (phone.decline(0.1), {"21"}, 603),
        (phone.invalid(), {"1"}, 404),
    ],
)
def test_a_customer_behaves_as_told(
    pbx: Asterisk, carrier: Carrier, script: phone.Script, causes: set[str], code: int
) -> None:
    carrier.behave("08012345601", script)
    with pbx.console() as listening:
        place(pbx, "08012345601")
        hangup = listening.wait_event("Hangup")
    rung = carrier.wait_call("08012345601").wait_ended()
    assert hangup["Cause"] in causes
    assert (rung.code, rung.ended_by) == (code, "us")
    assert rung.caller_id == "0312345678"
    assert rung.caller_name == "Support"


def test_a_phone_that_nobody_answers_rings_until_the_pbx_gives_up(pbx: Asterisk, carrier: Carrier) -> None:
    carrier.behave("08012345602", phone.no_answer())
    place(pbx, "08012345602", ring_s=1)
    rung = carrier.wait_call("08012345602").wait_ended()
    assert (rung.ended_by, rung.answered_at) == ("pbx", None)
    assert rung.rang_at
    assert rung.rang_until
    assert rung.rang_until - rung.rang_at == pytest.approx(1e6, abs=3e5)


def test_a_phone_that_never_replies_is_one_ring_however_often_the_pbx_repeats(pbx: Asterisk, carrier: Carrier) -> None:
    carrier.behave("08012345603", phone.never_reply())
    with pbx.console() as listening:
        place(pbx, "08012345603", ring_s=2)  # it is asked again after 0.5 and 1.5 s
        listening.wait_event("Hangup")
    assert len(carrier.rings_of("08012345603")) == 1
    assert carrier.rings[0].rang_at is None
    carrier.rings[0].hang_up()


def test_every_ring_is_kept_with_its_number_and_instant(pbx: Asterisk, carrier: Carrier) -> None:
    carrier.script = phone.busy()
    before = time.time_ns() // 1000
    for number in ("08012345604", "08012345605", "08012345604"):
        place(pbx, number)
        carrier.wait_call(number).wait_ended()
    assert [call.number for call in carrier.rings] == ["08012345604", "08012345605", "08012345604"]
    first, second = carrier.rings_of("08012345604")
    assert before < first.at < second.at < time.time_ns() // 1000


def test_a_customer_may_behave_otherwise_at_the_next_call(pbx: Asterisk, carrier: Carrier) -> None:
    carrier.behave("08012345607", phone.busy(), phone.invalid())
    codes = []
    for _ in range(3):
        place(pbx, "08012345607")
        codes.append(carrier.wait_call("08012345607").wait_ended().code)
    assert codes == [486, 404, 404]


def test_a_call_answered_by_hand(pbx: Asterisk, carrier: Carrier) -> None:
    carrier.behave("08012345606", phone.no_answer())
    place(pbx, "08012345606")
    rung = carrier.wait_call("08012345606").wait_ringing()
    rung.answer()
    rung.wait_answered()
    rung.hang_up("Q.850;cause=41")
    assert rung.ended_by == "us"
    with pytest.raises(PhoneError, match="nothing to answer"):
        rung.answer()


def test_a_silent_and_a_vanished_customer_are_not_heard(carrier: Carrier, agent2: Phone) -> None:
    agent2.script = phone.answer(0.1, sound="silence")
    call = carrier.call("505", caller=CUSTOMER, sound="none")
    rung = agent2.wait_call().wait_answered()
    packets = rung.packets
    call.make("tone")
    rung.wait_heard(CUSTOMER_HZ)
    assert rung.packets > packets
    assert call.packets
    assert not call.heard(AGENT_HZ)
    call.vanish()
    assert rung.state == "answered", "the other side learns nothing"


def test_a_held_customer_hears_music_until_he_is_taken_back(carrier: Carrier, agent2: Phone) -> None:
    call = carrier.call("505", caller=CUSTOMER).wait_heard(AGENT_HZ)
    rung = agent2.wait_call().wait_heard(CUSTOMER_HZ)
    rung.hold()
    call.wait_heard(MUSIC_HZ, last_s=0.2)
    rung.resume()
    call.wait_heard(AGENT_HZ, last_s=0.2)
    call.hang_up()
    assert rung.wait_ended().ended_by == "pbx"


def test_a_customer_is_handed_on_without_a_word(pbx: Asterisk, carrier: Carrier, agent2: Phone) -> None:
    call = carrier.call("505", caller=CUSTOMER).wait_heard(AGENT_HZ)
    first = agent2.wait_call().wait_answered()
    first.transfer("08012345609")
    second = carrier.wait_call("08012345609").wait_heard(CUSTOMER_HZ)
    assert first.wait_ended().ended_by == "us", "the PBX says that it is done, and the phone lets go"
    call.wait_heard(CUSTOMER_HZ).hang_up()
    assert second.wait_ended().ended_by == "pbx"
    pbx.wait_quiet()


def test_a_customer_is_joined_with_whom_his_agent_asked(carrier: Carrier, agent2: Phone) -> None:
    call = carrier.call("505", caller=CUSTOMER).wait_heard(AGENT_HZ)
    first = agent2.wait_call().wait_answered()
    first.hold()
    asked = agent2.call("08012345609", caller="agent2").wait_answered()
    second = carrier.wait_call("08012345609").wait_heard(AGENT_HZ)
    assert not second.heard(CUSTOMER_HZ)
    first.transfer_to(asked)
    second.wait_heard(CUSTOMER_HZ)
    assert (first.wait_ended().state, asked.wait_ended().state) == ("ended", "ended")
    second.hang_up()
    assert call.wait_ended().ended_by == "pbx"


def test_waiting_in_vain_says_what_was_seen(carrier: Carrier, agent2: Phone) -> None:
    agent2.script = phone.no_answer()
    call = carrier.call("508", caller=CUSTOMER)
    with pytest.raises(PhoneError, match=rf"{CUSTOMER} -> 508 .* did not be answered within 0.1 s"):
        call.wait_answered(0.1)
    with pytest.raises(PhoneError, match="nobody called 08099999999 within"):
        carrier.wait_call("08099999999", 0.1)
