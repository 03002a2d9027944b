"""The dialplan we ship, on a real Asterisk: what callers and agents press, and what a site's console hears of it."""

from __future__ import annotations

import secrets
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.asterisk import Asterisk
from lab.console import Reply
from lab.phone import AGENT_HZ, CUSTOMER_HZ, Carrier, Phone
from telephony.dialling import priority_lists
from telephony.dialling.dialler import Order, originate
from tests.live.desk import CUSTOMER
from tests.live.listener import Listener
from tests.live.service import Service

pytestmark = pytest.mark.live

PLUS = "+819012345678"
PRESSES_TO_THE_TWO = {"520": "9000", "521": "SUPPORT-A", "522": "Sales_2", "523": "9000"}


@pytest.fixture
def listener(pbx: Asterisk) -> Iterator[Listener]:
    with Listener(pbx) as listener:
        yield listener


def offer(pbx: Asterisk, queue: str, seconds: int = 20) -> None:
    """Do what the service does every few seconds."""
    pbx.action("Setvar", Variable=f"LCR_OFFER_{queue}", Value=str(int(time.time()) + seconds))


def word_of(event: Reply) -> tuple[str, str]:
    return event["UserEvent"], event.get("Queue", "")


# The key while he waits


@pytest.mark.parametrize("caller", [CUSTOMER, PLUS])
@pytest.mark.parametrize(("did", "queue"), PRESSES_TO_THE_TWO.items())
def test_a_waiting_caller_presses_1_and_asks_for_a_callback(
    pbx: Asterisk, carrier: Carrier, listener: Listener, did: str, queue: str, caller: str
) -> None:
    offer(pbx, queue)
    call = carrier.call(did, caller=caller).wait_answered()
    joined = listener.wait("QueueCallerJoin")
    call.press("1")
    asked = listener.wait_word("LcrRequested")
    assert (asked["Queue"], asked["CallerIDNum"]) == (queue, caller)
    assert (asked["Uniqueid"], asked["Linkedid"]) == (joined["Uniqueid"], joined["Linkedid"])
    assert joined["Queue"] == queue
    call.wait_ended()
    assert call.ended_by == "pbx"
    assert listener.heard("QueueCallerAbandon") == []


@pytest.mark.parametrize("ahead_s", [None, -1])
def test_while_nothing_is_offered_the_key_does_nothing_and_he_keeps_his_place(
    pbx: Asterisk, carrier: Carrier, listener: Listener, ahead_s: int | None
) -> None:
    offer(pbx, "9000", ahead_s or -99)
    first = carrier.call("520", caller=PLUS).wait_answered()
    listener.wait("QueueCallerJoin")
    first.press("1")
    listener.wait("DTMFEnd")
    second = carrier.call("520", caller=CUSTOMER).wait_answered()
    listener.wait("QueueCallerJoin")
    offer(pbx, "9000")
    second.press("1")
    asked = listener.wait_word("LcrRequested")
    assert asked["CallerIDNum"] == CUSTOMER, "only he pressed while it was offered"
    waiting = [entry["CallerIDNum"] for entry in pbx.action("QueueStatus", Queue="9000") if "Position" in entry]
    assert waiting == [PLUS]
    assert len(listener.heard("QueueCallerJoin")) == 2
    first.press("1")
    assert listener.wait_word("LcrRequested")["CallerIDNum"] == PLUS


def test_a_caller_without_a_number_is_not_offered_what_cannot_be_kept(
    pbx: Asterisk, carrier: Carrier, listener: Listener
) -> None:
    offer(pbx, "SUPPORT-A")
    call = carrier.call("524", caller="anonymous").wait_answered()
    call.press("1")
    listener.wait_word("LabWentOn")
    assert listener.words() == ["LabWentOn"], "the key did nothing"
    assert listener.heard("Newexten", Application="Read") == [], "and nothing was offered"


# After the queue gave him back, and when closed


