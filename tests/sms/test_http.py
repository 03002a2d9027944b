"""The gateway for everyone else: what it asks over HTTP, and what each answer proves."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from sms.errors import SmsError
from sms.gateway import Gateway, Receipt, Refused, TooFast, Unsent
from sms.http import HttpGateway, Request
from tests.sms.gateways import finished, sent

_TO, _TEXT = "+819012345678", 'We call "you" by 11:30 & we\'re sorry: 我们会回电 <3 {to}'


@dataclass
class Carrier:
    """An HTTP server that notes what it is asked and answers as it is told."""

    status: int = 200
    answer: bytes = b"OK id=77"
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0
    silent: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def carrier() -> Iterator[Carrier]:
    told = Carrier()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            told.asked.append((self.command, self.path, dict(self.headers), body))
            if told.silent:
                self.connection.close()
                return
            self.send_response(told.status)
            self.send_header("Content-Length", str(len(told.answer)))
            self.end_headers()
            self.wfile.write(told.answer)

        do_GET = do_POST  # noqa: N815 - the server's word

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    told.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield told
    server.shutdown()
    thread.join(timeout=10)
    server.server_close()


def test_a_url_alone_is_fetched_with_everything_escaped(carrier: Carrier) -> None:
    by = HttpGateway(
        Request(f"{carrier.url}/send?to={{digits}}&text={{text}}&id={{ref}}&by={{line}}", ref_in=r"id=(\d+)")
    )
    assert sent(by, _TO, _TEXT, "17", "sales") == Receipt("77")
    ((method, path, _, body),) = carrier.asked
    assert (method, body) == ("GET", b"")
    assert path == (
        "/send?to=819012345678&text=We%20call%20%22you%22%20by%2011%3A30%20%26%20we%27re%20sorry%3A%20"
        "%E6%88%91%E4%BB%AC%E4%BC%9A%E5%9B%9E%E7%94%B5%20%3C3%20%7Bto%7D&id=17&by=sales"
    )


def test_a_body_in_json_is_json_whatever_the_text_holds(carrier: Carrier) -> None:
    headers = {"Authorization": "Bearer hush"}
    by = HttpGateway(Request(f"{carrier.url}/v1", '{"to": "{to}", "text": "{text}"}', "json", headers))
    assert sent(by, _TO, _TEXT + "\n\\", "17") == Receipt("http:17")
    ((method, _, headed, body),) = carrier.asked
    assert (method, headed["Content-Type"], headed["Authorization"]) == ("POST", "application/json", "Bearer hush")
    assert json.loads(body) == {"to": _TO, "text": _TEXT + "\n\\"}


@pytest.mark.parametrize(
    ("form", "body"),
    [
        ("form", b"t=a%26b+%3C%E6%88%91%3E&n=%2B819012345678"),
        ("xml", b"t=a&#38;b &#60;\xe6\x88\x91&#62;&n=+819012345678"),
        ("plain", b"t=a&b <\xe6\x88\x91>&n=+819012345678"),
    ],
)
def test_each_form_of_body_escapes_in_its_own_way(carrier: Carrier, form: Any, body: bytes) -> None:
    sent(HttpGateway(Request(carrier.url, "t={text}&n={to}", form)), _TO, "a&b <我>", "1")
    assert carrier.asked[0][3] == body


@pytest.mark.parametrize(
    ("status", "answer", "expected"),
    [
        (200, b"OK", None),
        (202, b"OK", None),
        (200, b"ERROR 105: bad number +819012345678", Refused),
        (200, b"whatever", SmsError),  # neither yes nor no: nobody can tell
        (302, b"OK", SmsError),
        (400, b"bad number", Refused),
        (401, b"who?", Unsent),
        (402, b"no credit", Unsent),
        (405, b"GET only", Unsent),
        (410, b"moved in 2024", Unsent),
        (413, b"too long", Refused),
        (415, b"JSON only", Unsent),
        (422, b"no mobile", Refused),
        (425, b"too early", Unsent),
        (404, b"where?", Unsent),
        (408, b"slow", SmsError),
        (429, b"later", TooFast),
        (500, b"OK", SmsError),
        (503, b"OK", SmsError),
    ],
)
def test_what_an_answer_proves(carrier: Carrier, status: int, answer: bytes, expected: type[Exception] | None) -> None:
    carrier.status, carrier.answer = status, answer
    by = HttpGateway(Request(f"{carrier.url}/?to={{to}}&text={{text}}", accepted_if="^OK", refused_if="^ERROR"))
    if expected is None:
        assert sent(by, _TO, "hello", "1") == Receipt("http:1")
        return
    with pytest.raises(expected) as told:
        sent(by, _TO, "hello", "1")
    assert type(told.value) is expected


@pytest.mark.parametrize(("answer", "ref"), [(b"OK id=7\x007", "77"), (b"OK", "http:1")])
def test_a_name_that_no_database_can_keep_is_none(carrier: Carrier, answer: bytes, ref: str) -> None:
    carrier.answer = answer
    by = HttpGateway(Request(f"{carrier.url}/?to={{to}}&text={{text}}", ref_in="OK(?: id=(.*))?"))
    assert sent(by, _TO, "hello", "1") == Receipt(ref)


def test_a_connection_that_breaks_after_the_request_proves_nothing(carrier: Carrier) -> None:
    carrier.silent = True
    with pytest.raises(SmsError, match="no HTTP") as told:
        sent(HttpGateway(Request(f"{carrier.url}/?to={{to}}&text={{text}}", timeout_s=5)), _TO, "hello", "1")
    assert not isinstance(told.value, (Refused, Unsent))
    assert len(carrier.asked) == 1


def test_where_nobody_listens_nothing_was_sent() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        by = HttpGateway(Request(f"http://127.0.0.1:{nobody.getsockname()[1]}/?to={{to}}&text={{text}}"))
        with pytest.raises(Unsent, match="cannot be reached"):
            sent(by, _TO, "hello", "1")


def test_who_accepts_and_says_nothing_proves_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        by = HttpGateway(Request(f"http://127.0.0.1:{deaf.getsockname()[1]}/?to={{to}}&text={{text}}", timeout_s=0.2))
        with pytest.raises(TimeoutError):
            sent(by, _TO, "hello", "1")


def test_an_account_is_its_host_and_its_name_keeps_no_password() -> None:
    by = HttpGateway(Request("https://me:secret@SMS.example.org:8443/?to={to}&text={text}"))
    assert [pace.account for pace in by.paces] == ["http/sms.example.org:8443"]


def test_a_placeholder_that_nobody_fills_in_is_refused() -> None:
    with pytest.raises(SmsError, match=r"no such placeholder as \{number\}; there are \{digits\}, \{line\}"):
        HttpGateway(Request("https://sms.example.org/{number}/{text}"))


def test_nobody_answers_and_nothing_more_is_told() -> None:
    by = HttpGateway(Request("https://sms.example.org/{to}/{text}", headers={"X-Key": "hush"}))
    assert not by.two_way(_TO)
    gateway: Gateway = by
    assert finished(gateway.look_up("77"), gateway) is None
    assert "hush" not in repr(by._request)  # noqa: SLF001 - what a traceback may show
