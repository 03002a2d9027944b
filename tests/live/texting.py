"""A service whose texts go by a Twilio of the test's own, and whose customers can answer them."""

from __future__ import annotations

import socket
import time

from lab.twilio import FakeTwilio, Told
from tests.live.service import Service

SID, TOKEN, OURS = f"AC{'1' * 32}", "a token of the fake", "+81312345678"


def free_place() -> str:
    """Host and port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{found.getsockname()[1]}"


def with_texts(service: Service, twilio: FakeTwilio, door: str) -> Service:
    """Let its texts go by this gateway, and answers come in by this door; before it starts."""
    with service.settings.open("a") as settings:
        settings.write(
            f'[texts]\ngateway = "twilio"\ntwo_way = ["JP"]\n'
            f'[texts.twilio.main]\naccount_sid = "{SID}"\nauth_token = "{TOKEN}"\n'
            f'from = "{OURS}"\napi_url = "{twilio.url}"\n'
            f'[web]\nlisten = "{door}"\npublic_url = "http://{door}"\n'
        )
    return service


def wait_open(door: str) -> None:
    """Wait until somebody listens there."""
    host, _, port = door.partition(":")
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, "nobody opened the door"
            time.sleep(0.05)
        else:
            return


def said(twilio: FakeTwilio, door: str, sender: str, body: str) -> Told:
    """Let a customer text this; gives what the service answers, and sees that it took it."""
    told = twilio.text_in(f"http://{door}/twilio/main/inbound", SID, sender, OURS, body)
    assert told.status == 200
    return told
