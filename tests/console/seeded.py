"""The centre that the console's tests and pictures look at: a Tuesday, 13:42, with every lane and end, and an incident.

Reservations are known by the names below (`Centre.reservation["late"]`). A test that needs more makes it on top.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from callback.decisions import actions
from callback.losses import incidents
from callback.store import tables as t
from callback.store.audit import By
from tests.callback.world import MINUTE, US, World, at
from tests.console import of_care
from tests.console.centre import DAY, HOSTILE, NOW, RULES, TRUNKS, Centre

LANES: Final = {
    "calling": ("calling", "calling-customer"),
    "aim": ("aim", "aim-severe", "aim-new", "aim-unsent", "aim-billing", "aim-china"),
    "binds": ("binds", "binds-landline"),
    "window": ("window", "window-tried", "window-sales"),
    "late": ("late", "late-tried"),
    "later": ("slot", "postponed", "busy", "abroad"),
    "held": ("held", "held-china", "burst-0", "incident-1", "incident-8"),
}
"""Some reservations of each lane of the queue, by name."""
CLOSED: Final = {
    "reached": "reached", "returned": "returned", "given-up": "given-up", "expired": "expired", "refused": "refused",
    "withdrawn": "not-lost", "cancelled": "cancelled", "done-elsewhere": "done-elsewhere",
}  # fmt: skip
"""A closed reservation of each state, by name."""
IN_INCIDENT: Final = 8
ANNA: Final = By("Anna", "the customer asked for it")
BO: Final = By("Bo", "they were spoken to")


def today(clock: str) -> int:
    """That time of the day, on the site's clock."""
    return at(clock, DAY)


def fresh(folder: Path) -> Centre:
    """Give the centre on an SQLite database of one's own, in that folder; it is lived through once a test process."""
    rows, centre = _lived()
    file = folder / "centre.db"
    file.write_bytes(rows)
    return centre.on(f"sqlite:///{file}")


@cache
def _lived() -> tuple[bytes, Centre]:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "centre.db"
        centre = seed(f"sqlite:///{file}")
        centre.world.close()
        return file.read_bytes(), centre


def seed(url: str) -> Centre:
    """Let the centre live until `NOW`, on an empty database."""
    centre = Centre(World(url, RULES, dict(TRUNKS), now=at("07:00", DAY - 1)))
    _yesterday(centre)
    _morning(centre)
    _noon(centre)
    _afternoon(centre)
    _incident(centre)
    _now(centre)
    of_care.seed(centre)
    return centre


def _yesterday(centre: Centre) -> None:
    """One who was reached."""
    lost_at = at("15:00", DAY - 1)
    centre.lose("long-ago", "09033334444", lost_at, "dropped", reason="line-failed")
    centre.try_it("long-ago", lost_at + 4 * MINUTE, "reached")


def _morning(centre: Centre) -> None:
    """Those whose callback is over."""
    for name, number, clock in (
        ("reached", "09011110001", "09:05"),
        ("returned", "09011110002", "09:10"),
        ("not-lost", "09011110003", "09:15"),
        ("cancelled", "09011110004", "09:20"),
        ("done-elsewhere", "09011110005", "09:25"),
        ("blocked", "09011110006", "09:30"),
        ("erased", "09011110007", "09:35"),
    ):
        centre.lose(name, number, today(clock))
    centre.tick(today("09:36"))
    centre.try_it("reached", today("09:37"), "busy")
    centre.try_it("reached", today("09:44"), "reached")
    centre.serve("served", "09011110002", today("09:50"))
    centre.decide(today("09:51"), actions.not_lost, "not-lost", By("Anna", "it was a test call"))
    centre.decide(today("09:52"), actions.cancel, "cancelled", ANNA)
    centre.decide(today("09:53"), actions.done_elsewhere, "done-elsewhere", BO)
    barred = By("Anna", "insults <b>everybody</b>")
    centre.do(
        today("09:54"),
        lambda work: actions.block(work, centre.number["blocked"], calls=True, texts=False, by=barred),
    )
    erased = By("Anna", "the customer asked us to forget them")
    centre.do(today("09:55"), lambda work: actions.erase(work, centre.number["erased"], erased))
    _given_up(centre)
    centre.lose("cancelled-at-once", "09011110011", today("09:58"), told_after_s=10)
    centre.decide(today("09:58") + 15 * US, actions.cancel, "cancelled-at-once", ANNA)
    centre.lose("short", "09011110008", today("10:00"), waited_s=2)
    centre.lose("no-number", "", today("10:02"))
    centre.lose("dear", "09900000123", today("10:04"))
    for n in range(5):  # one ring each, from many numbers of one block
        centre.lose(f"burst-{n}", f"0902222300{n}", today("10:10") + n * MINUTE, waited_s=7, menu_s=1)
    centre.lose("refused", "09022223009", today("10:16"), waited_s=7, menu_s=1)


