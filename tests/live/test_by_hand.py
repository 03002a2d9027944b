"""An agent rings the lost customer by hand, on a real Asterisk: judged by what the phones saw."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from callback.store import tables as t
from lab.asterisk import Asterisk
from lab.phone import AGENT_HZ, CUSTOMER_HZ, Call, Carrier, Phone
from tests.live.desk import CUSTOMER, lose, pause
from tests.live.service import Service

pytestmark = pytest.mark.live


def rings_by_hand(pbx: Asterisk, carrier: Carrier, agent: Phone) -> tuple[Call, Call]:
    """Both talk; from now on the agent could take a callback, too."""
    line = agent.call(CUSTOMER, caller="agent2").wait_answered()
    customer = carrier.wait_call(CUSTOMER).wait_answered()
    line.wait_heard(CUSTOMER_HZ)
    customer.wait_heard(AGENT_HZ)
    pause(pbx, paused=False)
    return line, customer


def test_whom_an_agent_rang_by_hand_is_not_rung_again(
    pbx: Asterisk, carrier: Carrier, agent: Phone, tmp_path: Path
) -> None:
    with Service(pbx, tmp_path) as service:
        lose(carrier, service)
        line, customer = rings_by_hand(pbx, carrier, agent)
        time.sleep(max(0.0, 3.1 - customer.talked_s))  # it is what the call is about: two seconds are a talk here
        line.hang_up()
        told = service.wait("called-by-hand")
        assert told["phone"] == "PJSIP/agent2"
        (row,) = service.rows(t.reservation)
        assert row.state == "done-elsewhere"
        assert service.rows(t.attempt) == []
    assert len(carrier.rings_of(CUSTOMER)) == 1


def test_after_a_short_call_by_hand_the_customers_phone_has_a_rest(
    pbx: Asterisk, carrier: Carrier, agent: Phone, tmp_path: Path
) -> None:
    with Service(pbx, tmp_path, reached_after_s=60, own_call_grace_s=6) as service:
        lose(carrier, service)
        line, _ = rings_by_hand(pbx, carrier, agent)
        line.hang_up()
        until_at = int(service.wait("rests-after-own-call")["until_at"])
        again = carrier.wait_call(CUSTOMER).wait_answered()
        assert again.at > until_at
        (row,) = service.rows(t.attempt)
        assert row.claimed_at >= until_at
