"""The sender, the service and its peers as processes of their own, and who listens to whom."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from benchmarks import listener, peers, sender
from benchmarks.errors import BenchmarkError

OF_THE_LOGIN: Final = 300
"""What a reader may count at most beside the flood, after the login; bytes, or a few events."""

_FRESH: Final = multiprocessing.get_context("spawn")
_LOADED: Final = multiprocessing.get_context("forkserver")  # to load the service takes a second
_LOADED.set_forkserver_preload(["benchmarks.listener"])


class Stage:
    """One sender, and whoever is to listen to it. `ready` says what the sender will play."""

    def __init__(self, folder: Path, database: str, name: str = "pbx") -> None:
        """Take a folder, the database, else one of SQLite in there, and how the PBXs are named."""
        self.ready = sender.Ready(0, (), 0.0)
        self._folder, self._database, self._name = folder, database, name
        self._ended_at = _FRESH.RawArray("q", sender.RING)

    @contextmanager
    def sending(self, flood: int, every: int = 1) -> Iterator[Stage]:
        """Run the sender meanwhile: a flood of so many events, made of each so-manieth recording."""
        with _process(sender.run, self._ended_at, flood, every) as self._sender:
            self.ready = _heard(self._sender)
            yield self
            self._sender.send(None)

    def peer(self, name: str) -> tuple[sender.SentTraffic, peers.Read]:
        """Let a peer read the flood."""
        with _process(peers.run, name, self.ready.port) as line:
            _heard(line)
            offered = self.ask(sender.Flood(close=True))
            read: peers.Read = _heard(line)
        wanted = offered.bytes if name == "bare socket" else offered.events
        if not wanted <= read.counted <= wanted + OF_THE_LOGIN:
            raise BenchmarkError(f"{name} read {read.counted} of {wanted}")
        return offered, read

    def service(
        self, order: sender.Flood | sender.SendRate, connections: int = 1
    ) -> tuple[sender.SentTraffic, listener.Listened]:
        """Let the service listen, with new journals, and on a new store unless one was named."""
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            database = self._database or f"sqlite:///{folder}/bench.db"
            plan = listener.Plan(self.ready.port, connections, database, Path(folder), self._name)
            with _process(listener.run, plan, self._ended_at) as line:
                _heard(line)
                line.send(offered := self.ask(order))
                listened: listener.Listened = _heard(line)
        if (listened.verdicts, listened.calls, listened.told) != (offered.calls,) * 3:
            raise BenchmarkError(
                f"{offered.calls} calls were offered; {listened.verdicts} verdicts on {listened.calls} calls were "
                f"committed and {listened.told} told: some are lost or judged twice"
            )
        return offered, listened

    def ask(self, order: sender.Flood | sender.SendRate) -> sender.SentTraffic:
        """Let the sender send, and tell what that was."""
        self._sender.send(order)
        offered: sender.SentTraffic = _heard(self._sender)
        return offered


@contextmanager
def _process(work: Callable[..., None], *arguments: object) -> Iterator[Connection]:
    """Run a process meanwhile, with a line to it."""
    context: Any = _LOADED if work is listener.run else _FRESH
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(theirs, *arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours
        process.join(5)
    finally:
        process.kill()
        process.join()
        ours.close()


def _heard(line: Connection) -> Any:  # noqa: ANN401 - whatever the other process says
    try:
        return line.recv()
    except EOFError as error:
        raise BenchmarkError("a process of the benchmark ended early: what it said stands above") from error