@pytest.mark.parametrize(
    ("did", "queue", "status"),
    [("524", "SUPPORT-A", "TIMEOUT"), ("525", "full", "FULL"), ("526", "strict", "JOINEMPTY"), ("527", "Sales_2", "")],
)
def test_who_did_not_get_through_is_offered_a_callback(
    pbx: Asterisk, carrier: Carrier, listener: Listener, did: str, queue: str, status: str
) -> None:
    if status == "FULL":
        carrier.call("525", caller="09011111111")
        listener.wait("QueueCallerJoin")
    offer(pbx, queue)
    call = carrier.call(did, caller=PLUS)
    prompt = listener.wait("Newexten", Application="Read")
    call.wait_answered().press("1")
    asked = listener.wait_word("LcrRequested")
    assert (asked["Queue"], asked["CallerIDNum"], asked["Uniqueid"]) == (queue, PLUS, prompt["Uniqueid"])
    statuses = [e["Value"] for e in listener.heard("VarSet", Variable="QUEUESTATUS", Uniqueid=asked["Uniqueid"])]
    assert statuses == ([status] if status else [])
    assert listener.words() == (["LcrRequested"] if status else ["LcrClosed", "LcrRequested"])
    call.wait_ended()
    assert (call.ended_by, listener.words()[-1]) == ("pbx", "LcrRequested"), "the site's own dialplan does not go on"


@pytest.mark.parametrize("key", ["2", "1"])
def test_another_key_and_a_stale_offer_give_him_back_to_the_site(
    pbx: Asterisk, carrier: Carrier, listener: Listener, key: str
) -> None:
    offer(pbx, "SUPPORT-A", 20 if key == "2" else -1)
    call = carrier.call("524", caller=PLUS).wait_answered()
    if key == "2":
        listener.wait("Newexten", Application="Read")
    call.press(key)
    assert listener.wait_word("LabWentOn")["Queue"] == "SUPPORT-A"
    assert listener.words() == ["LabWentOn"]
    assert len(listener.heard("Newexten", Application="Read")) == (1 if key == "2" else 0)


def test_closed_is_told_though_nothing_is_offered(pbx: Asterisk, carrier: Carrier, listener: Listener) -> None:
    offer(pbx, "Sales_2", -1)
    carrier.call("527", caller=PLUS)
    listener.wait_word("LabWentOn")
    assert [word_of(event) for event in listener.heard("UserEvent")] == [
        ("LcrClosed", "Sales_2"),
        ("LabWentOn", "Sales_2"),
    ]


# Priority access


def owe(pbx: Asterisk, *numbers: str, at: float) -> None:
    """Do what the service does while callbacks are owed."""
    for variable, alike in priority_lists.lists(numbers).items():
        pbx.action("Setvar", Variable=variable, Value=priority_lists.written(alike, 10, at))


@pytest.mark.parametrize("returning", [PLUS, CUSTOMER])
def test_a_caller_who_was_lost_and_returns_is_put_ahead(
    pbx: Asterisk, carrier: Carrier, agent: Phone, listener: Listener, returning: str
) -> None:
    owe(pbx, "+819087654678", PLUS, at=time.time())
    carrier.call("530", caller="09011111111").wait_answered()
    listener.wait("QueueCallerJoin")
    carrier.call("530", caller=returning).wait_answered()
    assert listener.wait("QueueCallerJoin")["Position"] == "1"
    pbx.action("QueuePause", Queue="sales", Interface="PJSIP/agent2", Paused="false")
    assert agent.wait_call().wait_answered().caller_id == returning


