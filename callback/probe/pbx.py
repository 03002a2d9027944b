"""What the probe asks of the PBX: to place its call, to free its agent, and what has happened since."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from callback.probe.errors import NotKnown
from callback.probe.settings import Call, Pbx

FAMILY, KEY = "lcr-probe", "run"
MEMBER: Final = "Local/free@lcr-probe-agent/n"
CALLER: Final = "Local/call@lcr-probe-caller/n"
_RING_MS: Final = 20_000
"""The PBX has come in on its own endpoint by then."""
_GRACE_S: Final = 5.0
"""What the process needs to start, beside the conversation itself."""
_ANSWER_LIMIT: Final = 1 << 16
_TOKEN: Final = re.compile(r"[0-9a-f]{32}")
_WORD: Final = re.compile(
    r"(number|placed|joined|left|freed|agent|rang|answered|hung):([0-9]{1,15})(?::([0-9]{0,20}))?"
)
_ALIKE: Final = 8
"""So many last digits are the same in whatever form a number is written."""


@dataclass(frozen=True, slots=True)
class Run:
    """What the dialplan wrote of a run of the probe; times are epoch seconds of the PBX's clock."""

    token: str = ""
    number: str = ""
    placed: int | None = None
    joined: int | None = None
    left: int | None = None
    freed: int | None = None
    agent: int | None = None
    rang: tuple[tuple[int, str], ...] = ()
    answered: int | None = None
    hung: int | None = None

    def rings(self, number: str) -> list[int]:
        """When the phone of this number was rung after the call was lost."""
        after = self.left or 0
        return [at for at, digits in self.rang if at >= after and digits[-_ALIKE:] == number[-_ALIKE:]]


def read(value: str) -> Run:
    """Read what stands in AstDB; what is no record of ours is an empty one."""
    token, *words = value.split(" ") if value else [""]
    if not _TOKEN.fullmatch(token):
        return Run()
    found: dict[str, Any] = {}
    rang: list[tuple[int, str]] = []
    for word in words:
        if (said := _WORD.fullmatch(word)) is None:
            continue
        if said[1] == "rang":
            rang.append((int(said[2]), said[3] or ""))
        else:
            found.setdefault(said[1], said[2] if said[1] == "number" else int(said[2]))
    return Run(token=token, rang=tuple(rang), **found)


def last_run(settings: Pbx) -> Run:
    """Ask what has happened since the last call of the probe."""
    answer = _ask(settings, {"Action": "DBGet", "Family": FAMILY, "Key": KEY})
    if not answer["ok"] and "not found" not in answer["says"].lower():
        raise NotKnown(
            f"AstDB may not be read ({answer['says']})", "manager.conf: write of the probe's user must hold reporting"
        )
    return read(str(answer.get("value", "")))


def place(settings: Pbx, call: Call, number: str, token: str) -> None:
    """Call as a customer; the dialplan gives up by itself `waits_s` after it came in."""
    variables = {
        "LCR_PROBE_TOKEN": token,
        "LCR_PROBE_NUMBER": number,
        "LCR_PROBE_DIAL": call.dial,
        "LCR_PROBE_WAITS": str(call.waits_s),
        "LCR_PROBE_TALKS": str(call.talks_s),
    }
    lines = {"Variable": ",".join(f"{name}={value}" for name, value in variables.items())}
    _originate(settings, CALLER, {**lines, "Timeout": str(_RING_MS)}, str(call.waits_s + 20))


def free(settings: Pbx) -> None:
    """Let the pretend agent be free from now on."""
    _originate(settings, MEMBER, {"Timeout": "5000"}, "1")


def _originate(settings: Pbx, channel: str, lines: Mapping[str, str], seconds: str) -> None:
    action = {"Action": "Originate", "Channel": channel, "Application": "Wait", "Data": seconds, "Async": "true"}
    answer = _ask(settings, {**action, **lines})
    if not answer["ok"]:
        remedy = (
            "manager.conf: write of the probe's user must hold originate, and extensions_lcr_probe.conf be included"
        )
        raise NotKnown(f"the PBX places no call for the probe ({answer['says']})", remedy)


def _ask(settings: Pbx, action: Mapping[str, str]) -> dict[str, Any]:
    """Hold one conversation, in a process of its own that is ended at its deadline."""
    asked = {
        "host": settings.host,
        "port": settings.port,
        "timeout_s": settings.timeout_s,
        "login": {"Username": settings.username, "Secret": settings.secret.get_secret_value()},
        "actions": [action],
    }
    where = f"{settings.host}:{settings.port}"
    command = [sys.executable, "-I", "-W", "ignore", "-m", "callback.probe.conversation"]
    try:
        ended = subprocess.run(  # noqa: S603 - this Python, and a module of ours
            command,
            input=json.dumps(asked).encode(),
            capture_output=True,
            timeout=settings.timeout_s + _GRACE_S,
            check=False,
        )
        said = json.loads(ended.stdout[:_ANSWER_LIMIT])
    except subprocess.TimeoutExpired as error:
        raise _away(where, f"said nothing for {settings.timeout_s:g} s") from error
    except ValueError as error:
        raise _away(where, "said what the probe's library cannot read") from error
    if "refused" in said:
        remedy = "[pbx] secret must be that of manager_lcr_probe.conf, and permit hold this host; `manager reload`"
        raise NotKnown(f"the PBX refused the login of manager user '{settings.username}'", remedy)
    answer: dict[str, Any] = said["answers"][0] if "answers" in said else said
    if "fault" in answer:
        raise _away(where, str(answer["fault"]))
    return answer


def _away(where: str, why: str) -> NotKnown:
    return NotKnown(f"the manager interface at {where} does not answer ({why})", "see whether Asterisk runs")
