"""The pictures in docs/screens: made of the seeded centre, as people see it. `make screens` renews them."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from callback.reservations import waits
from tests.browser import DESK, Visitors
from tests.callback.reports.rollups.rolling import roll_up
from tests.callback.world import US
from tests.console import agents, campaigned
from tests.console.centre import NOW, Centre
from tests.console.lively import liven
from tests.console.served import Served, serve

KEPT: Final = Path(__file__).parents[2] / "docs" / "screens"
LARGEST: Final = 250_000
SHARP: Final[dict[str, Any]] = {"device_scale_factor": 2}
_WEBP: Final = """async ([png, quality]) => {
  const picture = new Image();
  picture.src = `data:image/png;base64,${png}`;
  await picture.decode();
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  canvas.getContext("2d").drawImage(picture, 0, 0);
  const bytes = new Uint8Array(await (await canvas.convertToBlob({type: "image/webp", quality})).arrayBuffer());
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}"""
QUALITIES: Final = (0.82, 0.6, 0.4)
"""The first one that makes a picture small enough is used."""
Shoot = Callable[[Page, str], None]


def _packed(page: Page, png: str, quality: float) -> bytes:
    return base64.b64decode(page.evaluate(_WEBP, [png, quality]))


@pytest.fixture
def lively(centre: Centre) -> Centre:
    """The seeded centre, with all who are at work."""
    liven(centre)
    return centre


@pytest.fixture
def shoot(tmp_path: Path) -> Iterator[Shoot]:
    """Keep a picture of a page: where SCREENS says, else only to see that it is no larger than a README bears."""
    into = Path(os.environ.get("SCREENS") or tmp_path)

    def shot(page: Page, name: str) -> None:
        page.mouse.move(0, 0)
        png = base64.b64encode(page.screenshot(animations="disabled")).decode()
        picture = min((_packed(page, png, quality) for quality in QUALITIES), key=lambda one: len(one) >= LARGEST)
        assert len(picture) < LARGEST
        into.mkdir(exist_ok=True)
        (into / f"{name}.webp").write_bytes(picture)
        made.append(name)

    made: list[str] = []
    yield shot
    assert made
    for name in made:
        assert (KEPT / f"{name}.webp").exists(), "`make screens` makes the pictures of the documentation"


def anna(console: Served, visitors: Visitors, path: str, **how: Any) -> Page:
    """The page as a supervisor opens it, when its stream has brought the first figures."""
    page = visitors.page(DESK, **SHARP, **how)
    console.sign_in(page)
    page.goto(console.at(path))
    expect(page.locator("[data-age=data]")).to_contain_text(re.compile(r"\d"))
    return page


def three_more(centre: Centre) -> None:
    for n, queue in enumerate(("support", "support", "sales")):
        centre.lose(f"more-{n}", f"0804444000{n}", NOW + n * US, queue=queue)


def test_the_queue_while_a_hand_is_on_it(console: Served, lively: Centre, visitors: Visitors, shoot: Shoot) -> None:
    page = anna(console, visitors, "/queue")
    for name in ("binds", "binds-landline"):
        page.locator(f"#r-{lively.reservation[name]} input").check()
    three_more(lively)
    expect(page.locator(".pill")).to_contain_text("new")
    shoot(page, "queue")


def test_the_queue_in_chinese_by_night(console: Served, lively: Centre, visitors: Visitors, shoot: Shoot) -> None:
    page = anna(console, visitors, "/queue", theme="dark", language="zh-CN")
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    shoot(page, "queue-zh")


def test_now_with_an_alarm_and_what_more_agents_would_change(
    console: Served, lively: Centre, visitors: Visitors, shoot: Shoot
) -> None:
    page = anna(console, visitors, "/now")
    page.keyboard.press("w")
    page.keyboard.press("2")
    expect(page.locator("dialog, .what-if").first).to_be_visible()
    shoot(page, "now")


WAITED: Final = {
    "expired": (("pacing", 240), ("no-free-agent", 1700), ("callers-waiting", 600), ("quiet-hours", 1100)),
    "late": (("no-free-agent", 2400), ("trunk-rests", 300), ("callers-waiting", 2200)),
    "postponed": (("not-due", 5400),),
    "calling": (("no-free-agent", 700), ("callers-waiting", 350)),
}


def looked(centre: Centre) -> None:
    """The service has looked all day, and added up what there is."""
    work = centre.world.work
    with centre.world.store.write() as connection:
        for name, words in WAITED.items():
            for n, (word, seconds) in enumerate(words):
                waits.add(work(connection, NOW - 7200 * US + n), {centre.reservation[name]: word}, seconds)
        for half_hour in range(12):
            at = NOW - half_hour * 1800 * US
            crews = {"support": {"Aiko", "Ben", "Chika"}, "sales": {"Emi", "Goro"}, "华语客服": {"李娜"}}
            waits.keep_crews(work(connection, at), {queue: frozenset(names) for queue, names in crews.items()})
    roll_up(centre.world, NOW)


def test_the_ledger_of_missed_promises(console: Served, lively: Centre, visitors: Visitors, shoot: Shoot) -> None:
    looked(lively)
    page = anna(console, visitors, "/reports/misses")
    page.locator(".ledger details").first.evaluate("(one) => { one.open = true; }")
    shoot(page, "misses")


def test_a_month_with_its_heat_map(console: Served, lively: Centre, visitors: Visitors, shoot: Shoot) -> None:
    looked(lively)
    page = anna(console, visitors, "/reports?period=month&compare=1")
    page.locator("#report-heat").evaluate("(one) => window.scrollTo(0, one.offsetTop - 260)")
    shoot(page, "reports")


def test_the_life_of_a_reservation(console: Served, lively: Centre, visitors: Visitors, shoot: Shoot) -> None:
    page = anna(console, visitors, f"/r/{lively.reservation['binds']}")
    page.locator("main details").first.evaluate("(one) => { one.open = true; }")
    shoot(page, "reservation")


def test_the_queue_gone_stale(console: Served, lively: Centre, visitors: Visitors, shoot: Shoot) -> None:
    page = anna(console, visitors, "/queue")
    console.now += 40 * US
    expect(page.locator("#banner")).to_contain_text("The service has not been heard")
    shoot(page, "queue-stale")


def test_an_act_and_its_undo(console: Served, lively: Centre, visitors: Visitors, shoot: Shoot) -> None:
    page = anna(console, visitors, "/queue?lane=binds")
    row = page.locator(f"#r-{lively.reservation['binds']}")
    row.focus()
    page.keyboard.press("h")
    shoot(page, "undo-1")
    page.keyboard.press("2")
    expect(page.locator(".toast")).to_contain_text("undo")
    shoot(page, "undo-2")
    page.keyboard.press("u")
    expect(page.locator(".toast")).not_to_contain_text("15 s")
    shoot(page, "undo-3")


CORNERS: Final[ViewportSize] = {"width": 360, "height": 560}


def test_an_agents_page_in_its_four_states(console: Served, centre: Centre, visitors: Visitors, shoot: Shoot) -> None:
    """Next, on the line, how did it go, nothing: four pages at four moments, side by side in one picture."""
    agents.at_work(centre)
    page = visitors.page(CORNERS, **SHARP)
    console.sign_in(page, "agent")
    page.goto(console.at("/me"))
    stills = []

    def still(says: str) -> None:
        expect(page.get_by_role("heading", name=re.compile(says))).to_be_visible()
        page.reload()
        expect(page.locator("[data-age=data]")).to_contain_text(re.compile(r"\d"))
        stills.append(base64.b64encode(page.screenshot(animations="disabled")).decode())

    still("Next for you")
    agents.ring(centre, "aim", NOW - 42 * US)
    agents.at_work(centre, free=False)
    still("On the line")
    agents.answer(centre, "aim", NOW - 30 * US)
    centre.end("aim", "reached", NOW)
    agents.at_work(centre, waiting=2)
    still("How did it go")
    page.keyboard.press("1")
    still("Nothing for you now")
    beside = visitors.page({"width": 4 * 360 + 5 * 16, "height": 560 + 2 * 16}, **SHARP)
    frames = "".join(f'<img width="360" src="data:image/png;base64,{one}">' for one in stills)
    beside.set_content(f'<body style="margin:16px;display:flex;gap:16px;background:#8b857a">{frames}</body>')
    shoot(beside, "agent")


def test_the_effect_of_proposed_rules(console: Served, lively: Centre, visitors: Visitors, shoot: Shoot) -> None:
    page = visitors.page(DESK, **SHARP)
    console.sign_in(page, "manager")
    page.goto(console.at("/rules/change"))
    for name, value in (("window_min", "40"), ("aim_min", "20"), ("short_abandon_s", "8")):
        page.locator(f"[name={name}]").fill(value)
    page.locator("[name='pacing.keep_free']").evaluate("(field) => { field.value = '1'; }")
    page.get_by_role("button", name="Show the effect").click()
    expect(page.locator("tr.all")).to_be_visible()
    shoot(page, "rules")


def test_the_cases_whose_clocks_run(console: Served, lively: Centre, visitors: Visitors, shoot: Shoot) -> None:
    page = anna(console, visitors, "/cases")
    expect(page.locator("tbody tr").first).to_contain_text("overdue since")
    shoot(page, "cases")


def test_what_a_sample_said(tmp_path: Path, visitors: Visitors, shoot: Shoot) -> None:
    world = campaigned.after_the_outage(f"sqlite:///{tmp_path / 'campaigns.db'}")
    with serve(world, campaigned.NOW) as console:
        page = visitors.page(DESK, **SHARP)
        console.sign_in(page, "manager")
        page.goto(console.at("/campaigns/1/sample"))
        page.locator("details:has-text('By segment') > summary").first.click()
        expect(page.locator("svg.means")).to_be_visible()
        page.locator("#banner").evaluate("(one) => one.remove()")  # no service runs here
        shoot(page, "campaign")
        page.goto("about:blank")  # the console ends before the browser does
    world.close()
