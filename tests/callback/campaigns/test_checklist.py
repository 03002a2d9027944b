"""The five S: each line has who answers for it, a note, and by whom it was done."""

from __future__ import annotations

import pytest

from callback.campaigns import checklist as kept
from callback.campaigns.campaign import NoSuchCampaign
from callback.campaigns.checklist import Check, NoSuchLine
from callback.decisions.campaigns import checklist
from callback.decisions.campaigns.checklist import Said
from callback.errors import CallbackError
from callback.store import tables as t
from callback.store.audit import By
from tests.callback.campaigns.crowd import CARE, audience
from tests.callback.world import MINUTE, NOON, World

MEG, BO = By("meg", "no reason given"), By("bo", "no reason given")


def test_a_line_is_owned_done_once_and_taken_back(migrated_url: str) -> None:
    world = World(migrated_url, CARE)
    number = audience(world, {"all": 1})
    with world.store.write() as connection:
        work, later = world.work(connection, NOON), world.work(connection, NOON + MINUTE)
        assert [one.line for one in kept.read(work, number)] == ["shoulder", "sincerity", "speed", "system", "standard"]
        assert set(kept.read(work, number)[1:]) == {Check(line) for line in kept.LINES[1:]}
        checklist.check(work, number, Said(line="speed", owner="ann", done=True, note="texts within the hour"), MEG)
        checklist.check(later, number, Said(line="speed", owner="ann", done=True, note="within 40 minutes"), BO)
        assert kept.read(work, number)[2] == Check("speed", "ann", NOON, "meg", "within 40 minutes")
        checklist.check(later, number, Said(line="speed"), BO)
        assert kept.read(work, number)[2] == Check("speed")
        with pytest.raises(NoSuchLine, match="shoulder, sincerity"):
            checklist.check(work, number, Said(line="six-sigma"), MEG)
        with pytest.raises(CallbackError, match="too long"):
            checklist.check(work, number, Said(line="speed", note="x" * 401), MEG)
        with pytest.raises(NoSuchCampaign):
            checklist.check(work, number, Said(line="speed"), MEG, groups=frozenset({"sales"}))
    assert [row.facts["done"] for row in world.rows(t.audit) if row.action == "campaign-checked"] == [True, True, False]
