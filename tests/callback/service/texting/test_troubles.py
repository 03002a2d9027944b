"""What people are told when texts do not leave or arrive: once, and when it gets worse; never of one recipient."""

from __future__ import annotations

import io

import pytest

from callback.events import Happened
from callback.service.narrator import Narrator
from callback.service.texting.troubles import TextTroubles
from lab.twilio import Conduct, FakeTwilio, error
from sms import outbox, reports, twilio
from sms.delivery import DeliveryRules, deliver
from sms.gateway import UNREACHABLE, Gateway, Report
from sms.http import HttpGateway, Request
from sms.twilio import Account, TwilioGateway
from tests.callback.world import MINUTE, NOON, World
from tests.sms.gateways import book, finished

SID, TOKEN, OURS = f"AC{'1' * 32}", "a token of the fake", "+442079460000"
CUSTOMER = "+447700900123"
REFUSED = "texts-refused"


_him = book(lambda _: CUSTOMER)


def _gateway(fake: FakeTwilio) -> TwilioGateway:
    return TwilioGateway({"main": Account(SID, TOKEN, OURS, 1000, fake.url)})


def _put(world: World, *causes: str) -> None:
    with world.store.write() as connection:
        for cause in causes:
            text = outbox.NewText(
                cause=cause,
                pbx="main",
                recipient=f"person/{cause}",
                template="lost",
                language="en",
                body=f"text {cause}",
                not_before_at=NOON,
                expires_at=NOON + 240 * MINUTE,
            )
            outbox.put(connection, text, NOON)


def _told(world: World, troubles: TextTroubles, now: int) -> list[tuple[str, int, int, str]]:
    with world.store.read() as connection:
        news = troubles.look(connection, "main", now)
    return [(one.NAME, one.texts, one.lost, one.code) for one in news]


def _send(world: World, gateway: Gateway, now: int, backoff_s: tuple[float, ...] = (30, 120)) -> None:
    rules = DeliveryRules(backoff_s=backoff_s)
    finished(deliver(world.store.write, gateway, _him, lambda: now, 9, rules), gateway)


def test_a_sender_that_is_not_ours_is_an_alarm_and_its_texts_leave_once_it_is_mended(world: World) -> None:
    with FakeTwilio({SID: TOKEN}) as fake:
        gateway = _gateway(fake)
        troubles = TextTroubles(gateway)
        fake.behave(CUSTOMER, *[error(21704)] * 3)
        _put(world, "a", "b", "c")
        _send(world, gateway, NOON)
        assert _told(world, troubles, NOON + MINUTE) == [(REFUSED, 3, 0, "21704")]
        assert _told(world, troubles, NOON + 2 * MINUTE) == []
        _send(world, gateway, NOON + MINUTE)  # somebody has mended it
        assert len(fake.accepted) == 3
        assert _told(world, TextTroubles(gateway), NOON + 3 * MINUTE) == []
        assert {row.delivery_code for row in world.rows(outbox.text_outbox)} == {None}


def test_a_full_queue_is_told_and_an_alarm_once_a_text_is_lost_by_it(world: World) -> None:
    with FakeTwilio({SID: TOKEN}) as fake:
        gateway = _gateway(fake)
        troubles = TextTroubles(gateway)
        fake.behave(CUSTOMER, error(21611), error(21611))
        _put(world, "a")
        _send(world, gateway, NOON, backoff_s=(30,))
        assert _told(world, troubles, NOON) == [("texts-delayed", 1, 0, "21611")]
        _send(world, gateway, NOON + MINUTE, backoff_s=(30,))
        assert _told(world, troubles, NOON + MINUTE) == [(REFUSED, 1, 1, "21611")]


@pytest.mark.parametrize("code", [21614, 21610, 21211])
def test_what_is_one_recipients_affair_is_told_to_nobody(world: World, code: int) -> None:
    with FakeTwilio({SID: TOKEN}) as fake:
        fake.behave(CUSTOMER, error(code))
        _put(world, "a")
        _send(world, _gateway(fake), NOON)
        (row,) = world.rows(outbox.text_outbox)
        assert (row.state, row.delivery_code) == ("failed", str(code))
        assert _told(world, TextTroubles(_gateway(fake)), NOON) == []


