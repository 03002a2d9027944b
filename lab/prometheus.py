"""A real Prometheus and its promtool: they read our rules and scrape what we serve, for as long as a test needs it."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lab import child, fetch
from lab.errors import LabError

START_DEADLINE_S: Final = 60
HOST: Final = "127.0.0.1"


class PrometheusError(LabError):
    """There is no Prometheus to run here, or it did not start; the sentence says which."""


@dataclass(frozen=True)
class Binaries:
    """Where the programs are."""

    prometheus: Path
    promtool: Path

    def tool(self, *words: str) -> tuple[int, str]:
        """Run promtool; give its status and all it said."""
        ended = subprocess.run([self.promtool, *words], capture_output=True, text=True, timeout=60, check=False)
        return ended.returncode, ended.stdout + ended.stderr


@dataclass(frozen=True)
class Server:
    """A Prometheus that scrapes."""

    port: int

    def ask(self, path: str, **asked: str) -> Any:  # noqa: ANN401 - as its API answers
        """Ask its API."""
        url = f"http://{HOST}:{self.port}/api/v1/{path}?{urllib.parse.urlencode(asked)}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)["data"]


def find() -> Binaries:
    """Find those of the system, else unpack the distribution's package beside it."""
    if (prometheus := shutil.which("prometheus")) and (promtool := shutil.which("promtool")):
        return Binaries(Path(prometheus), Path(promtool))
    into = fetch.unpack(["prometheus"], into=fetch.cache() / "prometheus")
    found = Binaries(into / "usr/bin/prometheus", into / "usr/bin/promtool")
    if not found.promtool.exists() or not found.prometheus.exists():
        raise PrometheusError(f"the distribution's packages hold no Prometheus: look into {into}")
    return found


@contextmanager
def serve(binaries: Binaries, folder: Path, target: str, port: int) -> Iterator[Server]:
    """Scrape that target each second while the block lasts."""
    settings = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "scrape_configs": [{"job_name": "lost-calls", "static_configs": [{"targets": [target]}]}],
    }
    (folder / "prometheus.yml").write_text(json.dumps(settings))  # JSON is YAML
    command = [
        str(binaries.prometheus),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={HOST}:{port}",
        "--log.level=error",
    ]
    with (folder / "prometheus.log").open("wb") as log:
        process = child.start(command, out=log, errors=log)
        try:
            _wait(process, port, folder)
            yield Server(port)
        finally:
            child.stop(process, 10)


def _wait(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    ends = time.monotonic() + START_DEADLINE_S
    while time.monotonic() < ends and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/-/ready", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise PrometheusError(f"Prometheus did not start: {(folder / 'prometheus.log').read_text()[-400:]}")