def test_others_wait_in_the_order_in_which_they_came(
    pbx: Asterisk, carrier: Carrier, agent: Phone, listener: Listener
) -> None:
    owe(pbx, PLUS, at=time.time() - priority_lists.LASTS_S)  # by a service that is gone
    for caller in ("anonymous", PLUS, "678", "+819012345670"):
        carrier.call("530", caller=caller).wait_answered()
        listener.wait("QueueCallerJoin")
    assert [e["Position"] for e in listener.heard("QueueCallerJoin")] == ["1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("signalled", "position"),
    [
        (f"{PLUS};rn=+4966;npdi", "1"),
        (f"+819011111112;rn={PLUS}", "2"),
        (f";rn={PLUS}", "2"),
        ("", "2"),
    ],
)
def test_parameters_are_no_part_of_the_number_that_is_put_ahead(
    pbx: Asterisk, carrier: Carrier, agent: Phone, listener: Listener, signalled: str, position: str
) -> None:
    owe(pbx, PLUS, at=time.time())
    carrier.call("530", caller="09011111111").wait_answered()
    listener.wait("QueueCallerJoin")
    carrier.call("532", caller="09011111112", name=signalled).wait_answered()
    joined = listener.wait("QueueCallerJoin")
    assert (joined["CallerIDNum"], joined["Position"]) == (signalled or "<unknown>", position)


# What the agent says


@pytest.fixture(params=["PJSIP/agent2", "Local/agent2@behind-local/n"])
def member(pbx: Asterisk, request: pytest.FixtureRequest) -> Iterator[str]:
    """The one agent of SUPPORT-A, on his phone or behind a Local channel."""
    pbx.action("QueueAdd", Queue="SUPPORT-A", Interface=request.param, StateInterface="PJSIP/agent2")
    yield request.param
    pbx.action("QueueRemove", Queue="SUPPORT-A", Interface=request.param)


def test_the_agent_alone_says_by_a_code_why_the_call_broke_off(
    pbx: Asterisk, carrier: Carrier, agent2: Phone, listener: Listener, member: str
) -> None:
    call = carrier.call("531", caller=CUSTOMER).wait_answered()
    talking = agent2.wait_call().wait_answered().wait_heard(CUSTOMER_HZ)
    call.press("*71")
    listener.wait("DTMFEnd", Digit="1", Channel="PJSIP/trunk")
    codes = {"*71": "verification", "*72": "agents-mistake", "*73": "wrong-answer"}
    for code, reason in codes.items():
        talking.press(code)
        said = listener.wait_word("LcrReason")
        assert said["Reason"] == reason
        assert said["Channel"].startswith(member.removesuffix("/n"))
        assert said["Linkedid"] == listener.heard("QueueCallerJoin")[0]["Uniqueid"]
    assert len(listener.words()) == len(codes), "what the caller pressed said nothing"
    assert call.state == "answered", "the call goes on"


def test_the_hint_is_played_where_the_site_has_one(pbx: Asterisk, carrier: Carrier, listener: Listener) -> None:
    pbx.action("Setvar", Variable="LCR_SOUND_HINT", Value="beep")
    carrier.call("533", caller=CUSTOMER)
    assert listener.wait("Newexten", Context="lcr-hint")["AppData"] == "1?Playback(beep)"
    pbx.action("Setvar", Variable="LCR_SOUND_HINT", Value="")
    carrier.call("533", caller=CUSTOMER)
    assert listener.wait("Newexten", Context="lcr-hint", Extension="s", Priority="1")["AppData"] == "0?Playback()"


@pytest.mark.parametrize(("ahead_s", "queue"), [(20, "SUPPORT-A"), (-1, "sales")])
def test_while_very_many_are_hit_callers_are_told_and_led_to_the_queue_for_it(
    pbx: Asterisk, carrier: Carrier, listener: Listener, ahead_s: int, queue: str
) -> None:
    """As long as the service says so: afterwards the caller hears nothing, and waits where the caller wanted to."""
    pbx.action("Setvar", Variable="LCR_SOUND_INCIDENT", Value="beep")
    pbx.action("Setvar", Variable="LCR_INCIDENT_sales", Value=f"{int(time.time()) + ahead_s} SUPPORT-A")
    carrier.call("534", caller=CUSTOMER)
    joined = listener.wait("QueueCallerJoin")
    assert joined["Queue"] == queue
    played = listener.heard("Newexten", Context="lcr-incident", AppData="1?Playback(beep)")
    assert len(played) == (1 if ahead_s > 0 else 0)