def _given_up(centre: Centre) -> None:
    """One tried three times in vain, and one whom nobody could call in time."""
    centre.lose("given-up", "09011110009", today("09:00"))
    centre.try_it("given-up", today("09:01"), "no-answer")
    centre.try_it("given-up", today("09:17"), "no-answer")
    centre.try_it("given-up", today("09:40"), "no-answer")
    centre.lose("expired", "09011110010", today("09:02"), queue="sales")
    centre.tick(today("10:03"))
    centre.tick(today("11:04"))


def _incident(centre: Centre) -> None:
    """A trunk fails: eight callers of it are held."""
    for n in range(1, IN_INCIDENT + 1):
        when = today("13:33") + n * 20 * US
        centre.lose(f"incident-{n}", f"0907777000{n}", when, "dropped", reason="line-failed", queue="billing")
    centre.do(today("13:37"), incidents.tend)
    with centre.world.store.read() as connection:
        centre.incident = connection.execute(t.incident.select()).one().id


def _noon(centre: Centre) -> None:
    """Those who are late, and those to whom a time was told."""
    centre.lose("slot", "08022220001", today("11:50"))
    centre.decide(today("11:55"), actions.choose_slot, "slot", ANNA, today("17:30"))
    centre.lose("postponed", "08022220002", today("12:10"), queue="sales")
    in_a_meeting = By("Bo", "in a meeting until three")
    centre.decide(today("12:20"), actions.postpone, "postponed", in_a_meeting, today("15:00"))
    centre.lose("late", "+8613800138000", today("12:20"), queue="华语客服")
    centre.lose("late-tried", "08022220003", today("12:25"))
    centre.try_it("late-tried", today("12:40"), "no-answer")
    centre.tick(today("13:20"))
    centre.tick(today("13:26"))


def _afternoon(centre: Centre) -> None:
    """Whoever waits, the longest first."""
    lost = centre.lose
    lost("binds", "09012344412", today("12:44") + 48 * US)
    lost("binds-landline", "0332140021", today("12:46"), "blocked", reason="queue-full", waited_s=0)
    lost("binds", "09012344412", today("12:52") + 10 * US, waited_s=62)
    centre.try_it("binds", today("12:58"), "busy")
    centre.decide(today("13:31"), actions.assign, "binds", By("Anna", "a customer of ours since 2009"), "王伟 (Wei)")
    lost("window", "08033330001", today("12:55"))
    lost("window-tried", "08033330002", today("12:59"), reason="gave-up-while-ringing", waited_s=320)
    centre.try_it("window-tried", today("13:06"), "machine")
    lost("window-sales", "+8613912345678", today("13:05"), queue="sales", takes_texts=False)
    lost("abroad", "+12125550123", today("13:06"))
    lost("busy", "08033330003", today("13:08"))
    lost("held", "08033330004", today("13:09"))
    centre.decide(today("13:15"), actions.hold, "held", By("Bo", 'asks "later", see <ticket>'))
    lost("held-china", "+8613698765432", today("13:16"), queue="华语客服")
    centre.decide(today("13:18"), actions.hold, "held-china", By("李娜", "客户要求稍后再打"))
    lost("aim", "08033330005", today("13:20"))
    lost("aim-severe", "08033330006", today("13:21"), waited_s=400)
    lost("aim-severe", "08033330006", today("13:29"), waited_s=310)
    lost("calling", "08033330007", today("13:24"), "silent", reason="no-sound", waited_s=40)
    lost("calling-customer", "08033330008", today("13:25"), "requested", reason="digit-in-queue", waited_s=90)
    lost("aim-billing", "08033330009", today("13:30"), "blocked", reason="queue-time-out", queue="billing")
    lost("aim-china", "+8613512340000", today("13:33"), queue="华语客服")
    centre.tick(today("13:36"))
    lost("aim-new", "08033330010", today("13:39"), "silent", reason="no-media", waited_s=15)
    centre.tick(today("13:40"))


def _now(centre: Centre) -> None:
    """What goes on while the centre is looked at: texts that people must read, and two who are being called."""
    for name, body in (
        ("aim", "请下午三点后再打给我 谢谢"),
        ("window", HOSTILE[0]),
        ("late-tried", HOSTILE[1]),
        ("window-sales", "CALL ME AT 080-3333-9999 INSTEAD!!"),
        ("aim-china", HOSTILE[3]),
    ):
        centre.write_us(name, NOW - 2 * MINUTE, body)
    centre.try_it("busy", NOW - 2 * MINUTE, "busy")
    for name, steps in (("calling", 1), ("calling-customer", 2)):
        centre.claim(name, NOW - 20 * US)
        for n, step in enumerate(("agent_connected_at", "customer_dialled_at")[:steps]):
            centre.step(name, step, NOW + (n * 4 - 12) * US)
    centre.tick(NOW - 3 * US)
    centre.lose("aim-unsent", "08033330011", NOW - 2 * US, waited_s=131)
    centre.show()
