"""The door: who is let in, what each stranger is told, and that nothing changes on his account."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import io
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select
from twilio.request_validator import RequestValidator

from callback.customers import blocks
from callback.errors import CallbackError
from callback.settings.sections import Database, Settings
from callback.settings.texts import Texts, TwilioAccount, Web
from callback.site import links, tokens
from callback.store import tables as t
from callback.store.engine import Store
from callback.texts import send as sending
from callback.web.connections import Limits
from callback.web.public import LIMIT, REST, PublicServer, serve
from lab.twilio import Conduct, FakeTwilio, Told, reply
from sms.delivery import deliver
from sms.gateway import Receipt
from sms.outbox import text_outbox
from tests.callback.world import MINUTE, NOON, World, call
from tests.sms.gateways import book, finished

PUBLIC: Final = "https://texts.example.org/lcr"
SID, TOKEN = f"AC{'1' * 32}", "the token"
OTHER_SID, OTHER_TOKEN = f"AC{'3' * 32}", "another token"
MESSAGE = f"SM{'a' * 32}"
CUSTOMER, US = "+819012345678", "+81312345678"
FORM = "application/x-www-form-urlencoded"


def settings_with(world: World, public_url: str = PUBLIC, api_url: str = "https://api.twilio.com") -> Settings:
    """The world's settings, with two accounts of Twilio and a door."""
    accounts = {
        "main": TwilioAccount.model_validate({"account_sid": SID, "auth_token": TOKEN, "from": US, "api_url": api_url}),
        "sales": TwilioAccount.model_validate({"account_sid": OTHER_SID, "auth_token": OTHER_TOKEN, "from": US}),
    }
    texts = Texts(gateway="twilio", twilio=accounts, two_way=("JP",))
    web_part = Web(listen="127.0.0.1:1", public_url=public_url)
    return world.settings.model_copy(update={"texts": texts, "web": web_part})


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Running:
    """The door of a world, in a thread of its own; the clock stands at five past noon."""

    def __init__(
        self, world: World, wiring: Settings, port: int = 0, limits: Limits | None = None, store: Store | None = None
    ) -> None:
        self.now = NOON + 5 * MINUTE
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._standing = PublicServer(wiring, store or world.store, lambda: self.now, limits).open("127.0.0.1", port)
        self.port: int = self._do(self._standing.__aenter__())

    def close(self) -> None:
        self._do(self._standing.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    def _do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method, path, body, dict(headers or {}))
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        connection.close()
        return answer

    def post(self, path: str, fields: Mapping[str, str], token: str = TOKEN, signature: str | None = None) -> Answer:
        """A form as Twilio would post it: signed for the address under which the world finds the door."""
        signed = RequestValidator(token).compute_signature(PUBLIC + path, fields)
        headers = {"X-Twilio-Signature": signed if signature is None else signature, "Content-Type": FORM}
        return self.ask("POST", path, urlencode(fields).encode(), headers)


@pytest.fixture
def door(world: World) -> Iterator[Running]:
    opened = Running(world, settings_with(world))
    yield opened
    opened.close()


@pytest.fixture
def sqlite_door(sqlite_world: World) -> Iterator[Running]:
    opened = Running(sqlite_world, settings_with(sqlite_world))
    yield opened
    opened.close()


class _Twilio:
    name, paces = "twilio", ()

    async def send(self, to: str, body: str, ref: str, line: str = "") -> Receipt:
        assert (to, line) == (CUSTOMER, "")
        assert body
        assert ref
        return Receipt(MESSAGE)


_him = book(lambda _: CUSTOMER)


def texted(world: World) -> str:
    """Lose a caller, text him, and give our name of the text."""
    world.hear(call())
    assert finished(deliver(world.store.write, _Twilio(), _him, lambda: NOON + MINUTE, 9)) == 1
    (row,) = world.rows(text_outbox)
    return str(row.id)


def status(**more: str) -> dict[str, str]:
    return {"MessageSid": MESSAGE, "MessageStatus": "delivered", "AccountSid": SID, "To": CUSTOMER, "From": US, **more}


def inbound(body: str, **more: str) -> dict[str, str]:
    return {"MessageSid": f"SM{'b' * 32}", "AccountSid": SID, "From": CUSTOMER, "To": US, "Body": body, **more}


def everything(world: World) -> list[Any]:
    """All that a stranger might want to change."""
    tables = (t.reservation, t.person, t.answer, t.block, t.audit, text_outbox)
    return [world.rows(table) for table in tables]


