"""The gateway of machines that have none."""

from __future__ import annotations

import io

from sms.console import ConsoleGateway
from sms.gateway import Gateway, Receipt
from tests.sms.gateways import sent


def test_it_prints_one_line_and_says_that_it_reached_nobody() -> None:
    stream = io.StringIO()
    gateway: Gateway = ConsoleGateway(stream)
    receipt = sent(gateway, "+442079460958", "Sorry.\nWe call\r\nyou back.", "lost:1")
    assert stream.getvalue() == "text (console, nobody's phone) to +442079460958: Sorry. We call you back.\n"
    assert receipt == Receipt(gateway_ref="console:lost:1")
    assert gateway.name == "console"