# What the service makes of it


@pytest.mark.parametrize(
    ("did", "queue", "reason"),
    [
        ("520", "9000", "digit-in-queue"),
        ("524", "SUPPORT-A", "asked-after-time-out"),
    ],
)
def test_the_service_offers_hears_the_wish_and_reserves(
    pbx: Asterisk, carrier: Carrier, listener: Listener, tmp_path: Path, did: str, queue: str, reason: str
) -> None:
    offer(pbx, queue, -1)
    with Service(pbx, tmp_path, queue=queue) as service:
        while int(listener.wait("VarSet", Variable=f"LCR_OFFER_{queue}")["Value"]) <= time.time():
            continue  # what the tests set before
        call = carrier.call(did, caller=PLUS)
        if did != "520":
            listener.wait("Newexten", Application="Read")
        call.wait_answered().press("1")
        asked = listener.wait_word("LcrRequested")
        call.hang_up()
        told = service.wait("call", lambda told: told["call_id"] == asked["Uniqueid"])
        assert (told["kind"], told["reason"], told["queue"]) == ("requested", reason, queue)
        assert service.wait("reserved", lambda told: told["kind"] == "requested")["number"] == PLUS


def test_the_service_hears_what_the_agent_says(
    pbx: Asterisk, carrier: Carrier, agent2: Phone, listener: Listener, tmp_path: Path
) -> None:
    member = {"Queue": "SUPPORT-A", "Interface": "PJSIP/agent2"}
    pbx.action("QueueAdd", **member, StateInterface="PJSIP/agent2")
    with Service(pbx, tmp_path, queue="SUPPORT-A") as service:
        call = carrier.call("531", caller=CUSTOMER).wait_answered()
        agent2.wait_call().wait_answered().wait_heard(CUSTOMER_HZ).press("*72")
        said = listener.wait_word("LcrReason")
        call.hang_up()
        told = service.wait("call", lambda told: told["call_id"] == said["Linkedid"])
        assert (told["kind"], told["reason"]) == ("dropped", "agents-mistake")
    pbx.action("QueueRemove", **member)


# Recording


@pytest.mark.parametrize("record", [True, False], ids=["recorded", "not recorded"])
def test_a_callback_is_recorded_only_where_the_rule_says_so(
    pbx: Asterisk, carrier: Carrier, agent2: Phone, listener: Listener, record: bool
) -> None:
    attempt = f"rec{secrets.token_hex(4)}"
    placed = originate(
        Order(
            attempt=attempt,
            queue="sales",
            dial=f"PJSIP/{CUSTOMER}@trunk",
            ring_until=int(time.time()) + 30,
            agent_wait_s=10,
            ring_s=10,
            caller_num="0312345678",
            caller_name="Support",
            agent_sees=CUSTOMER,
            record=record,
        ),
        time.time(),
    )
    variables = ",".join(value for name, value in placed if name == "Variable")
    pbx.action("Originate", **{**dict(placed), "Variable": variables})
    customer = carrier.wait_call(CUSTOMER).wait_answered().wait_heard(AGENT_HZ)
    agent2.wait_call().wait_heard(CUSTOMER_HZ)
    customer.hang_up()
    listener.wait("Hangup", Uniqueid=f"lcr-{attempt}-1")
    kept = pbx.run_dir / "spool" / "monitor" / f"lcr-{attempt}.wav"
    pbx.wait_quiet()
    if not record:
        assert not kept.exists()
        return
    with wave.open(str(kept)) as sound:
        samples = memoryview(sound.readframes(sound.getnframes())).cast("h")
    assert max(samples) > 1000, "it holds a voice"
