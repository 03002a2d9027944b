"""The commonest jobs on the queue, by the keyboard alone: keys are counted, in two languages, with an IME too."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Page, expect

from callback.decisions import actions
from callback.store import tables as t
from callback.store.audit import By
from tests.browser import PHONE, Visitors, scrolls_sideways
from tests.callback.world import MINUTE, US
from tests.console.centre import NOW, Centre
from tests.console.crowd import lose
from tests.console.seeded import today
from tests.console.served import Served

LANGUAGES = ("en", "zh-CN")


@dataclass
class Hands:
    """Somebody at a keyboard."""

    page: Page
    pressed: list[str] = field(default_factory=list)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.pressed.append(key)


@pytest.fixture(params=LANGUAGES)
def hands(request: pytest.FixtureRequest, console: Served, visitors: Visitors) -> Hands:
    page = visitors.page(language=request.param)
    console.sign_in(page)
    return Hands(page)


def at_row(hands: Hands, console: Served, centre: Centre, name: str, path: str = "/queue") -> int:
    """The list is open, with the focus on a row."""
    hands.page.goto(console.at(path))
    number = centre.reservation[name]
    hands.page.locator(f"#r-{number} .open").focus()
    return number


def decided(centre: Centre, action: str) -> list[tuple[int, str, str]]:
    return [
        (row.reservation_id, row.who, row.why)
        for row in centre.world.rows(t.audit)
        if row.action == action and row.at >= NOW
    ]


def test_call_this_one_now_is_one_key_and_the_focus_goes_to_the_next(
    hands: Hands, console: Served, centre: Centre
) -> None:
    number = at_row(hands, console, centre, "binds")
    hands.press("c")
    expect(hands.page.locator("#toasts .toast")).to_be_visible()
    assert [one[:2] for one in decided(centre, "call-now")] == [(number, "Anna")]
    assert len(hands.pressed) == 1
    following = str(centre.reservation["binds-landline"])
    hands.page.wait_for_function(f"document.activeElement.closest('[data-id]')?.dataset.id === '{following}'")


def test_find_the_caller_on_the_line_by_the_last_four_digits_is_six_keys(
    hands: Hands, console: Served, centre: Centre
) -> None:
    hands.page.goto(console.at("/queue"))
    hands.press("/", *"4412", "Enter")
    hands.page.wait_for_url(f"**/r/{centre.reservation['binds']}")
    assert len(hands.pressed) == 6


def test_hold_with_a_reason_is_two_keys(hands: Hands, console: Served, centre: Centre) -> None:
    number = at_row(hands, console, centre, "window")
    hands.press("h", "2")
    expect(hands.page.locator("#toasts .toast")).to_be_visible()
    assert decided(centre, "held") == [(number, "Anna", "the customer is in a meeting")]
    assert len(hands.pressed) == 2


def test_the_key_that_holds_lets_a_held_one_go_on(hands: Hands, console: Served, centre: Centre) -> None:
    number = at_row(hands, console, centre, "held", "/queue?lane=held")
    hands.press("h")
    expect(hands.page.locator("#toasts .toast")).to_be_visible()
    assert [one[:2] for one in decided(centre, "resumed")] == [(number, "Anna")]


def test_a_time_that_the_customer_chose_is_six_keys(hands: Hands, console: Served, centre: Centre) -> None:
    number = at_row(hands, console, centre, "aim")
    hands.press("s", *"1730", "Enter")
    expect(hands.page.locator("#toasts .toast")).to_be_visible()
    assert [one[:2] for one in decided(centre, "slot")] == [(number, "Anna")]
    assert next(one.slot_at for one in centre.world.reservations() if one.id == number) == today("17:30")
    assert len(hands.pressed) == 6


def test_that_was_a_test_call_is_two_keys_and_one_more_undoes_it(hands: Hands, console: Served, centre: Centre) -> None:
    number = at_row(hands, console, centre, "window-tried")
    hands.press("n", "1")
    expect(hands.page.locator("#toasts .toast")).to_be_visible()
    assert decided(centre, "withdrawn-pending") == [(number, "Anna", "it was a test call")]
    assert len(hands.pressed) == 2
    hands.press("u")
    expect(hands.page.locator("#toasts [data-undo-until]")).to_have_count(0)
    assert next(one.state for one in centre.world.reservations() if one.id == number) == "waiting"


def test_to_put_off_all_forty_that_match_to_nine_is_seven_keys(hands: Hands, console: Served, centre: Centre) -> None:
    theirs = {lose(centre, f"forty-{n}", n, NOW - 8 * MINUTE + n * US) for n in range(40)}
    names = ",".join(map(str, sorted(theirs)))
    hands.page.goto(console.at(f"/queue?ids={names}"))
    hands.press("*", "p", *"0900", "Enter")
    expect(hands.page.locator("#toasts .toast")).to_contain_text("40")
    assert {one[0] for one in decided(centre, "postpone")} == theirs
    assert len(hands.pressed) == 7


def test_one_left_to_people_is_dealt_with_in_four_keys_and_one_more_takes_that_back(
    hands: Hands, console: Served, centre: Centre
) -> None:
    hands.page.goto(console.at("/queue"))
    hands.press("g", "t")
    hands.page.wait_for_url("**/queue/left")
    hands.page.wait_for_function("document.querySelector('[data-current]') !== null")
    hands.press("d", "1")
    number = centre.reservation["expired"]
    expect(hands.page.locator(f"#r-{number}.ghost")).to_be_visible()
    assert decided(centre, "handled") == [(number, "Anna", "a colleague has spoken to the customer")]
    assert len(hands.pressed) == 4
    hands.press("u")
    expect(hands.page.locator(f"#r-{number}:not(.ghost)")).to_be_visible()
    assert [one[0] for one in decided(centre, "handled-not")] == [number]


def test_an_input_method_does_not_swallow_the_keys(console: Served, centre: Centre, visitors: Visitors) -> None:
    """With a Chinese input method on, a key is `Process` and its place alone tells which."""
    page = visitors.page(language="zh-CN")
    console.sign_in(page)
    number = at_row(Hands(page), console, centre, "window")
    for code in ("KeyH", "Digit1"):
        page.evaluate(
            "code => document.activeElement.dispatchEvent("
            "new KeyboardEvent('keydown', {key: 'Process', code, bubbles: true, cancelable: true}))",
            code,
        )
    expect(page.locator("#toasts .toast")).to_be_visible()
    assert [one[:2] for one in decided(centre, "held")] == [(number, "Anna")]


def test_by_touch_one_is_called_with_two_taps_on_a_phone(console: Served, centre: Centre, visitors: Visitors) -> None:
    page = visitors.page(PHONE)
    console.sign_in(page)
    page.goto(console.at("/queue?lane=binds"))
    number = centre.reservation["binds"]
    page.locator(f"#r-{number} .pick label").tap()
    page.locator("[data-act=call-now] button").tap()
    expect(page.locator("#toasts .toast")).to_be_visible()
    assert [one[0] for one in decided(centre, "call-now")] == [number]
    assert not scrolls_sideways(page)


def test_by_touch_some_are_selected_and_held_with_a_reason(console: Served, centre: Centre, visitors: Visitors) -> None:
    page = visitors.page(PHONE)
    console.sign_in(page)
    page.goto(console.at("/queue?lane=binds"))
    both = {centre.reservation[name] for name in ("binds", "binds-landline")}
    for number in both:
        page.locator(f"#r-{number} .pick label").tap()
    page.locator("details[data-key=h] summary").tap()
    page.locator("details[open] [data-digit='1']").tap()
    expect(page.locator("#toasts .toast")).to_contain_text("2")
    assert {one[0] for one in decided(centre, "held")} == both


def test_by_mouse_one_is_called_with_one_click_whatever_else_is_selected(
    console: Served, centre: Centre, visitors: Visitors
) -> None:
    page = visitors.page()
    console.sign_in(page)
    page.goto(console.at("/queue?lane=binds"))
    page.locator(f"#r-{centre.reservation['binds-landline']} .pick input").check()
    number = centre.reservation["binds"]
    button = page.locator(f"#r-{number} [data-press=call-now]")
    expect(button).to_be_hidden()
    page.locator(f"#r-{number} .lost").hover()
    button.click()
    expect(page.locator("#toasts .toast")).to_be_visible()
    assert [one[0] for one in decided(centre, "call-now")] == [number]


def test_the_answer_to_an_act_holds_the_row_as_it_is_now(console: Served, centre: Centre, visitors: Visitors) -> None:
    """Also while nothing comes in, as on a page that is paused: who was too late sees what the other one did."""
    page = visitors.page()
    visitors.expect("409")
    console.sign_in(page)
    page.goto(console.at("/queue?lane=window"))
    page.locator("[data-switch=pause]").click()
    number = centre.reservation["window"]
    centre.decide(NOW, actions.assign, "window", By("Bo", "mine"), "Bo")
    page.locator(f"#r-{number} .open").focus()
    page.keyboard.press("c")
    expect(page.locator("#toasts .toast.fault")).to_contain_text("Bo")
    expect(page.locator(f"#r-{number} .whose")).to_have_text("Bo")
    page.keyboard.press("c")
    expect(page.locator("#toasts .toast:not(.fault)")).to_be_visible()
    assert [one[0] for one in decided(centre, "call-now")] == [number]
