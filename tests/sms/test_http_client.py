"""What a request proves where the network, or who listens there, fails: on real sockets of this machine."""

from __future__ import annotations

import asyncio
import fcntl
import gc
import socket
import ssl
import struct
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from sms.errors import SmsError
from sms.gateway import UNREACHABLE, Unsent
from sms.http_client import ANSWER_LIMIT, HttpClient
from tests.sms.gateways import finished

_CERTIFICATE = Path(__file__).parent / "gateway.pem"  # made for these tests alone, for 127.0.0.1
_OK = b"HTTP/1.1 200 OK\r\n"
_MUCH = b"x" * (32 << 20)  # more than the buffers of both sockets
pytestmark = [  # of bodies that are larger than any text, and are still being thrown away when their loop ends
    pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
_RESET = struct.pack("ii", 1, 0)  # closing says "reset" at once


@pytest.fixture(autouse=True)
def _gone_with_its_test() -> Iterator[None]:
    yield
    gc.collect()  # what such a body leaves behind


@contextmanager
def _listening(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server on this machine that serves each connection by `serve`, and then closes it; give its URL."""
    with socket.create_server(("127.0.0.1", 0)) as door:

        def accept() -> None:
            while True:
                try:
                    connection, _ = door.accept()
                except OSError:
                    return
                with connection, suppress(OSError):
                    serve(connection)

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"http://127.0.0.1:{door.getsockname()[1]}/send"
        finally:
            door.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=10)


def _asked(connection: socket.socket) -> bytes:
    """The head of the request."""
    head = b""
    while b"\r\n\r\n" not in head and (part := connection.recv(4096)):
        head += part
    return head


def _answering(*parts: bytes) -> Callable[[socket.socket], None]:
    def serve(connection: socket.socket) -> None:
        _asked(connection)
        for part in parts:
            connection.sendall(part)

    return serve


def _fails(serve: Callable[[socket.socket], None], body: bytes = b"", timeout_s: float = 5) -> Exception:
    with _listening(serve) as url:
        try:
            answer = _ask(HttpClient(timeout_s), url, body, {})
        except Exception as fault:  # noqa: BLE001 - which one it is, is what is asked
            return fault
    pytest.fail(f"it had an answer: {answer}")


def _ask(client: HttpClient, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    return finished(client.ask(url, body, headers), client)


# Nothing has left


def test_a_refused_connection_is_told_in_the_systems_words() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(Unsent, match=r"^the gateway cannot be reached \(Connection refused\)$") as told:
            _ask(HttpClient(5), f"http://127.0.0.1:{nobody.getsockname()[1]}/", b"", {})
    assert told.value.code == UNREACHABLE


def test_a_host_that_does_not_answer_the_call_is_not_reached() -> None:
    with ExitStack() as held:
        door = held.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):  # no more than one is let in before somebody accepts
            caller = held.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(door.getsockname())
        with pytest.raises(Unsent, match=r"cannot be reached \(timed out\)$"):
            _ask(HttpClient(0.2), f"http://127.0.0.1:{door.getsockname()[1]}/", b"", {})


def test_a_name_that_leads_nowhere_is_not_reached() -> None:
    with pytest.raises(Unsent, match="cannot be reached"):
        _ask(HttpClient(5), "http://nowhere.invalid/", b"", {})


def _tls(connection: socket.socket) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_CERTIFICATE)
    with context.wrap_socket(connection, server_side=True) as secured:
        _answering(_OK + b"\r\nOK id=77")(secured)


def test_a_certificate_that_this_machine_does_not_trust_is_refused_before_anything_is_said() -> None:
    with (
        _listening(_tls) as url,
        pytest.raises(Unsent, match=r"\(certificate verify failed: self-signed certificate") as told,
    ):
        _ask(HttpClient(5), url.replace("http:", "https:"), b"a text", {})
    assert told.value.code == UNREACHABLE


def test_one_that_it_trusts_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(_CERTIFICATE))
    with _listening(_tls) as url:
        assert _ask(HttpClient(5), url.replace("http:", "https:"), b"", {}) == (200, "OK id=77")


@pytest.mark.parametrize("said", [b"220 mail.example.org\r\n", b""])
def test_who_speaks_no_tls_is_not_reached(said: bytes) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(said)

    with _listening(serve) as url, pytest.raises(Unsent, match="cannot be reached"):
        _ask(HttpClient(5), url.replace("http:", "https:"), b"", {})


# Nobody knows


def _resets(connection: socket.socket) -> None:
    _asked(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


def _waits(connection: socket.socket) -> None:
    """Say nothing until the other side has closed."""
    while connection.recv(1 << 20):
        pass


def _waits_in_its_answer(connection: socket.socket) -> None:
    _asked(connection)
    connection.sendall(_OK + b"Content-Length: 9\r\n\r\nOK")
    _waits(connection)


@pytest.mark.parametrize("serve", [_waits, _waits_in_its_answer])
def test_an_answer_that_does_not_come_in_time_proves_nothing(serve: Callable[[socket.socket], None]) -> None:
    assert isinstance(_fails(serve, timeout_s=0.2), TimeoutError)


def test_nor_does_a_request_that_nobody_reads_to_its_end() -> None:
    over = threading.Event()

    def serve(_: socket.socket) -> None:
        over.wait(10)

    with _listening(serve) as url:
        with pytest.raises(TimeoutError):
            _ask(HttpClient(0.2), url, _MUCH, {})
        over.set()


def test_a_connection_that_is_reset_proves_nothing_and_nothing_is_asked_twice() -> None:
    asked: list[socket.socket] = []

    def serve(connection: socket.socket) -> None:
        asked.append(connection)
        _resets(connection)

    fault = _fails(serve)  # by a GET, which aiohttp would ask again
    assert len(asked) == 1
    assert (type(fault), str(fault)) == (
        SmsError,
        "the connection broke before the gateway had answered (Connection reset by peer)",
    )


@pytest.mark.parametrize("body", [b"", _MUCH])
def test_nor_does_one_that_is_closed_before_the_request_is_read(body: bytes) -> None:
    assert type(_fails(lambda _: None, body)) is SmsError


@pytest.mark.parametrize("said", [b"", b"220 mail.example.org\r\n", b"HTTP/1.1 OK\r\n\r\n"])
def test_what_is_no_http_proves_nothing(said: bytes) -> None:
    fault = _fails(_answering(said))
    assert type(fault) is SmsError
    assert str(fault).startswith("the gateway's answer is no HTTP (")
    assert "/send" not in str(fault)  # with the URL went the token and the text that stand in it


# The answer


def test_an_answer_without_end_is_read_to_our_limit() -> None:
    def serve(connection: socket.socket) -> None:
        _asked(connection)
        connection.sendall(_OK + b"\r\n")
        while True:  # until the other side has closed
            connection.sendall(b"OK" * 4096)

    with _listening(serve) as url:
        status, answer = _ask(HttpClient(5), url, b"", {})
    assert (status, answer) == (200, "OK" * (ANSWER_LIMIT // 2))


@pytest.mark.parametrize(
    "rest", [b"Content-Length: 99\r\n\r\nOK id=77", b"Transfer-Encoding: chunked\r\n\r\n9f\r\nOK id=77"]
)
def test_an_answer_that_is_cut_short_keeps_its_status(rest: bytes) -> None:
    with _listening(_answering(_OK + rest)) as url:
        assert _ask(HttpClient(5), url, b"", {}) == (200, "OK id=77")


def test_a_no_that_comes_before_the_request_was_read_is_a_no() -> None:
    def serve(connection: socket.socket) -> None:
        _asked(connection)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        _waits(connection)

    with _listening(serve) as url:
        assert _ask(HttpClient(5), url, _MUCH, {})[0] == 413


# What it does not do by itself


def test_nothing_is_said_but_what_it_is_given_and_neither_redirect_nor_cookie_nor_proxy_leads_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heads = []

    def serve(connection: socket.socket) -> None:
        heads.append(_asked(connection))
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /other\r\nSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\nOK")

    with socket.socket() as nobody, _listening(serve) as url:
        nobody.bind(("127.0.0.1", 0))
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{nobody.getsockname()[1]}")
        client = HttpClient(5)
        host = url.split("/")[2].encode()
        for _ in range(2):  # each on a connection of its own
            assert _ask(client, f"{url}?to=1", b"", {"X-Key": " hush "}) == (302, "OK")
    more = b"\r\nAccept-Encoding: identity\r\nX-Key: hush\r\nConnection: close\r\n\r\n"
    head = b"GET /send?to=1 HTTP/1.1\r\nHost: " + host + more
    assert heads == [head, head]


def test_a_connection_is_kept_for_the_next_request_where_that_is_wanted() -> None:
    connections: list[socket.socket] = []

    def serve(connection: socket.socket) -> None:
        connections.append(connection)
        while _asked(connection):
            connection.sendall(_OK + b"Content-Length: 2\r\n\r\nOK")

    async def three(client: HttpClient, url: str) -> list[tuple[int, str]]:
        return [await client.ask(url, b"a text", {}) for _ in range(3)]

    with _listening(serve) as url:
        client = HttpClient(5, keep_alive_s=5)
        assert finished(three(client, url), client) == [(200, "OK")] * 3
    assert len(connections) == 1


def test_what_is_said_unasked_is_no_answer_to_the_next_request() -> None:
    answered, again = threading.Event(), threading.Event()

    def serve(connection: socket.socket) -> None:
        _asked(connection)
        if again.is_set():
            connection.sendall(_OK + b"Content-Length: 4\r\n\r\nnext")
            return
        connection.sendall(_OK + b"Content-Length: 5\r\n\r\nfirst")
        answered.wait(10)
        connection.sendall(_OK + b"Content-Length: 5\r\n\r\nagain")
        while any(fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4))):
            time.sleep(0.001)  # until the other end has all of it
        again.set()
        _asked(connection)

    async def two(client: HttpClient, url: str) -> list[tuple[int, str]]:
        first = await client.ask(url, b"", {})
        answered.set()
        await asyncio.to_thread(again.wait, 10)
        return [first, await client.ask(url, b"", {})]

    with _listening(serve) as url:
        client = HttpClient(5, keep_alive_s=5)
        assert finished(two(client, url), client) == [(200, "first"), (200, "next")]


def test_a_kept_connection_that_breaks_is_not_asked_again_by_itself() -> None:
    asked = []

    def serve(connection: socket.socket) -> None:
        for answer in (_OK + b"Content-Length: 2\r\n\r\nOK", b""):
            asked.append(_asked(connection))
            connection.sendall(answer)

    async def two(client: HttpClient, url: str) -> None:
        assert await client.ask(url, b"", {}) == (200, "OK")
        with pytest.raises(SmsError, match="no HTTP"):
            await client.ask(url, b"", {})

    with _listening(serve) as url:
        client = HttpClient(5, keep_alive_s=5)
        finished(two(client, url), client)
    assert len(asked) == 2
