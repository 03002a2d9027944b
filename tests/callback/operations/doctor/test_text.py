"""`callback doctor --text`: one text, and a word on what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from callback.logs.masking import masked
from callback.operations.doctor.text import send_one
from callback.settings.sections import PbxWiring, Settings, Trunk
from callback.settings.texts import Texts, Web
from lab.twilio import Conduct, FakeTwilio, error
from tests.callback.world import rules

SID, TOKEN, CUSTOMER = f"AC{'1' * 32}", "the token", "+819012345678"


@pytest.fixture
def fake() -> Iterator[FakeTwilio]:
    with FakeTwilio({SID: TOKEN}) as fake:
        yield fake


def _settings(web: Web | None = None, **texts: Any) -> Settings:
    return Settings(
        pbx=PbxWiring(username="u", secret="s"),  # noqa: S106
        trunks={"main": Trunk(region="JP", form="national")},
        rules=rules(),
        texts=Texts.model_validate(texts),
        web=web or Web(),
    )


def _twilio(fake: FakeTwilio, token: str = TOKEN) -> Settings:
    account = {"account_sid": SID, "auth_token": token, "from": "+81312345678", "api_url": fake.url}
    return _settings(gateway="twilio", twilio={"main": account})


def _told(settings: Settings, number: str = "09012345678") -> list[str]:
    return [finding.line() for finding in send_one(settings, number, sleep=lambda _: None)]


def test_a_text_that_arrives_is_said_to_have(fake: FakeTwilio) -> None:
    fake.behave(CUSTOMER, Conduct(early=True))
    taken, came, deaf = _told(_twilio(fake))
    assert taken == f"  ok    twilio took the text to {CUSTOMER} and calls it {fake.accepted[0].sid}"
    assert came == "  ok    it was delivered"
    assert "WARN" in deaf
    assert "public_url" in deaf
    assert fake.accepted[0].status_callback == ""  # nobody waits for news of it


@pytest.mark.parametrize(
    ("conduct", "words"),
    [
        (error(21614), "FAULT twilio refuses it: is not a mobile (error 21614)"),
        (error(20429, status=429), "FAULT twilio did not take it: Twilio's rate limit"),
        (Conduct(accepts=False, answer="error", status=500), "FAULT nobody can tell whether twilio took it"),
        (Conduct(early=True, reports=("undelivered",), code=30005), "FAULT it was not delivered (error 30005)"),
        (
            Conduct(early=True, reports=("undelivered",), code=30034),
            "→ the sender is not registered for texts to the US (https://www.twilio.com/docs/api/errors/30034)",
        ),
        (Conduct(early=True, reports=("sent",)), "WARN  after 20 s it is sent"),
    ],
)
def test_a_text_that_does_not_is_said_not_to_have(fake: FakeTwilio, conduct: Conduct, words: str) -> None:
    fake.behave(CUSTOMER, conduct)
    assert words in "\n".join(_told(_twilio(fake)))


def test_a_wrong_token_names_its_section(fake: FakeTwilio) -> None:
    (line,) = _told(_twilio(fake, "wrong"))
    assert "mend [texts.twilio.main]" in line


def test_what_is_no_number_is_not_texted(fake: FakeTwilio) -> None:
    (line,) = _told(_twilio(fake), "hello")
    assert "FAULT hello is no number" in line
    assert fake.requests == 0


def test_the_console_says_that_it_cannot_know(capsys: pytest.CaptureFixture[str]) -> None:
    lines = _told(_settings())
    assert f"to {masked(CUSTOMER)}: Test of the callback service" in capsys.readouterr().out
    assert "console does not tell what becomes of a text" in lines[1]
