"""One conversation with Asterisk's manager interface, a process of its own: `python -m callback.probe.conversation`.

It speaks through asterisk-ami, of which the service's own connection knows nothing, and which fails otherwise than
that. Its known faults (docs/adr/0002) are held so: the process lives for one conversation and is ended by its parent
at a deadline, so that a reader that went deaf costs that conversation alone; what goes out is looked at for CR, LF and
NUL; and the manager user hears no event, so that nothing which a caller wrote comes in. What does come is believed only
with the ActionID of this conversation, 128 random bits.

Standard input holds what is asked, as JSON; standard output the answers.
"""

from __future__ import annotations

import json
import queue
import secrets
import sys
import time
from collections.abc import Mapping
from typing import Any, Final

from asterisk.ami import AMIClient, SimpleAction

_FORBIDDEN: Final = frozenset("\r\n\0")
_LONGEST: Final = 1000
"""Asterisk takes a line of 1,024 bytes at most."""
_LISTS: Final = "DBGet"
"""The action that is answered by an event, behind its response."""


def converse(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Log in, ask for each action, give the answers: `refused` where the login was, `fault` where nobody answered."""
    lines = [*asked["login"].items(), *(line for action in asked["actions"] for line in action.items())]
    if wrong := [key for key, value in lines if not _clean(key) or not _clean(str(value))]:
        return {"fault": f"not sent: {', '.join(wrong)} holds a line break, or is too long"}
    heard: queue.Queue[Any] = queue.Queue()
    client = AMIClient(address=asked["host"], port=asked["port"], timeout=asked["timeout_s"])
    client.add_event_listener(lambda event, **_: heard.put(event))
    try:
        client.connect()
        login = _sent(client, {"Action": "Login", **asked["login"], "Events": "off"})
        if login is None:
            return {"fault": "connected, and the login was not answered"}
        if login.is_error():
            return {"refused": str(login.keys.get("Message", ""))}
        return {"answers": [_answer(client, heard, action, asked["timeout_s"]) for action in asked["actions"]]}
    except OSError as error:
        return {"fault": error.strerror or type(error).__name__}
    finally:
        if client.finished is not None:
            client.disconnect()


def _clean(value: str) -> bool:
    return not _FORBIDDEN.intersection(value) and len(value.encode()) <= _LONGEST


def _sent(client: AMIClient, action: Mapping[str, str]) -> Any:  # noqa: ANN401 - the library has no types
    """Send an action under an id of its own; None where no answer came in time."""
    headers = {key: value for key, value in action.items() if key != "Action"}
    sent = SimpleAction(action["Action"], **{"ActionID": secrets.token_hex(16), **headers})
    return client.send_action(sent).response


def _answer(client: AMIClient, heard: queue.Queue[Any], action: Mapping[str, str], timeout_s: float) -> dict[str, Any]:
    response = _sent(client, action)
    if response is None:
        return {"fault": f"{action['Action']} was not answered"}
    said = str(response.keys.get("Message", ""))
    if response.is_error() or action["Action"] != _LISTS:
        return {"ok": not response.is_error(), "says": said}
    value = _listed(heard, str(response.keys["ActionID"]), timeout_s)
    return {"fault": f"{_LISTS} was not answered"} if value is None else {"ok": True, "says": said, "value": value}


def _listed(heard: queue.Queue[Any], action_id: str, timeout_s: float) -> str | None:
    """Wait for the event that answers; those of anybody else are passed over."""
    deadline = time.monotonic() + timeout_s
    while (left := deadline - time.monotonic()) > 0:
        try:
            event = heard.get(timeout=left)
        except queue.Empty:
            return None
        if event.name == "DBGetResponse" and secrets.compare_digest(str(event.keys.get("ActionID", "")), action_id):
            return str(event.keys.get("Val", ""))
    return None


if __name__ == "__main__":
    json.dump(converse(json.load(sys.stdin)), sys.stdout)
