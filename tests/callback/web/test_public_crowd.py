"""The door in a crowd, by real sockets: connections that say nothing, or nonsense, and who is served all the same."""

from __future__ import annotations

import contextlib
import http.client
import logging
import resource
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from callback.site import links
from callback.web.connections import Limits, origin_of
from tests.callback.web.test_public import FORM, Running, free_port, settings_with
from tests.callback.world import MINUTE, NOON, World, call

GET = b"GET /r/nothing HTTP/1.1\r\nHost: door\r\n\r\n"
POST = f"POST /r/nothing HTTP/1.1\r\nHost: door\r\nContent-Type: {FORM}\r\nContent-Length: 50\r\n\r\n".encode()


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.WARNING)
    return caplog


@contextlib.contextmanager
def opened(world: World, **limits: float) -> Iterator[Running]:
    door = Running(world, settings_with(world), limits=Limits(**limits))  # type: ignore[arg-type]
    try:
        yield door
    finally:
        door.close()


@contextlib.contextmanager
def connected(
    door: Running, many: int, saying: bytes = b"", source: str = "127.0.0.1"
) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        sockets = []
        for _ in range(many):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", door.port), 10, (source, 0)))
            one.sendall(saying)
            sockets.append(one)
        yield sockets


def ended(one: socket.socket, within_s: float = 10) -> bool:
    """Whether the door ended this connection without an answer."""
    one.settimeout(within_s)
    try:
        return one.recv(1) == b""
    except ConnectionResetError:
        return True


def answered(one: socket.socket) -> int:
    """The status that came over this connection."""
    one.settimeout(10)
    response = http.client.HTTPResponse(one)
    response.begin()
    response.read()
    return response.status


@pytest.fixture
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(4096, hard)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
@pytest.mark.parametrize("saying", [b"", b"GET /r/no", POST + b"do=can"], ids=["nothing", "half a line", "half a form"])
def test_a_legal_request_is_answered_at_once_among_1100_that_say_no_more(
    sqlite_world: World, saying: bytes, said: pytest.LogCaptureFixture
) -> None:
    with opened(sqlite_world) as door, connected(door, 1100, saying) as crowd:
        began = time.monotonic()
        assert door.ask("GET", "/r/nothing").status == 404
        assert time.monotonic() - began < 5
        assert ended(crowd[0])
        assert len(said.records) <= 2  # how many there were is counted, not told one by one


@pytest.mark.parametrize("saying", [b"", b"GET /r/no", POST + b"do=can"], ids=["nothing", "half a line", "half a form"])
def test_who_does_not_say_all_of_a_request_is_shut_out(sqlite_world: World, saying: bytes) -> None:
    with opened(sqlite_world, speak_s=0.3) as door, connected(door, 1, saying) as (one,):
        assert ended(one)


def test_a_letter_now_and_then_does_not_count_as_saying_it(sqlite_world: World) -> None:
    with opened(sqlite_world, speak_s=0.5) as door, connected(door, 1, POST) as (one,):
        for _ in range(50):
            one.sendall(b"a")
            if select.select([one], [], [], 0.1)[0]:
                break
        else:
            pytest.fail("it was let stay")
        assert ended(one)


def test_one_address_is_bounded_and_another_is_served_all_the_same(sqlite_world: World) -> None:
    with (
        opened(sqlite_world, by_address=5) as door,
        connected(door, 8, source="127.0.0.2") as crowd,
        connected(door, 8, source="127.0.0.3") as others,
    ):
        assert [ended(one) for one in crowd[:3]] == [True] * 3
        assert [ended(one) for one in others[:3]] == [True] * 3
        for one in (*crowd[3:], *others[3:]):
            one.sendall(GET)
            assert answered(one) == 404


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::ffff:127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),  # one customer of a provider has all of it
        ("2001:db8:1:2::7", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
    ],
)
def test_an_address_counts_with_those_of_its_owner(address: str, place: str) -> None:
    assert origin_of((address, 4711)) == place
    assert origin_of(None) == ""


def test_a_proxy_on_this_machine_is_bounded_as_a_whole_alone(sqlite_world: World) -> None:
    with opened(sqlite_world, by_address=2) as door, connected(door, 20) as crowd:
        for one in crowd:
            one.sendall(GET)
            assert answered(one) == 404


