"""A campaign on a real Asterisk: who was hit is told by text, and one of a sample is called back and judges it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from callback.clock import now_us
from callback.store import tables as t
from lab.asterisk import Asterisk
from lab.phone import AGENT_HZ, CUSTOMER_HZ, Carrier, Phone
from lab.twilio import FakeTwilio
from tests.live.at_terminal import run
from tests.live.desk import CUSTOMER, E164, pause
from tests.live.service import Service
from tests.live.texting import wait_open, with_texts

pytestmark = pytest.mark.live

CAMPAIGN = """
name = "The lines were down"
queue = "sales"
[words]
en = "Our lines were down. All is well again."
"""


@pytest.fixture
def service(pbx: Asterisk, tmp_path: Path, twilio: FakeTwilio, door: str) -> Iterator[Service]:
    telling = Service(pbx, tmp_path)
    with telling.settings.open("a") as settings:
        settings.write("[rules.queues.sales.care]\ncampaigns = true\n")
    with with_texts(telling, twilio, door) as running:
        wait_open(door)
        yield running


def its_time_has_come(service: Service) -> None:
    """The calls of a sample are spread over days: let the first be due now."""
    with service.store.write() as connection:
        connection.execute(update(t.campaign_asked).values(call_from_at=now_us()))


def test_told_by_text_called_for_the_sample_and_scored(
    pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service, twilio: FakeTwilio, tmp_path: Path
) -> None:
    campaign, numbers = tmp_path / "campaign.toml", tmp_path / "numbers.csv"
    campaign.write_text(CAMPAIGN)
    numbers.write_text(f"number,segment\n{CUSTOMER},fibre\n12,fibre\n")
    run(service, "campaign", "new", str(campaign))
    assert "1 people are new" in run(service, "campaign", "numbers", "1", str(numbers))
    run(service, "campaign", "preview", "1")
    run(service, "campaign", "start", "1", "--yes", "--why", "the cable")
    twilio.wait(lambda: len(twilio.accepted) == 1, "the text of the campaign")
    assert (twilio.accepted[0].to, twilio.accepted[0].body) == (E164, "Our lines were down. All is well again.")
    service.wait_row(t.campaign, lambda row: row.state == "done")

    pause(pbx, paused=False)
    assert "1  fibre" in run(service, "campaign", "sample", "1", "--size", "1", "--seed", "7")
    assert carrier.rings_of(CUSTOMER) == []
    its_time_has_come(service)
    customer = carrier.wait_call(CUSTOMER).wait_answered().wait_heard(AGENT_HZ)
    agent.wait_call().wait_heard(CUSTOMER_HZ)
    time.sleep(max(0.0, 3.1 - customer.talked_s))  # whole seconds of talk are counted, and two are enough
    customer.hang_up()
    assert service.outcome()["outcome"] == "reached"
    (asked,) = service.rows(t.campaign_asked)
    run(service, "campaign", "score", str(asked.reservation_id), "9")
    (asked,) = service.rows(t.campaign_asked)
    assert (asked.state, asked.score, asked.segment) == ("scored", 9, "fibre")
    assert len(twilio.accepted) == 1, "and no other text"
    assert len(carrier.rings_of(CUSTOMER)) == 1
