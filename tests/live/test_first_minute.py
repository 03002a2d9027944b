"""`make run`, and a person who has never seen it: by what is on the screen alone, a lost caller is called back."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from callback.store import tables as t
from callback.store.engine import Store
from tests.browser import Visitors
from tests.children import child

pytestmark = [pytest.mark.live, pytest.mark.timeout(240)]

WITHIN_S = 60
"""From the password that is printed until the customer hears an agent."""
OWN = "a horse between two lamps"  # the password that the person chooses
LOST_S = 45  # until somebody is lost who waits: customers come in waves
_INVITED = re.compile(r"^ +(?P<url>http://\S+) .*\n +user (?P<user>\S+), password (?P<once>\S+) ", re.MULTILINE)
_SETTINGS = re.compile(r"export CALLBACK_SETTINGS=(?P<folder>\S+)/callback\.toml")


@pytest.mark.usefixtures("asterisk_tree")
def test_a_lost_caller_is_called_back_by_hand_in_the_first_minute(visitors: Visitors) -> None:
    page = visitors.page()
    with child([sys.executable, "-m", "lab", "--pbx", "asterisk"], stderr=subprocess.STDOUT) as lab:
        assert lab.stdout
        said = "".join(itertools.takewhile(lambda line: "Ctrl-C here" not in line, lab.stdout))
        began = time.monotonic()
        invited, settings = _INVITED.search(said), _SETTINGS.search(said)
        assert invited, said
        assert settings, said
        page.goto(invited["url"])
        _sign_in(page, invited["user"], invited["once"])
        page.get_by_role("link", name="Queue", exact=True).click()
        _call_somebody_now(page, until=time.monotonic() + LOST_S)
        number = _called_by(invited["user"], Path(settings["folder"]))
        heard = f"{number} hears the agent"
        more = "".join(itertools.takewhile(lambda line: heard not in line, lab.stdout))
        took_s = time.monotonic() - began
        page.close()
        lab.terminate()
        lab.communicate(timeout=30)
    assert took_s < WITHIN_S, more


def _sign_in(page: Page, user: str, once: str) -> None:
    """Sign in with the password that was printed, and choose another, as the page asks."""
    page.get_by_label("Name").fill(user)
    page.get_by_label("Password").fill(once)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("The password that you have").fill(once)
    page.get_by_label("The new password", exact=True).fill(OWN)
    page.get_by_label("The new password once more").fill(OWN)
    page.get_by_role("button", name="Keep it").click()


def _call_somebody_now(page: Page, until: float) -> None:
    """Take the first who waits; where the service was quicker, the next one."""
    undo = page.get_by_role("button", name="undo")
    waiting = page.get_by_role("row").filter(has=page.get_by_role("checkbox")).filter(has_text="inside the aim")
    while not undo.is_visible():
        assert time.monotonic() < until, f"nobody could be called by hand:\n{page.inner_text('main')}"
        waiting.first.get_by_role("checkbox").check(timeout=(until - time.monotonic()) * 1000)
        page.get_by_role("region", name="Acts").get_by_role("button", name="call now").click()
        expect(page.get_by_role("status").filter(has_text=re.compile("call"))).to_be_visible()


def _called_by(user: str, folder: Path) -> str:
    """Give whom this person had called, as the lab writes numbers: the record of decisions has it."""
    store = Store(f"sqlite:///{folder / 'lost-calls.db'}")
    try:
        with store.read() as connection:
            asked = select(t.audit.c.reservation_id).where(t.audit.c.who == user, t.audit.c.action == "call-now")
            of_them = select(t.person.c.number).join_from(t.reservation, t.person).where(t.reservation.c.id.in_(asked))
            number: str = connection.execute(of_them).scalars().one()
    finally:
        store.close()
    return number.replace("+81", "0")