@pytest.mark.parametrize(
    ("code", "event", "again"),
    [
        ("30034", REFUSED, True),
        ("30002", REFUSED, True),
        ("30007", REFUSED, False),
        ("30001", "texts-delayed", True),
        ("30022", "texts-delayed", True),
        ("39999", "texts-delayed", True),
        ("30003", None, True),
        ("30005", None, False),
    ],
)
def test_what_is_reported_later_is_told_too(world: World, code: str, event: str | None, again: bool) -> None:
    with FakeTwilio({SID: TOKEN}) as fake:
        gateway = _gateway(fake)
        fake.behave(CUSTOMER, Conduct(reports=()))
        _put(world, "a")
        _send(world, gateway, NOON)
        (row,) = world.rows(outbox.text_outbox)
        said = {"MessageSid": row.gateway_ref, "MessageStatus": "undelivered", "ErrorCode": code}
        report = twilio.report(said)
        assert report is not None
        with world.store.write() as connection:
            assert reports.take(connection, str(row.id), "twilio", report, NOON + MINUTE) is not None
        assert (report.consequence == "again") == again
        expected = [] if event is None else [(event, 1, 0, code)]
        assert _told(world, TextTroubles(gateway), NOON + 2 * MINUTE) == expected


def test_a_repetition_that_fails_too_is_lost(world: World) -> None:
    with FakeTwilio({SID: TOKEN}) as fake:
        gateway = _gateway(fake)
        fake.behave(CUSTOMER, Conduct(reports=()))
        _put(world, "a/again")
        _send(world, gateway, NOON)
        (row,) = world.rows(outbox.text_outbox)
        with world.store.write() as connection:
            report = Report(row.gateway_ref, "undelivered", "30001", "again")
            reports.take(connection, str(row.id), "twilio", report, NOON + MINUTE)
        assert _told(world, TextTroubles(gateway), NOON + MINUTE) == [(REFUSED, 1, 1, "30001")]


def test_a_trouble_that_lasts_is_told_again_after_an_hour_and_an_old_one_is_not(world: World) -> None:
    with FakeTwilio({SID: TOKEN}) as fake:
        gateway = _gateway(fake)
        troubles = TextTroubles(gateway)
        found = []
        for minute, fails in ((0, True), (1, False), (40, True), (61, False), (90, True), (110, False), (160, False)):
            if fails:
                fake.behave(CUSTOMER, error(21606))
                _put(world, f"text {minute}")
                _send(world, gateway, NOON + minute * MINUTE, backoff_s=())
            found.append(bool(_told(world, troubles, NOON + minute * MINUTE)))
        assert found == [True, False, False, True, False, False, False]


@pytest.mark.parametrize(
    ("code", "ours"),
    [("401", True), ("402", True), ("415", True), ("429", False), (UNREACHABLE, False), ("422", None), ("", None)],
)
def test_any_other_gateways_troubles_are_known_by_their_status(code: str, ours: bool | None) -> None:
    trouble = HttpGateway(Request("https://sms.example.org/{to}/{text}")).trouble(code)
    assert (None if trouble is None else trouble.ours) == ours


def test_people_read_what_to_mend_and_the_alarm_channel_has_it_too(world: World) -> None:
    with FakeTwilio({SID: TOKEN}) as fake:
        gateway = _gateway(fake)
        fake.behave(CUSTOMER, *[error(21660)] * 2)
        _put(world, "a", "b")
        _send(world, gateway, NOON, backoff_s=())
        with world.store.read() as connection:
            (news,) = TextTroubles(gateway).look(connection, "main", NOON)
    assert Narrator(world.settings.rules.hours().zone, io.StringIO()).sentence(Happened(NOON, news)) == (
        "2 texts of the last hour, 2 of them lost: the sender is not the account's "
        "(https://www.twilio.com/docs/api/errors/21660)"
    )
    assert news.ALARMING
