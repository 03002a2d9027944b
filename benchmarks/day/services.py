"""The service as it is installed, `callback run` with a settings file, for one PBX of a centre."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from benchmarks.peers import ACCOUNT
from lab import child

ZONE: Final = ZoneInfo("Asia/Tokyo")
"""Of the numbers in the recordings."""
STOPS_S: Final = 30.0
SETTINGS: Final = """
[database]
url = "{url}"
[pbx]
name = "{name}"
port = {port}
username = "{username}"
secret = "{secret}"
journal = "journal"
[trunks.main]
region = "JP"
channel = "PJSIP/trunk"
form = "national"
[texts]
gateway = "http"
[texts.http]
url = "http://127.0.0.1:{gateway}/send"
body = "{{digits}} {{text}}"
body_form = "plain"
keep_alive_s = 5
texts_per_s = 1000
[rules]
zone = "Asia/Tokyo"
no_ring_after = "{quiet_from}"
no_ring_before = "{quiet_to}"
short_abandon_s = 1
text_grace_s = 1
one_ring_s = 1
incident_losses = 100000
texts_a_block = 100000
texts_an_hour = 1000000
[rules.pacing]
price_in_aim = 1000
price_in_window = 1000
[rules.queues.support]
texts = "on"
calls = "on"
caller_id = "0312345678"
"""


@contextmanager
def running(folder: Path, url: str, name: str, port: int, gateway: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run it meanwhile."""
    folder.mkdir()
    now, settings = datetime.now(UTC).astimezone(ZONE), folder / "callback.toml"
    quiet = [(now + timedelta(hours=hours)).strftime("%H:%M:%S") for hours in (12, 13)]
    account = dict(zip(("username", "secret"), ACCOUNT, strict=True))
    place = {"url": url, "name": name, "port": str(port), "gateway": str(gateway)}
    settings.write_text(SETTINGS.format(**place, **account, quiet_from=quiet[0], quiet_to=quiet[1]))
    settings.chmod(0o600)
    command = [sys.executable, "-m", "callback", "run", "--settings", str(settings)]
    with (folder / "log").open("wb") as log:
        process = child.start(command, out=log, errors=log)  # it ends with us, however we end
        try:
            yield process
        finally:
            child.stop(process, STOPS_S)
