"""The account of the fake Twilio that tests text by."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from lab.errors import LabError
from lab.openapi import Description
from lab.twilio import FakeTwilio
from sms.twilio import Account, TwilioGateway

SID, TOKEN = f"AC{'1' * 32}", "a token of the fake"
SERVICE = f"MG{'2' * 32}"
OURS = "+442079460000"
CUSTOMER = "+447700900123"  # a range that Ofcom keeps free for stories


def description() -> Description:
    """Twilio's public description, which is not in the repository; the test is left out where nobody has brought it."""
    try:
        return Description.load()
    except LabError as error:
        pytest.skip(f"missing: {error}")


def account(fake: FakeTwilio, sender: str = OURS, texts_per_s: float = 1000) -> Account:
    return Account(SID, TOKEN, sender, texts_per_s, fake.url)


def gateway(fake: FakeTwilio, public_url: str = "", timeout_s: float = 5.0, **more: Account) -> TwilioGateway:
    accounts: Mapping[str, Account] = {"main": account(fake), **more}
    return TwilioGateway(accounts, public_url, {"GB"}, timeout_s)
