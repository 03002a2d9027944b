"""One test text through the gateway that the settings name, and what came of it."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from typing import Final

from callback.customers import numbers
from callback.operations.doctor.finding import Finding, fault, sound, warning
from callback.settings.sections import Settings
from callback.texts.send import gateway_of
from sms.gateway import Gateway, Refused, Report, Unsent

BODY: Final = "Test of the callback service: nothing is asked of you."
PATIENCE_S: Final = 20.0
LOOK_EVERY_S: Final = 1.0


def send_one(settings: Settings, signalled: str, sleep: Callable[[float], None] = time.sleep) -> Iterator[Finding]:
    """Send the text, then ask for a while how far it came."""
    trunk = next(iter(settings.trunks.values()))
    to = numbers.written(signalled, trunk).e164
    if to is None:
        yield fault(f"{signalled} is no number", "write it with its country: +819012345678")
        return
    gateway = gateway_of(settings, sys.stdout)
    with asyncio.Runner() as loop:
        try:
            ref = loop.run(gateway.send(to, BODY, "")).gateway_ref
        except Refused as no:
            yield fault(f"{gateway.name} refuses it: {no.reason}", "try another number, or see the account's settings")
        except Unsent as no:
            yield fault(f"{gateway.name} did not take it: {no.reason}", "mend [texts], or try again in a minute")
        except Exception as error:  # noqa: BLE001 - a gateway may raise anything: it is what we want to know
            what = f"nobody can tell whether {gateway.name} took it ({type(error).__name__}: {error})"
            yield fault(what, "look at the gateway's own log before you try again")
        else:
            yield sound(f"{gateway.name} took the text to {to} and calls it {ref}")
            yield _became(gateway, lambda: loop.run(gateway.look_up(ref)), sleep)
            yield from _shortcomings(settings)
        finally:
            loop.run(gateway.close())


def _became(gateway: Gateway, look_up: Callable[[], Report | None], sleep: Callable[[float], None]) -> Finding:
    report: Report | None = None
    for _ in range(round(PATIENCE_S / LOOK_EVERY_S)):
        report = look_up()
        if report is None or report.progress in {"delivered", "undelivered"}:
            break
        sleep(LOOK_EVERY_S)
    if report is None:
        return warning(f"{gateway.name} does not tell what becomes of a text", "look at the phone")
    if report.progress == "undelivered":
        trouble = gateway.trouble(report.code)
        remedy = trouble.why if trouble else f"see {gateway.name}'s words on that error"
        return fault(f"it was not delivered (error {report.code})", remedy)
    if report.progress == "delivered":
        return sound("it was delivered")
    return warning(f"after {PATIENCE_S:.0f} s it is {report.progress}", "look at the phone; some carriers never tell")


def _shortcomings(settings: Settings) -> Iterator[Finding]:
    """What the service will not learn with these settings, though it could."""
    if settings.texts.gateway == "twilio" and not settings.web.public_url:
        what = "nobody hears what becomes of texts, nor who answers: Twilio cannot find us"
        yield warning(what, "[web] listen and public_url, with a proxy that has a certificate before it")
    elif settings.texts.gateway == "twilio" and not settings.texts.two_way:
        yield warning(
            "no country is said to answer texts: they carry a link instead",
            '[texts] two_way = ["US", …] where phones can',
        )
