"""The console's process: where it is found, why it cannot be, and that it ends when told to or its memory is full."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from callback.web.console.bounds import NO_MEMORY
from tests.callback.world import World
from tests.children import child

READY = "the console is at http://127.0.0.1:"


def settings_file(folder: Path, database: str, port: int, more: str = "") -> Path:
    file = folder / "callback.toml"
    file.write_text(
        f'[database]\nurl = "{database}"\n[pbx]\nusername = "u"\nsecret = "s"\n[trunks.main]\nregion = "JP"\n'
        f'[console]\nlisten = "127.0.0.1:{port}"\n{more}[rules]\nzone = "Asia/Tokyo"\n[rules.queues.support]\n'
    )
    return file


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def command(file: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "callback", "console", "--settings", str(file), *more]


@contextmanager
def running(world: World, folder: Path, more: str = "") -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A console that listens, and its address."""
    file = settings_file(folder, world.store.url, free_port(), more)
    with child(command(file), stderr=subprocess.STDOUT) as process:
        assert process.stdout
        said = process.stdout.readline()
        assert said.startswith(READY), said + process.stdout.read()
        yield process, said.split()[-1]


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 - of our own
        body: bytes = answer.read()
    return body.decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_and_ends_when_told(sqlite_world: World, tmp_path: Path, number: signal.Signals) -> None:
    with running(sqlite_world, tmp_path) as (process, url):
        assert get(f"{url}/healthz") == "ok\n"
        process.send_signal(number)
        said, _ = process.communicate(timeout=20)
    assert (process.returncode, said) == (0, "")


def test_whoever_keeps_it_ends_it_by_closing_its_input(sqlite_world: World, tmp_path: Path) -> None:
    file = settings_file(tmp_path, sqlite_world.store.url, free_port())
    kept = subprocess.run(
        command(file, "--until-eof"), input="", capture_output=True, text=True, timeout=60, check=False
    )
    assert (kept.returncode, kept.stdout.strip("."), kept.stderr) == (0, "", "")


def test_whoever_keeps_it_gets_signs_of_life(sqlite_world: World, tmp_path: Path) -> None:
    file = settings_file(tmp_path, sqlite_world.store.url, free_port())
    with child(command(file, "--until-eof"), stdin=subprocess.PIPE) as kept:
        assert kept.stdout
        assert kept.stdout.read(2) == ".."
        kept.communicate(timeout=20)
    assert kept.returncode == 0


def test_a_place_that_is_taken_is_named(sqlite_world: World, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        file = settings_file(tmp_path, sqlite_world.store.url, port)
        said = subprocess.run(command(file), capture_output=True, text=True, timeout=60, check=False)
    assert said.returncode == 2
    assert said.stderr.startswith(f"callback: [console] listen 127.0.0.1:{port}: ")
    assert "in use" in said.stderr
    assert "Traceback" not in said.stderr


def test_without_a_place_it_says_what_to_write(sqlite_world: World, tmp_path: Path) -> None:
    file = settings_file(tmp_path, sqlite_world.store.url, 1)
    file.write_text(file.read_text().replace('listen = "127.0.0.1:1"', ""))
    said = subprocess.run(command(file), capture_output=True, text=True, timeout=60, check=False)
    assert (said.returncode, said.stderr) == (
        2,
        'callback: no console is to be served: [console] listen = "127.0.0.1:8090" says where\n',
    )


def test_it_comes_after_the_service(sqlite_world: World, tmp_path: Path) -> None:
    with running(sqlite_world, tmp_path, "memory_max_mb = 300\n") as (process, url):
        of_it = Path("/proc") / str(process.pid)
        assert os.getpriority(os.PRIO_PROCESS, process.pid) > os.getpriority(os.PRIO_PROCESS, 0)
        assert int((of_it / "oom_score_adj").read_text()) >= 500
        assert resource.prlimit(process.pid, resource.RLIMIT_DATA)[0] == 300 << 20
        assert get(f"{url}/healthz") == "ok\n"  # the least that can be set is enough to serve


def test_a_console_whose_memory_is_full_says_so_and_ends(sqlite_world: World, tmp_path: Path) -> None:
    with running(sqlite_world, tmp_path) as (process, _):
        taken = next(
            int(line.split()[1]) << 10
            for line in (Path("/proc") / str(process.pid) / "status").read_text().splitlines()
            if line.startswith("VmData:")
        )
        hard = resource.prlimit(process.pid, resource.RLIMIT_DATA)[1]
        resource.prlimit(process.pid, resource.RLIMIT_DATA, (taken, hard))
        said, _ = process.communicate(timeout=20)
    assert process.returncode == NO_MEMORY
    assert "the console ends: its memory is full; see [console] memory_max_mb\n" in said


_TAKES_TOO_MUCH = """
import sys
from callback.web.console.bounds import is_full, keep_within
keep_within(300)
assert not is_full()
try:
    bytearray(400 << 20)
except MemoryError:
    print("refused", flush=True)
kept = [bytearray(1 << 20) for _ in range(int(sys.argv[1]))]
input()
"""


@pytest.mark.parametrize(("takes_mb", "status"), [(100, 0), (280, NO_MEMORY)])
def test_what_is_beyond_the_bound_is_refused_and_near_it_the_process_ends(takes_mb: int, status: int) -> None:
    with child(
        [sys.executable, "-c", _TAKES_TOO_MUCH, str(takes_mb)], stdin=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "refused\n"
        if status == 0:
            said, _ = process.communicate("\n", timeout=20)
        else:
            said = process.stdout.read()  # nobody answers: it ends by itself
            process.wait(20)
    assert (process.returncode, "its memory is full" in said) == (status, status != 0)
