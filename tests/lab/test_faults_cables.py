"""Cables that are cut, hang and are mended, as the faults of `make faults` need them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from lab.faults.cables import Cables
from lab.faults.switchboard import End


def _echo(door: socket.socket) -> None:
    with suppress(OSError):
        while True:
            caller, _ = door.accept()
            threading.Thread(target=_repeat, args=(caller,), daemon=True).start()


def _repeat(caller: socket.socket) -> None:
    with suppress(OSError), closing(caller):
        while data := caller.recv(100):
            caller.sendall(data)


@pytest.fixture(params=["tcp", "unix"])
def ends(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[End, End]]:
    """A near end where nobody listens yet, and a far one behind which each word comes back."""
    if request.param == "unix":
        door = socket.socket(socket.AF_UNIX)
        door.bind(str(tmp_path / "far"))
        door.listen()
        found = End(path=str(tmp_path / "near")), End(path=str(tmp_path / "far"))
    else:
        door = socket.create_server(("127.0.0.1", 0))
        with socket.create_server(("127.0.0.1", 0)) as free:
            found = End(port=free.getsockname()[1]), End(port=door.getsockname()[1])
    threading.Thread(target=_echo, args=(door,), daemon=True).start()
    with door:
        yield found


def _call(end: End, timeout_s: float = 10) -> socket.socket:
    caller = socket.socket(socket.AF_UNIX if end.path else socket.AF_INET)
    caller.settimeout(timeout_s)
    try:
        caller.connect(end.path or ("127.0.0.1", end.port))
    except OSError:
        caller.close()
        raise
    return caller


def _answered(caller: socket.socket) -> bytes:
    caller.sendall(b"hello")
    return caller.recv(100)


def test_a_cable_is_cut_and_mended(ends: tuple[End, End], tmp_path: Path) -> None:
    with Cables(tmp_path, {"node-a/pbx": ends}) as cables:
        with _call(ends[0]) as caller:
            assert _answered(caller) == b"hello"
            cables.turn("cut", "node-a/")
            with suppress(ConnectionError):
                assert caller.recv(100) == b""
        with suppress(ConnectionError), _call(ends[0]) as refused:
            assert _answered(refused) == b""
        cables.turn("whole", "node-a/")
        with _call(ends[0]) as again:
            assert _answered(again) == b"hello"


def test_a_cable_hangs_without_a_word(ends: tuple[End, End], tmp_path: Path) -> None:
    with Cables(tmp_path, {"node-a/pbx": ends}) as cables, _call(ends[0]) as caller:
        assert _answered(caller) == b"hello"
        cables.turn("hanging", "node-a/")
        with _call(ends[0], 0.3) as late, pytest.raises(TimeoutError):
            _answered(late)
        caller.settimeout(0.3)
        with pytest.raises(TimeoutError):
            _answered(caller)
        cables.turn("whole", "node-a/")
        with pytest.raises(TimeoutError):  # who was connected then stays deaf
            _answered(caller)
        with _call(ends[0]) as again:
            assert _answered(again) == b"hello"
