"""What the gateway's own record says: Twilio's list, and a file or a page of any other gateway."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from twilio.rest import Client

from callback.probe.errors import NotKnown
from callback.probe.settings import Texts
from callback.probe.texts import Text, _Http, watch
from lab.twilio import Conduct, FakeTwilio, undelivered

SID, TOKEN = f"AC{'1' * 32}", "a token of the fake"
NUMBER, OTHER = "+12125550123", "+12125550199"


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    with FakeTwilio({SID: TOKEN}) as fake:
        yield fake


def at_twilio(twilio: FakeTwilio, token: str = TOKEN) -> Texts:
    return Texts.model_validate(
        {"watch": "twilio", "account_sid": SID, "auth_token": token, "api_url": twilio.url, "timeout_s": 5}
    )


def text(twilio: FakeTwilio, to: str, *conduct: Conduct) -> None:
    twilio.behave(to, *conduct)
    client = Client(SID, TOKEN, http_client=_Http(twilio.url, 5))
    client.messages.create(to=to, from_="+12125550100", body="hello")
    twilio.wait(lambda: twilio.accepted[-1].to == to and twilio.accepted[-1].status != "sending", "the text")


@pytest.mark.parametrize(
    ("conduct", "seen"),
    [
        ((), Text("delivered")),
        ((Conduct(reports=("sending", "sent")),), Text("sent")),
        ((undelivered(30007),), Text("failed", 30007)),
        ((Conduct(reports=()),), Text("waiting")),
    ],
)
def test_twilio_is_asked_how_far_a_text_came(twilio: FakeTwilio, conduct: tuple[Conduct, ...], seen: Text) -> None:
    watched = watch(at_twilio(twilio), NUMBER, datetime.now(UTC))
    assert watched is not None
    assert watched.look() is None
    text(twilio, OTHER)
    assert watched.look() is None
    text(twilio, NUMBER, *conduct)
    twilio.wait(lambda: watched.look() == seen, f"{seen}, not {watched.look()}")


def test_an_earlier_text_is_not_this_runs(twilio: FakeTwilio) -> None:
    text(twilio, NUMBER)
    watched = watch(at_twilio(twilio), NUMBER, datetime.now(UTC) + timedelta(seconds=60))
    assert watched is not None
    assert watched.look() is None


def test_a_list_that_cannot_be_read_is_not_known(twilio: FakeTwilio) -> None:
    refused = watch(at_twilio(twilio, "wrong"), NUMBER, datetime.now(UTC))
    assert refused is not None
    with pytest.raises(NotKnown, match="401"):
        refused.look()
    nobody = Texts.model_validate(
        {"watch": "twilio", "account_sid": SID, "auth_token": TOKEN, "api_url": "http://127.0.0.1:1"}
    )
    away = watch(nobody, NUMBER, datetime.now(UTC))
    assert away is not None
    with pytest.raises(NotKnown, match="cannot be read"):
        away.look()


def test_a_file_of_the_gateway_is_read_from_its_end(tmp_path: Path) -> None:
    log = tmp_path / "sent.log"
    log.write_text("old to 12125550123\n" + "x" * (2 << 20) + "\n")
    settings = Texts(watch="file", file=log, holds="to {digits}$|to {digits}\n")
    watched = watch(settings, NUMBER, datetime.now(UTC))
    assert watched is not None
    assert watched.look() is None
    with log.open("a") as file:
        file.write("to 12125550199\nto 12125550123\n")
    assert watched.look() == Text("sent")
    log.unlink()
    with pytest.raises(NotKnown, match=r"sent\.log"):
        watched.look()


def test_nothing_is_watched_where_nothing_is_named() -> None:
    assert watch(Texts(), NUMBER, datetime.now(UTC)) is None