def test_a_status_is_taken_once_and_a_replay_of_it_changes_nothing(world: World, door: Running) -> None:
    ref = texted(world)
    assert door.post(f"/twilio/main/status/{ref}", status()).status == 204
    (row,) = world.rows(text_outbox)
    assert (row.delivery, row.delivery_at) == ("delivered", door.now)
    before = everything(world)
    door.now += MINUTE
    for later in ("delivered", "sent", "queued", "undelivered"):
        assert door.post(f"/twilio/main/status/{ref}", status(MessageStatus=later)).status == 204
    assert everything(world) == before


_STRANGERS: dict[str, tuple[int, str, dict[str, str], dict[str, str]]] = {
    "unsigned": (403, "/twilio/main/status/{ref}", status(), {"signature": ""}),
    "wrongly signed": (403, "/twilio/main/status/{ref}", status(), {"signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}),
    "signed oddly": (403, "/twilio/main/status/{ref}", status(), {"signature": "\u00e9\u00fc"}),
    "signed with another account's token": (403, "/twilio/main/status/{ref}", status(), {"token": OTHER_TOKEN}),
    "another account's": (404, "/twilio/main/status/{ref}", status(AccountSid=OTHER_SID), {}),
    "an account that we have not": (404, "/twilio/else/status/{ref}", status(), {}),
    "a text that is not ours": (404, "/twilio/main/status/999999", status(), {}),
    "a text that is no number": (404, "/twilio/main/status/1%3B--", status(), {}),
    "a message that is not this text": (404, "/twilio/main/status/{ref}", status(MessageSid=f"SM{'c' * 32}"), {}),
    "no status at all": (400, "/twilio/main/status/{ref}", status(MessageStatus="received"), {}),
    "no message at all": (400, "/twilio/main/status/{ref}", status(MessageSid="SM1"), {}),
    "a text from nobody": (400, "/twilio/main/inbound", inbound("1", From=""), {}),
    "a text from a page": (400, "/twilio/main/inbound", inbound("1", From="<script>"), {}),
    "a text without a name": (400, "/twilio/main/inbound", inbound("1", MessageSid=""), {}),
    "a text that is unsigned": (403, "/twilio/main/inbound", inbound("STOP"), {"signature": ""}),
    "a room that is not there": (404, "/twilio/main/elsewhere", status(), {}),
}


@pytest.mark.parametrize(("expected", "path", "fields", "how"), _STRANGERS.values(), ids=_STRANGERS)
def test_a_stranger_is_told_what_he_is_and_changes_nothing(
    sqlite_world: World,
    sqlite_door: Running,
    expected: int,
    path: str,
    fields: dict[str, str],
    how: dict[str, str],
) -> None:
    ref = texted(sqlite_world)
    before = everything(sqlite_world)
    assert sqlite_door.post(path.format(ref=ref), fields, **how).status == expected
    assert everything(sqlite_world) == before


_ODD: dict[str, tuple[int, bytes, dict[str, str]]] = {
    "no UTF-8": (400, b"Body=\xff\xfe", {}),
    "no UTF-8 in escapes": (400, b"Body=%FF%FE", {}),
    "half a surrogate pair": (400, b"Body=%ED%A0%80", {}),
    "too many fields": (400, b"&".join(b"a%d=1" % n for n in range(300)), {}),
    "nothing": (403, b"", {}),
    "an escape that is none": (403, b"MessageSid=%ZZ", {}),
    "JSON": (415, b"{}", {"Content-Type": "application/json"}),
    "without a type": (415, b"a=1", {"Content-Type": ""}),
    "just too large": (413, b"a=" + b"x" * LIMIT, {}),
    "packed, and too large when unpacked": (415, gzip.compress(b"a=" + b"x" * LIMIT), {"Content-Encoding": "gzip"}),
    "packed as it is not": (415, b"a=1", {"Content-Encoding": "gzip"}),
}


@pytest.mark.parametrize("path", ["/twilio/main/status/1", "/twilio/main/inbound"])
@pytest.mark.parametrize(("expected", "body", "headers"), _ODD.values(), ids=_ODD)
def test_odd_forms_change_nothing(
    sqlite_world: World, sqlite_door: Running, path: str, expected: int, body: bytes, headers: dict[str, str]
) -> None:
    texted(sqlite_world)
    before = everything(sqlite_world)
    sent = {"Content-Type": FORM, "X-Twilio-Signature": "x", **headers}
    assert sqlite_door.ask("POST", path, body, sent).status == expected
    assert everything(sqlite_world) == before


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200), signature=st.text(st.characters(codec="latin-1", exclude_categories=["Cc"])))
def test_whatever_a_stranger_posts_he_is_refused(
    sqlite_world: World, sqlite_door: Running, body: bytes, signature: str
) -> None:
    headers = {"Content-Type": FORM, "X-Twilio-Signature": signature}
    for path in ("/twilio/main/status/1", "/twilio/main/inbound"):
        assert sqlite_door.ask("POST", path, body, headers).status in {400, 403}
    assert everything(sqlite_world) == [[], [], [], [], [], []]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "TRACE"])
