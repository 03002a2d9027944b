"""Writes to each department that wants it how its last week was: once for each week."""

from __future__ import annotations

from callback.care import letters
from callback.care.letters import Letter
from callback.reports.care import weekly
from callback.service.transactions import Transactions
from callback.site.work import Work
from callback.store import restored


class ReportToDepartments:
    """Every ten minutes it looks whether a week is over; one that ended while no service ran is told then."""

    name, every_s = "department_reports", 600.0

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def run(self) -> None:
        """Write what is due."""
        await self._transactions.transact(write)


def write(work: Work) -> int:
    """Write the reports of the last week that were not written yet, and give how many; the outbox of mails has them."""
    if restored.pending(work.connection, work.pbx) is not None:
        return 0
    last, written = weekly.last_week(work), 0
    for name, department in sorted(work.site.rules.care.departments.items()):
        cause = f"report/{name}/{work.pbx}/{weekly.name_of(last)}"
        if department.report and department.mail and not letters.is_written(work, cause):
            told = weekly.report(work, name, last)
            address, subject, body = department.mail, told.subject, told.body
            letter = Letter(cause=cause, department=name, address=address, subject=subject, body=body)
            written += letters.put(work, letter)
    return written
