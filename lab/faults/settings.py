"""The settings files of the nodes: short waits, everything switched on for the one queue."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from lab.faults.records import Terms

ACCOUNT: Final = "AC" + "0" * 32
TOKEN: Final = "fake-token"  # noqa: S105 - of the fake gateway
_RING_S, _AGENT_WAIT_S = 4, 10
_RETRY_UNKNOWN_S: Final = 6


@dataclass(frozen=True, slots=True)
class Ways:
    """How a node reaches the others: a host, and their ports there."""

    host: str
    database: int
    pbx: int
    redis: int


@dataclass(frozen=True, slots=True)
class Shared:
    """What all nodes of the site have in common."""

    folder: Path
    pbx_user: str
    pbx_secret: str
    queue_log: Path
    cdr: Path
    gateway: str
    door: str
    terms: Terms


def write(node: str, journal: Path, ways: Ways, shared: Shared, *, door: bool) -> Path:
    """Write the settings of a node; give the file."""
    file = shared.folder / f"{node}.toml"
    sections = [_wiring(node, journal, ways, shared), _texts(shared, door=door), _rules(shared.terms)]
    file.write_text("\n".join(sections))
    file.chmod(0o600)
    return file


def _wiring(node: str, journal: Path, ways: Ways, shared: Shared) -> str:
    return f"""\
[database]
url = "postgresql+psycopg://postgres@{ways.host}:{ways.database}/faults"
key_file = "{shared.folder}/key/site.key"

[cluster]
node = "{node}"
redis = "redis://{ways.host}:{ways.redis}/0"

[pbx]
name = "lab"
host = "{ways.host}"
port = {ways.pbx}
username = "{shared.pbx_user}"
secret = "{shared.pbx_secret}"
journal = "{journal}"
queue_log = "{shared.queue_log}"
cdr = "{shared.cdr}"

[logs]
numbers = "full"

[trunks.main]
channel = "PJSIP/trunk"
dial = "PJSIP/{{number}}@trunk"
region = "JP"
form = "national"
"""


def _texts(shared: Shared, *, door: bool) -> str:
    listen = f'listen = "{shared.door}"\n' if door else ""
    return f"""\
[texts]
gateway = "twilio"

[texts.twilio.main]
account_sid = "{ACCOUNT}"
auth_token = "{TOKEN}"
from = "+81312345678"
texts_per_s = 100
api_url = "{shared.gateway}"

[web]
{listen}public_url = "http://{shared.door}"
"""


def _rules(terms: Terms) -> str:
    """Quiet hours begin in half a day where the customers are: the lab runs at any hour."""
    there = datetime.now(ZoneInfo("Asia/Tokyo"))
    quiet_from, quiet_until = (f"{there + timedelta(hours=hours):%H:%M}" for hours in (12, 13))
    values = {
        "zone": "Asia/Tokyo",
        "no_ring_after": quiet_from,
        "no_ring_before": quiet_until,
        "short_abandon_s": terms.short_abandon_s,
        "text_grace_s": 0.2,
        "agent_wait_s": _AGENT_WAIT_S,
        "ring_s": _RING_S,
        "reached_after_s": terms.reached_after_s,
        "retry_busy_min": terms.retry_busy_s / 60,
        "retry_no_answer_min": terms.retry_no_answer_s / 60,
        "retry_our_fault_min": terms.retry_our_fault_s / 60,
        "retry_unknown_min": _RETRY_UNKNOWN_S / 60,
        "incident_losses": 100_000,
        "one_ring_numbers": 1000,
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    queue = 'texts = "on"\ncalls = "on"\ncaller_id = "0312345678"\ncaller_name = "Support"\n'
    return "[rules]\n" + "\n".join(lines) + f"\n\n[rules.queues.support]\n{queue}"