def test_only_posts_are_taken(sqlite_door: Running, method: str) -> None:
    assert sqlite_door.ask(method, "/twilio/main/inbound").status == 405


def test_a_signed_text_of_odd_letters_is_taken(world: World, door: Running) -> None:
    texted(world)
    answer = door.post("/twilio/main/inbound", inbound("你好 🤷 \0 \u202e <b>&"))
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/xml; charset=utf-8")
    assert len(world.rows(t.answer)) == 1


def test_a_reply_of_1_is_done_once_and_answered_the_same_twice(world: World, door: Running) -> None:
    texted(world)
    first = door.post("/twilio/main/inbound", inbound("1"))
    assert first.status == 200
    assert reply(Told("", {}, 200, first.body.decode()))
    before = everything(world)
    second = door.post("/twilio/main/inbound", inbound("1"))
    assert (second.status, second.body) == (200, first.body)
    assert everything(world) == before
    assert len(world.rows(t.answer)) == 1


def test_what_twilio_has_answered_by_itself_is_done_and_not_answered_twice(world: World, door: Running) -> None:
    texted(world)
    answer = door.post("/twilio/main/inbound", inbound("Arret", OptOutType="STOP"))
    assert (answer.status, reply(Told("", {}, 200, answer.body.decode()))) == (200, None)
    with world.store.read() as connection:
        assert blocks.blocked(connection, CUSTOMER).texts


def test_a_phone_that_was_off_is_not_texted_what_holds_no_more(world: World, door: Running) -> None:
    """He was told 13:00, and has chosen 18:30 since."""
    ref = texted(world)
    assert door.post("/twilio/main/inbound", inbound("18:30")).status == 200
    door.post(f"/twilio/main/status/{ref}", status(MessageStatus="undelivered", ErrorCode="30003"))
    assert [row.cause for row in world.rows(text_outbox) if row.state == "waiting"] == []


def test_a_phone_that_was_off_is_texted_once_more_while_he_is_owed_a_call(world: World, door: Running) -> None:
    ref = texted(world)
    for _ in range(2):
        door.post(f"/twilio/main/status/{ref}", status(MessageStatus="undelivered", ErrorCode="30003"))
    first, second = world.rows(text_outbox)
    assert (first.delivery, first.delivery_code) == ("undelivered", "30003")
    assert (second.state, second.not_before_at) == ("waiting", door.now + sending.AGAIN_S * 1_000_000)


def test_a_phone_that_was_off_is_not_texted_about_what_is_settled(world: World, door: Running) -> None:
    ref = texted(world)
    world.hear(call(ended_at=NOON + 2 * MINUTE, talked_s=30), "served")
    door.post(f"/twilio/main/status/{ref}", status(MessageStatus="undelivered", ErrorCode="30003"))
    assert not [row for row in world.rows(text_outbox) if row.cause.endswith("/again")]


def test_what_the_carrier_says_of_an_opt_out_stands_for_ever(world: World, door: Running) -> None:
    ref = texted(world)
    door.post(f"/twilio/main/status/{ref}", status(MessageStatus="failed", ErrorCode="21610"))
    with world.store.read() as connection:
        assert blocks.blocked(connection, CUSTOMER).texts


def test_a_link_shows_its_page_and_nobody_keeps_it(world: World, door: Running) -> None:
    world.hear(call())
    with world.store.write() as connection:
        reservation = connection.execute(select(t.reservation.c.id)).scalar_one()
        token = links.token(connection, reservation, NOON + 60 * MINUTE)
    shown = door.ask("GET", f"/r/{token}")
    assert shown.status == 200
    assert shown.headers["Cache-Control"] == "no-store"
    assert shown.headers["Referrer-Policy"] == "no-referrer"
    assert "script" not in shown.headers["Content-Security-Policy"]
    assert "9012345678" not in shown.body.decode()
    before = everything(world)
    other = "x" if token[0] != "x" else "y"
    assert door.ask("GET", f"/r/{other}{token[1:]}").status == 404
    assert door.ask("POST", f"/r/{token}", b"a=" + b"x" * LIMIT, {"Content-Type": FORM}).status == 413
    assert everything(world) == before


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_has_no_link_of_ours_waits_for_no_writer_and_keeps_none_waiting(
    sqlite_world: World, sqlite_door: Running, method: str
) -> None:
    with sqlite_world.store.write() as connection:
        links.token(connection, 1, NOON)
    with sqlite_world.store.write():
        shown = sqlite_door.ask(method, f"/r/{'x' * tokens.LENGTH}", b"do=cancel", {"Content-Type": FORM})
    assert shown.status == 404