def test_whoever_is_being_served_stays_and_a_newcomer_does_not(sqlite_world: World) -> None:
    sqlite_world.hear(call())
    with sqlite_world.store.write() as connection:
        token = links.token(connection, sqlite_world.reservations()[0].id, NOON + 60 * MINUTE)
    form = f"POST /r/{token} HTTP/1.1\r\nHost: door\r\nContent-Type: {FORM}\r\nContent-Length: 7\r\n\r\ndo=stop"
    with opened(sqlite_world, by_address=1) as door, connected(door, 1, form.encode(), "127.0.0.2") as (served,):
        with sqlite_world.store.write():  # what is asked for has to wait
            assert door.ask("GET", "/r/nothing").status == 404  # so the other one was heard by now
            with connected(door, 1, GET, "127.0.0.2") as (newcomer,):
                assert ended(newcomer)
        assert answered(served) == 200


def test_each_answer_ends_its_connection_and_names_no_version(sqlite_world: World) -> None:
    with opened(sqlite_world) as door:
        for asked in (GET, GET.replace(b"/r/", b"/x/"), POST + b"a" * 50, b"\x00\x01nonsense\r\n\r\n"):
            with connected(door, 1, asked) as (one,):
                one.settimeout(10)
                head = b"".join(iter(lambda one=one: one.recv(4096), b"")).partition(b"\r\n\r\n")[0]  # type: ignore[misc]
                assert b"server: callback\r\n" in head.lower() + b"\r\n"
                assert b"uvicorn" not in head.lower()
                assert b"python" not in head.lower()


_NONSENSE = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "a header that is none": b"GET / HTTP/1.1\r\nHost: door\r\n: nothing\r\n\r\n",
    "two lengths": POST.replace(b"Host: door", b"Content-Length: 7") + b"x" * 50,
    "a chunk that is none": POST.replace(b"Content-Length: 50", b"Transfer-Encoding: chunked") + b"zz\r\n\r\n",
    "a line too long": b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("nonsense", _NONSENSE.values(), ids=_NONSENSE)
def test_nonsense_is_told_once_and_counted(
    sqlite_world: World, nonsense: bytes, said: pytest.LogCaptureFixture
) -> None:
    with opened(sqlite_world) as door:
        for _ in range(20):
            with connected(door, 1, nonsense) as (one,):
                assert answered(one) == 400
    assert len(said.records) <= 1
    assert not any(record.exc_info for record in said.records)


def test_uploads_that_are_broken_off_are_told_once_and_counted(
    sqlite_world: World, said: pytest.LogCaptureFixture
) -> None:
    with opened(sqlite_world) as door:
        for _ in range(20):
            with connected(door, 1, POST + b"do=can"):
                pass
        assert door.ask("GET", "/r/nothing").status == 404
    assert [record.getMessage() for record in said.records] == ["a request was broken off, or is none"]
    assert not any(record.exc_info for record in said.records)


def test_a_machine_without_room_for_another_connection_says_so_once(sqlite_world: World, tmp_path: Path) -> None:
    port = free_port()
    wiring = tmp_path / "callback.toml"
    wiring.write_text(
        f'[database]\nurl = "{sqlite_world.store.url}"\n[pbx]\nusername = "u"\nsecret = "s"\n'
        f'[trunks.main]\nregion = "JP"\n[web]\nlisten = "127.0.0.1:{port}"\npublic_url = "https://door.example.org"\n'
        '[rules]\nzone = "Asia/Tokyo"\n[rules.queues.support]\n'
    )
    few = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))  # noqa: E731
    command = [sys.executable, "-m", "callback", "door", "--settings", str(wiring), "--until-eof"]
    door = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=few)  # noqa: PLW1509
    try:
        until_open(port, door)
        with contextlib.ExitStack() as stack:
            for _ in range(70):
                stack.enter_context(socket.create_connection(("127.0.0.1", port), 30))
            # Out of files, the loop accepts nobody for a second at a time, and this one is the last in the row.
            with socket.create_connection(("127.0.0.1", port), 30) as one:
                one.sendall(GET)
                assert answered(one) == 404
    finally:
        _, told = door.communicate(timeout=30)
    lines = told.decode().splitlines()
    assert not [line for line in lines if "Traceback" in line]
    assert len(lines) <= 3


def until_open(port: int, door: subprocess.Popen[bytes]) -> None:
    """Wait until the door listens there."""
    by = time.monotonic() + 90  # six workers start programs at once
    while time.monotonic() < by and door.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    pytest.fail(f"the door was not opened (status {door.poll()})")
