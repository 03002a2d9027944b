"""The real client library against the fake Twilio: what it is asked, and what each of its answers proves."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from multidict import MultiDict
from twilio.request_validator import RequestValidator

from lab.twilio import Conduct, FakeTwilio, error
from sms.errors import SmsError
from sms.gateway import OptedOut, Pace, Receipt, Refused, Report, TooFast, Unsent
from sms.twilio import Account, TwilioGateway, report
from tests.sms.gateways import finished, sent
from tests.sms.twilio_account import CUSTOMER, OURS, SERVICE, SID, TOKEN, account, description, gateway

_PUBLIC = "https://texts.example.org/lcr"


@pytest.fixture
def fake() -> Iterator[FakeTwilio]:
    with FakeTwilio({SID: TOKEN}) as fake:
        yield fake


def test_a_text_is_asked_for_by_number_and_reported_to_our_door(fake: FakeTwilio) -> None:
    receipt = sent(gateway(fake, _PUBLIC), CUSTOMER, "We call you by 11:30. 我们会回电。", "17")
    (message,) = fake.accepted
    assert receipt == Receipt(message.sid)
    assert (message.to, message.sender, message.service) == (CUSTOMER, OURS, None)
    assert message.body == "We call you by 11:30. 我们会回电。"
    assert message.status_callback == f"{_PUBLIC}/twilio/main/status/17"


def test_each_line_has_its_account_and_its_number_or_service(fake: FakeTwilio) -> None:
    by = gateway(fake, sales=account(fake, SERVICE))
    for line in ("sales", "main", "", "gone since"):
        sent(by, CUSTOMER, f"by {line}", "1", line)
    assert [(m.body, m.service, m.sender) for m in fake.accepted] == [
        ("by sales", SERVICE, ""),
        ("by main", None, OURS),
        ("by ", None, OURS),
        ("by gone since", None, OURS),
    ]
    assert {message.status_callback for message in fake.accepted} == {""}  # nobody could bring it


@pytest.mark.parametrize(
    ("code", "kind", "reason"),
    [
        (21211, Refused, "is no valid number (error 21211)"),
        (21614, Refused, "is not a mobile (error 21614)"),
        (21635, Refused, "is a landline (error 21635)"),
        (21610, OptedOut, "has opted out with the carrier (error 21610)"),
        (21617, Refused, "the text is too long (error 21617)"),
        (21266, Refused, "is our own number (error 21266)"),
        (21606, Unsent, "the sender cannot text there (error 21606): mend [texts.twilio.main], or the account"),
        (21660, Unsent, "the sender is not the account's (error 21660): mend [texts.twilio.main], or the account"),
        (21704, Unsent, "the service has no sender (error 21704): mend [texts.twilio.main], or the account"),
        (21701, Unsent, "there is no such service (error 21701): mend [texts.twilio.main], or the account"),
        (10001, Unsent, "the account is not active (error 10001): mend [texts.twilio.main], or the account"),
        (21611, TooFast, "the sender's queue is full (error 21611)"),
        (21730, Unsent, "Twilio is being maintained (error 21730)"),
        (29999, Unsent, "an error that is not known here (error 29999)"),  # a 4xx proves that it was not accepted
    ],
)
def test_an_error_says_whether_it_is_worth_trying_again(
    fake: FakeTwilio, code: int, kind: type[Exception], reason: str
) -> None:
    fake.behave(CUSTOMER, error(code))
    with pytest.raises(kind) as told:
        sent(gateway(fake), CUSTOMER, "hello", "1")
    assert type(told.value) is kind
    assert str(told.value) == reason
    assert fake.accepted == []


def test_too_many_requests_may_be_repeated(fake: FakeTwilio) -> None:
    fake.behave(CUSTOMER, error(20429, status=429))
    with pytest.raises(TooFast, match="rate limit"):
        sent(gateway(fake), CUSTOMER, "hello", "1")
    assert sent(gateway(fake), CUSTOMER, "hello", "1").gateway_ref == fake.accepted[0].sid


def test_a_wrong_token_proves_that_nothing_was_sent(fake: FakeTwilio) -> None:
    by = TwilioGateway({"main": Account(SID, "wrong", OURS, 1000, fake.url)})
    with pytest.raises(Unsent, match=r"error 20003\): mend \[texts\.twilio\.main\]"):
        sent(by, CUSTOMER, "hello", "1")


def test_where_nobody_listens_nothing_was_sent() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        by = TwilioGateway({"main": Account(SID, TOKEN, OURS, 1000, f"http://127.0.0.1:{nobody.getsockname()[1]}")})
        with pytest.raises(Unsent, match="cannot be reached"):
            sent(by, CUSTOMER, "hello", "1")


_LOST = {
    "a 500 after it was accepted": Conduct(answer="error", status=500, code=20500),
    "no answer after it was accepted": Conduct(answer="never"),
    "the connection cut after it was accepted": Conduct(answer="cut"),
}


@pytest.mark.parametrize("conduct", _LOST.values(), ids=_LOST)
def test_an_answer_that_was_lost_is_looked_for_in_the_message_list(fake: FakeTwilio, conduct: Conduct) -> None:
    by = gateway(fake, timeout_s=0.5)
    sent(by, CUSTOMER, "something else", "1")
    sent(by, "+447700900999", "hello", "2")  # the same words to somebody else
    fake.behave(CUSTOMER, conduct)
    assert sent(by, CUSTOMER, "hello", "3") == Receipt(fake.accepted[2].sid)
    assert len(fake.accepted) == 3


@pytest.mark.parametrize("answer", ["error", "never", "cut"])
def test_what_the_list_does_not_show_stays_unknown(fake: FakeTwilio, answer: str) -> None:
    fake.behave(CUSTOMER, Conduct(accepts=False, answer=answer, status=503))  # type: ignore[arg-type]
    with pytest.raises(Exception, match=r"503|timed out|broke|no HTTP") as told:
        sent(gateway(fake, timeout_s=0.5), CUSTOMER, "hello", "1")
    assert not isinstance(told.value, (Refused, Unsent))


def test_two_that_may_be_it_prove_nothing(fake: FakeTwilio) -> None:
    by = gateway(fake)
    sent(by, CUSTOMER, "hello", "1")
    fake.behave(CUSTOMER, Conduct(answer="error", status=500))
    with pytest.raises(Exception, match="500"):
        sent(by, CUSTOMER, "hello", "2")


@contextmanager
def _answering(posted: object, listed: object, status: int = 201) -> Iterator[tuple[str, list[str]]]:
    """A host that answers every POST, and every GET, with the same JSON; give its URL, and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.command)
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            said = json.dumps(posted if self.command == "POST" else listed).encode()
            self.send_response(status if self.command == "POST" else 200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST  # noqa: N815 - the server's word

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        thread.join(timeout=10)
        server.server_close()


@pytest.mark.parametrize("named", [{}, {"sid": None}, {"sid": 5}, {"sid": {"a": 1}}, {"sid": "SM\0"}, {"sid": ""}])
def test_an_acceptance_that_names_no_message_proves_nothing(named: object) -> None:
    listed = {"messages": [], "next_page_uri": "/2010-04-01/more.json"}  # and that page another one, without end
    with _answering(named, listed) as (url, asked):
        by = TwilioGateway({"main": Account(SID, TOKEN, OURS, 1000, url)})
        with pytest.raises(SmsError, match="names no message") as told:
            sent(by, CUSTOMER, "hello", "1")
    assert not isinstance(told.value, (Refused, Unsent))
    assert asked == ["POST", "GET"]


@pytest.mark.parametrize("status", [408, 500, 503])
def test_a_status_that_proves_nothing_proves_no_more_by_the_words_of_its_answer(status: int) -> None:
    said = {"type": "a", "title": "b", "status": 429, "code": 20429}
    with _answering(said, {"messages": []}, status) as (url, _):
        by = TwilioGateway({"main": Account(SID, TOKEN, OURS, 1000, url)})
        with pytest.raises(SmsError, match=str(status)) as told:
            sent(by, CUSTOMER, "hello", "1")
    assert not isinstance(told.value, (Refused, Unsent))


@pytest.mark.parametrize("said", [{}, {"sid": 5, "status": {}}, {"sid": f"SM{'1' * 32}", "status": "lost"}])
def test_what_is_no_news_of_a_message_tells_nothing(said: object) -> None:
    with _answering({}, said) as (url, _):
        by = TwilioGateway({"main": Account(SID, TOKEN, OURS, 1000, url)})
        assert finished(by.look_up(f"SM{'1' * 32}"), by) is None


def test_each_account_says_how_fast_it_may_be_asked(fake: FakeTwilio) -> None:
    by = TwilioGateway({"main": account(fake, texts_per_s=20), "sales": account(fake, SERVICE, texts_per_s=3)})
    assert by.paces == (Pace(f"twilio/{SID}/{OURS}", 20, "main"), Pace(f"twilio/{SID}/{SERVICE}", 3, "sales"))


def test_texts_that_follow_each_other_share_a_connection(fake: FakeTwilio) -> None:
    by = gateway(fake)

    async def five() -> None:
        for number in range(5):
            await by.send(CUSTOMER, "hello", str(number))

    finished(five(), by)
    assert (len(fake.accepted), fake.connections) == (5, 1)


def test_what_became_of_a_text_can_be_looked_up(fake: FakeTwilio) -> None:
    by = gateway(fake)
    fake.behave(CUSTOMER, Conduct(reports=("sent", "undelivered"), code=30005))
    sid = sent(by, CUSTOMER, "hello", "1").gateway_ref
    fake.wait(lambda: fake.accepted[0].status == "undelivered", "the report")
    assert finished(by.look_up(sid), by) == Report(sid, "undelivered", "30005")
    assert finished(by.look_up(f"SM{'0' * 32}"), by) is None


def test_answers_come_only_from_countries_that_are_said_to_answer(fake: FakeTwilio) -> None:
    assert gateway(fake, _PUBLIC).two_way(CUSTOMER)
    assert not gateway(fake, _PUBLIC).two_way("+819012345678")
    assert not gateway(fake, _PUBLIC).two_way("nonsense")
    assert not gateway(fake).two_way(CUSTOMER)  # Twilio would not know where to bring them


_STATUS = {"MessageSid": f"SM{'a' * 32}", "MessageStatus": "sent"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ("sent", "", "none")),
        ({"MessageStatus": "queued"}, ("accepted", "", "none")),
        ({"MessageStatus": "read"}, ("delivered", "", "none")),
        ({"MessageStatus": "undelivered", "ErrorCode": "30003"}, ("undelivered", "30003", "again")),
        ({"MessageStatus": "undelivered", "ErrorCode": "30008"}, ("undelivered", "30008", "again")),
        ({"MessageStatus": "undelivered", "ErrorCode": "30005"}, ("undelivered", "30005", "none")),
        ({"MessageStatus": "undelivered", "ErrorCode": "30006"}, ("undelivered", "30006", "none")),
        ({"MessageStatus": "undelivered", "ErrorCode": "30007"}, ("undelivered", "30007", "none")),
        ({"MessageStatus": "undelivered", "ErrorCode": "30004"}, ("undelivered", "30004", "none")),
        ({"MessageStatus": "failed", "ErrorCode": "30001"}, ("undelivered", "30001", "again")),
        ({"MessageStatus": "undelivered", "ErrorCode": "30022"}, ("undelivered", "30022", "again")),
        ({"MessageStatus": "failed", "ErrorCode": "30036"}, ("undelivered", "30036", "again")),
        (
            {"MessageStatus": "failed", "ErrorCode": "30002"},
            ("undelivered", "30002", "again"),
        ),  # it may be paid by then
        ({"MessageStatus": "undelivered", "ErrorCode": "30034"}, ("undelivered", "30034", "again")),
        ({"MessageStatus": "failed", "ErrorCode": "39999"}, ("undelivered", "39999", "again")),
        ({"MessageStatus": "failed"}, ("undelivered", "", "again")),
        ({"MessageStatus": "canceled"}, ("undelivered", "", "none")),  # somebody took it back at Twilio
        ({"MessageStatus": "undelivered", "ErrorCode": "30046"}, ("undelivered", "30046", "none")),  # it may be there
        ({"MessageStatus": "failed", "ErrorCode": "21610"}, ("undelivered", "21610", "opted-out")),
        ({"MessageStatus": "delivered", "ErrorCode": "30003"}, ("delivered", "30003", "none")),
    ],
)
def test_a_status_callback_is_read(fields: dict[str, str], expected: tuple[str, str, str]) -> None:
    read = report(_STATUS | fields)
    assert read is not None
    assert (read.progress, read.code, read.consequence) == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"MessageSid": ""},
        {"MessageSid": "SM1"},
        {"MessageSid": f"CA{'a' * 32}"},
        {"MessageStatus": "received"},  # of a text to us
        {"MessageStatus": ""},
        {"ErrorCode": "30003; DROP TABLE"},
    ],
)
def test_what_is_no_status_callback_is_not_read(fields: dict[str, str]) -> None:
    assert report(_STATUS | fields) is None


