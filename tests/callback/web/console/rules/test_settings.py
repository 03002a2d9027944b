"""The form has every setting of the rules once, each with what it is."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from callback.settings.care import Care, Compensation, Department, QueueCare
from callback.settings.rules import QueueRules, QuietRules, SiteRules
from callback.site.rule_versions import changes
from callback.web.console.rules import form
from callback.web.console.rules.meanings import MEANINGS
from callback.web.console.rules.settings import IN_FILE, NAMED, PARTS, SECTIONS, path_of, setting
from tests.callback.world import ON, rules

RULES = rules(
    opening={"monday": "09:00-12:00, 13:00-18:00"},
    special={"2026-02-14": "09:00-18:00"},
    holidays=["2026-12-31"],
    dids={"0570001122": "support"},
    countries={"US": {"days": ["monday", "friday"]}},
    queues={"support": ON, "front.desk": ON.model_copy(update={"care": QueueCare(cases=True, ask_share=0.2)})},
    care=Care(
        topics={"bill": "Bills", "bill/late": "A late bill = worse"},
        products=("Fibre 100, fast", "Mobile"),
        departments={"billing": Department(mail="a@example.org"), "network": Department(responsible="bo")},
        compensations={"voucher": Compensation(title="A voucher")},
    ),
)


def test_every_setting_has_its_place_and_its_meaning() -> None:
    whole = {name for name in SiteRules.model_fields if name not in {*NAMED, *PARTS}}
    whole |= {f"{part}.{name}" for part, model in PARTS.items() for name in model.model_fields if name not in IN_FILE}
    placed = [
        key.partition(".")[0] if key.startswith("opening.") else key for keys in SECTIONS.values() for key in keys
    ]
    assert set(placed) == whole
    assert len([key for key in placed if key != "opening"]) == len(whole) - 1
    models: dict[str, type[BaseModel]] = {"queues": QueueRules, "queues.care": QueueCare, "quiet": QuietRules}
    models |= {f"care.{name}": model for name, model in IN_FILE.items()}
    named = {f"{part}.{name}" for part, model in models.items() for name in model.model_fields} - {"queues.care"}
    assert set(MEANINGS) == whole | named


def test_units_bounds_and_defaults_are_those_of_the_rules() -> None:
    window = setting("window_min")
    assert (window.kind, window.unit, window.default, window.least, window.most, window.above) == (
        "number", "minutes", "60", "0", "1440", True,
    )  # fmt: skip
    assert setting("queues.front.desk.calls").choices == ("watch", "on")
    assert setting("no_ring_after").default == "21:30"
    assert (setting("max_tries").least, setting("max_tries").above) == ("1", False)


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("window_min", ("window_min",)),
        ("opening.monday", ("opening", "monday")),
        ("queues.front.desk.calls", ("queues", "front.desk", "calls")),
        ("queues.front.desk.care.cases", ("queues", "front.desk", "care", "cases")),
        ("care.topics.billing/late", ("care", "topics", "billing/late")),
        ("care.departments.billing.mail", ("care", "departments", "billing", "mail")),
    ],
)
def test_a_name_may_hold_a_point(key: str, path: tuple[str, ...]) -> None:
    assert path_of(key) == path


def test_what_is_shown_is_typed_back_as_the_same_rules() -> None:
    body = RULES.model_dump(mode="json")
    shown = form.shown(body, {}, {})
    groups = [*shown.groups, *(group for groups in shown.named.values() for group in groups)]
    filled = {field.of.key: field.value for group in groups for field in group.fields}
    assert SiteRules.model_validate(form.body_of(body, filled)) == RULES


def test_what_was_typed_is_laid_over_and_the_rest_stays() -> None:
    body = RULES.model_dump(mode="json")
    filled = {
        "window_min": "45", "opening.monday": "", "opening.friday": "10:00-12:00",
        "special": "2026-03-01 = 10:00-11:00",
        "queues.front.desk.only_numbers": "+819012345678, +819012345679", "add.queues": "sales",
        "remove.countries.US": "1", "queues.support.care.cases": "true", "care.topics": "line = The line",
        "care.products": "Fibre 100, fast", "care.complaint_h": "24",
    }  # fmt: skip
    made = SiteRules.model_validate(form.body_of(body, filled))
    assert made.window_min == 45
    assert made.opening == {"friday": "10:00-12:00"}
    assert [str(day) for day in made.special] == ["2026-03-01"]
    assert made.queues["front.desk"].only_numbers == ("+819012345678", "+819012345679")
    assert "sales" in made.queues
    assert made.countries == {}
    assert made.dids == RULES.dids
    assert (made.queues["support"].care.cases, made.queues["front.desk"].care) == (
        True,
        RULES.queues["front.desk"].care,
    )
    assert (made.care.topics, made.care.products, made.care.complaint_h) == (
        {"line": "The line"}, ("Fibre 100, fast",), 24,
    )  # fmt: skip
    assert made.care.departments == RULES.care.departments


def test_faults_stand_beside_their_fields_and_what_was_typed_stays() -> None:
    filled = {"window_min": "soon", "special": "2026-02-30 = 09:00-18:00"}
    faults = {
        "window_min": "no number", "special.2026-02-30": "no date", "queues.support": "no caller_id",
        "": "aim too long",
    }  # fmt: skip
    body = form.body_of(RULES.model_dump(mode="json"), filled)
    shown = form.shown(body, filled, faults)
    assert [(one.of.key, one.value, one.fault) for one in shown.faulty] == [
        ("special", "2026-02-30 = 09:00-18:00", "no date"),
        ("window_min", "soon", "no number"),
    ]
    assert shown.named["queues"][0].fault == "no caller_id"
    assert shown.faults == ("aim too long",)


def test_changes_are_carried_and_laid_over_other_rules() -> None:
    care = Care(topics={"bill": "All bills"}, departments={"network": Department(responsible="bo")}, warn_h=4)
    after = RULES.model_copy(update={"window_min": 45.0, "opening": {}, "default_queue": "support", "care": care})
    carried = form.changes_of(form.carried(changes(RULES, after)))
    assert SiteRules.model_validate(form.changed(RULES, carried)) == after
    other = RULES.model_copy(update={"aim_min": 20.0})
    assert SiteRules.model_validate(form.changed(other, carried)) == after.model_copy(update={"aim_min": 20.0})
