"""What nobody foresaw in the part that sends texts ends the whole service: it would go on without texts, unseen."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import delete

from callback.service.service import Service
from callback.service.texting import turn
from callback.settings.sections import Database, PbxWiring
from callback.store import tables as t
from tests.callback.world import World


def test_a_part_that_fails_ends_the_service_with_its_error(
    sqlite_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_given: object) -> NoReturn:
        raise RuntimeError("no such thing")

    monkeypatch.setattr(turn, "TextWorker", fails)
    nowhere = PbxWiring(port=1, username="u", secret="s", journal=tmp_path, lease_s=1)  # noqa: S106
    with sqlite_world.store.write() as connection:
        connection.execute(delete(t.lease))  # the world's own
    made = {"pbx": nowhere, "database": Database(url=sqlite_world.store.url)}
    service = Service(sqlite_world.settings.model_copy(update=made), io.StringIO())
    with pytest.raises(RuntimeError, match="no such thing"):
        asyncio.run(asyncio.wait_for(service.run(), 60))