def test_what_both_sides_say_is_what_the_public_description_allows() -> None:
    with FakeTwilio({SID: TOKEN}, description()) as fake:
        by = gateway(fake, _PUBLIC, timeout_s=5.0, service=account(fake, SERVICE))
        sid = sent(by, CUSTOMER, "Nous vous rappelons. 我们会回电。", "1").gateway_ref
        sent(by, CUSTOMER, "by a service", "2", "service")
        fake.behave(CUSTOMER, Conduct(answer="error", status=500), error(21614))
        sent(by, CUSTOMER, "found in the list", "3")
        with pytest.raises(Refused):
            sent(by, CUSTOMER, "refused", "4")
        assert finished(by.look_up(sid), by) is not None
        assert fake.faults == []


def test_what_the_public_description_does_not_allow_is_found() -> None:
    with FakeTwilio({"AC1": TOKEN}, description()) as fake:
        sent(TwilioGateway({"main": Account("AC1", TOKEN, OURS, 1000, fake.url)}), CUSTOMER, "hello", "1")
        assert any("AC1" in fault for fault in fake.faults)


# As published with the client library (tests/unit/test_request_validator.py)
_URI = "https://mycompany.com/myapp.php?foo=1&bar=2"
_PARAMS = {
    "CallSid": "CA1234567890ABCDE",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
    "Caller": "+14158675309",
}


@pytest.mark.parametrize(
    ("uri", "signature"),
    [
        (_URI, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        (_URI.replace(".com", ".com:1234"), "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        (_URI.replace(".com", ".com:1234").replace("https", "http"), "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
        (_URI, "kvajT1Ptam85bY51eRf/AJRuM3w="),
        (_URI.replace("https", "http"), "0ZXoZLH/DfblKGATFgpif+LLRf4="),
    ],
)
def test_signatures_are_as_published(uri: str, signature: str) -> None:
    assert RequestValidator("12345").validate(uri, _PARAMS, signature)
    assert not RequestValidator("12346").validate(uri, _PARAMS, signature)


def test_a_field_that_comes_twice_is_signed_as_published() -> None:
    fields = MultiDict([("Sid", "CA123"), ("SidAccount", "AC123"), ("Digits", "5678"), ("Digits", "1234")])
    assert RequestValidator("12345").compute_signature(_URI, fields) == "IK+Dwps556ElfBT0I3Rgjkr1wJU="