def test_a_link_cancels_by_a_form(world: World, door: Running) -> None:
    world.hear(call())
    with world.store.write() as connection:
        reservation = connection.execute(select(t.reservation.c.id)).scalar_one()
        token = links.token(connection, reservation, NOON + 60 * MINUTE)
    assert door.ask("POST", f"/r/{token}", b"do=cancel&value=", {"Content-Type": FORM}).status == 200
    assert world.reservations()[0].state == "cancelled"


def a_link(world: World) -> str:
    """The address of the page of a caller who was lost."""
    world.hear(call())
    with world.store.write() as connection:
        return f"/r/{links.token(connection, world.reservations()[-1].id, NOON + 60 * MINUTE)}"


def test_a_link_that_is_worked_by_a_program_costs_little(world: World, door: Running) -> None:
    page, form = a_link(world), {"Content-Type": FORM}
    posted = [door.ask("POST", page, b"do=call-now&value=%d" % number, form).status for number in range(40)]
    assert posted[:10] == [200] * 10
    assert posted[12:] == [429] * 28
    assert len(world.rows(t.audit)) == 1
    assert len(world.rows(t.promise)) == 1
    assert door.ask("GET", page).status == 200  # he may still read it


def test_a_link_that_is_only_read_is_read_as_often_as_people_do(sqlite_world: World, sqlite_door: Running) -> None:
    page = a_link(sqlite_world)
    read = [sqlite_door.ask("GET", page).status for _ in range(100)]
    assert (read[0], read[-1]) == (200, 429)
    assert (
        sqlite_door.ask("GET", page[:3] + ("y" if page[3] == "x" else "x") + page[4:]).status == 404
    )  # another address has a pace of its own


class _Watched(Store):
    """A database that notes when each writing transaction had it, and until when."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.held: list[tuple[float, float]] = []

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with super().write() as connection:
            began = time.monotonic()
            yield connection
        self.held.append((began, time.monotonic()))


def test_on_sqlite_the_door_leaves_most_of_the_time_to_whoever_writes_down_what_callers_lose(
    sqlite_world: World,
) -> None:
    ref = texted(sqlite_world)
    store = _Watched(sqlite_world.store.url)
    door = Running(sqlite_world, settings_with(sqlite_world), store=store)
    with ThreadPoolExecutor(20) as pool:
        told = [pool.submit(door.post, f"/twilio/main/status/{ref}", status()) for _ in range(60)]
    door.close()
    store.close()
    assert {one.result().status for one in told} == {204}
    assert len(store.held) == 60
    for (began, ended), (next_began, _) in pairwise(store.held):
        assert next_began - ended >= REST * (ended - began) * 0.9


def test_a_door_that_cannot_be_opened_says_where_and_why(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        wiring = settings_with(world).model_copy(
            update={"web": Web(listen=place, public_url=PUBLIC), "database": Database(url=world.store.url)}
        )
        with pytest.raises(CallbackError, match=rf"\[web\] listen {place}: .*in use"):
            asyncio.run(serve(wiring, lambda: NOON, asyncio.Event()))


def test_the_fake_twilio_and_the_door_understand_each_other(world: World) -> None:
    """From the claim to what is on the row: the real client, the fake and its callbacks, our door, and a reply."""
    world.hear(call())
    with FakeTwilio({SID: TOKEN}) as fake:
        port = free_port()
        wiring = settings_with(world, f"http://127.0.0.1:{port}", fake.url)
        fake.behave(CUSTOMER, Conduct(answer="error", status=500, repeat=2, early=True))
        opened = Running(world, wiring, port)
        try:
            gateway = sending.gateway_of(wiring, io.StringIO())
            assert finished(deliver(world.store.write, gateway, _him, lambda: NOON + MINUTE, 9), gateway) == 1
            fake.wait(lambda: len(fake.told) == 6, "three reports, twice each")
            answered = fake.text_in(f"http://127.0.0.1:{port}/twilio/main/inbound", SID, CUSTOMER, US, "1")
        finally:
            opened.close()
        assert {told.status for told in fake.told[:6]} == {204}
        (row,) = world.rows(text_outbox)
        assert (row.state, row.gateway_ref, row.delivery) == ("sent", fake.accepted[0].sid, "delivered")
        assert len(fake.accepted) == 1
        assert reply(answered)
        assert [answer.wish for answer in world.rows(t.answer)] == ["choice-1"]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
