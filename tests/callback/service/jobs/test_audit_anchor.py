"""The end of the audit is told as it is."""

from __future__ import annotations

from pathlib import Path

from callback.decisions import actions
from callback.events import AuditHead
from callback.service.jobs.audit_anchor import AnchorAudit
from callback.store import audit
from callback.store.audit import By
from tests.callback.service.jobs.parts import lose, now_us, parts, run
from tests.callback.world import World


def test_its_rows_and_the_hash_of_the_last_one_are_told(today: World, tmp_path: Path) -> None:
    lose(today, "09012345600")
    with today.store.write() as connection:
        actions.hold(today.work(connection, now_us()), 1, By("anna", "the customer wrote to us"))
        head = audit.head(connection)

    async def main() -> None:
        async with parts(today, tmp_path, None) as made:
            await AnchorAudit(made.transactions, made.own.append).run()
            assert made.own == [AuditHead(f"{head.rows}:{head.hash}")]
            assert head.rows == 1

    run(main())
