"""What the doctor says of care: departments that no letter reaches, people whom nobody knows."""

from __future__ import annotations

from callback.operations.doctor import care
from callback.settings.care import Care, Department, QueueCare
from callback.settings.mail import Mail
from callback.settings.rules import QueueRules
from callback.settings.sections import Database, PbxWiring, Settings, Trunk
from callback.settings.texts import Web
from tests.callback.world import World, rules

BILLING = Department(mail="billing@example.org")


def said(world: World, department: Department, *, cases: bool = True, **more: object) -> list[str]:
    queue = QueueRules(care=QueueCare(cases=cases))
    settings = Settings(
        database=Database(url=world.store.url),
        pbx=PbxWiring(username="u", secret="s"),  # noqa: S106
        trunks={"main": Trunk(region="JP")},
        rules=rules(queues={"support": queue}, care=Care(departments={"billing": department})),
        **more,  # type: ignore[arg-type]
    )
    return [f"{finding.level} {finding.what} {finding.remedy}" for finding in care.look(settings)]


def test_where_no_queue_takes_cases_nothing_is_said(world: World) -> None:
    assert said(world, BILLING, cases=False) == []


def test_a_letter_needs_a_server_and_an_answer_needs_a_page(world: World) -> None:
    mail = Mail.model_validate({"host": "mail.example.org", "from": "care@example.org"})
    (no_server,) = said(world, BILLING)
    assert no_server.startswith("warning letters to billing cannot leave")
    (no_page,) = said(world, BILLING, mail=mail)
    assert no_page.startswith("warning billing cannot answer by a link")
    page = Web(listen="127.0.0.1:8091", public_url="https://door.example.org")
    assert said(world, BILLING, mail=mail, web=page) == ["ok cases of support: every department can be reached "]


def test_who_is_responsible_is_a_user(world: World) -> None:
    (nobody,) = said(world, Department(responsible="carl"))
    assert "carl, who is responsible for the department billing, is no user" in nobody
    assert "callback user add carl" in nobody
