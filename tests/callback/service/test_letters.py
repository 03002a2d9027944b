"""Letters to departments: taken by a real mail server, tried again, given up, and at most once more than needed."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from callback.care import mailing
from callback.events import LetterFailed
from callback.logs.failing import Failing
from callback.service.jobs.care import letters
from callback.service.jobs.care.letters import SendLetters
from callback.service.mailing import post
from callback.service.mailing.post import Envelope, Mailed
from callback.service.transactions import Transactions
from callback.settings.mail import Mail
from callback.site.templates import Texting
from callback.store import tables as t
from lab.mail import mail_server
from scheduler.clock import DAY, HOUR
from tests.callback.decisions.care.centre import registered, takes_cases
from tests.callback.world import MINUTE, NOON, World, fed
from tests.telephony.ami.certificates import Authority

LETTER = Envelope("letter-main-1", "billing@example.org", "Complaint 7", "Please answer: 答复")
OPEN = "https://care.example.org"


def mail(port: int, **more: object) -> Mail:
    plain = {"host": "127.0.0.1", "port": port, "security": "none", "from": "care@example.org", "timeout_s": 5}
    return Mail.model_validate(plain | more)


def ready(world: World, letters: int = 1) -> World:
    """Complaints for a department, whose letters wait."""
    world.site = replace(world.site, rules=takes_cases(), texting=Texting(public_url=OPEN))
    for n in range(letters):
        registered(world, number=f"+8190123400{n:02}", department="network", words="I paid twice")
    return world


def turn(world: World, settings: Mail, now: int = NOON) -> None:
    """One turn of the job."""

    async def main() -> None:
        transactions = Transactions(world.store, world.site, world.held, lambda: now, lambda: None)
        job = SendLetters(transactions, settings, Failing(logging.getLogger(__name__)))
        await job.run()
        await job.sent()
        await job.close()

    asyncio.run(main())


def states(world: World) -> list[tuple[str, int]]:
    return [(row.state, row.tries) for row in world.rows(t.care_letter)]


def test_a_letter_leads_to_the_page_and_holds_neither_words_nor_number(world: World) -> None:
    ready(world, 2)
    with mail_server() as box:
        turn(world, mail(box.port))
        first, second = box.next(), box.next()
    assert (first["To"], first["From"], first["Auto-Submitted"]) == (
        "network@example.org", "care@example.org", "auto-generated",
    )  # fmt: skip
    body = first.get_content()
    assert f"{OPEN}/c/" in body
    assert "paid twice" not in body
    assert "9012" not in body
    assert first["Message-ID"] == f"<letter-main-1-{NOON}@example.org>" != second["Message-ID"]
    assert states(world) == [("sent", 1), ("sent", 1)]


def test_what_is_not_taken_waits_and_is_taken_later(world: World) -> None:
    ready(world)
    with mail_server() as box:
        box.answers = ["451 come later"]
        turn(world, mail(box.port))
        assert states(world) == [("waiting", 1)]
        turn(world, mail(box.port), NOON + MINUTE - 1)
        assert states(world) == [("waiting", 1)], "not before its time"
        turn(world, mail(box.port), NOON + MINUTE)
        assert states(world) == [("sent", 2)]
        assert box.letters.qsize() == 1


def failures(world: World) -> list[LetterFailed]:
    return [happened.event for happened in fed(world.store) if isinstance(happened.event, LetterFailed)]


def test_what_is_refused_for_good_failed_and_people_are_told(sqlite_world: World) -> None:
    ready(sqlite_world)
    with mail_server() as box:
        box.answers = ["550 nobody here"]
        turn(sqlite_world, mail(box.port))
    assert states(sqlite_world) == [("failed", 1)]
    assert [(one.department, one.why) for one in failures(sqlite_world)] == [("network", "550 nobody here")]


def test_without_a_server_people_are_told_at_once(sqlite_world: World) -> None:
    turn(ready(sqlite_world), Mail())
    assert [one.why for one in failures(sqlite_world)] == ["no mail server is set: write [mail] host and from"]


def test_a_server_that_is_away_is_asked_less_and_less_often_and_given_up(sqlite_world: World) -> None:
    ready(sqlite_world)
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    now, tries = NOON, 0
    while states(sqlite_world)[0][0] == "waiting":
        turn(sqlite_world, mail(port), now)
        now, tries = now + 10 * MINUTE, tries + 1
        assert now < NOON + 2 * DAY
    assert states(sqlite_world) == [("failed", len(mailing.WAITS) + 1)]
    assert tries > 60, "it waited between them"
    assert len(failures(sqlite_world)) == 1


def test_who_died_after_sending_sends_it_once_more_and_no_third_time(world: World) -> None:
    ready(world)
    with world.store.write() as connection:
        assert mailing.claim(world.work(connection, NOON)) is not None  # and died
    with mail_server() as box:
        turn(world, mail(box.port), NOON + 5 * MINUTE)
        assert states(world) == [("waiting", 1)], "somebody may be sending it"
        turn(world, mail(box.port), NOON + mailing.CLAIMED_US)
        turn(world, mail(box.port), NOON + HOUR)
        assert (states(world), box.letters.qsize()) == ([("sent", 2)], 1)


def test_who_comes_back_late_changes_nothing(sqlite_world: World) -> None:
    ready(sqlite_world)
    with sqlite_world.store.write() as connection:
        first = mailing.claim(sqlite_world.work(connection, NOON))
        assert first is not None
        second = mailing.claim(sqlite_world.work(connection, NOON + mailing.CLAIMED_US))
        assert second is not None
        mailing.failed(sqlite_world.work(connection, NOON + HOUR), first, "too late")
        mailing.sent(sqlite_world.work(connection, NOON + HOUR), second)
    assert (states(sqlite_world), failures(sqlite_world)) == ([("sent", 2)], [])


def test_a_server_that_hangs_keeps_nobody(sqlite_world: World) -> None:
    ready(sqlite_world)
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:

        async def main() -> float:
            loop = asyncio.get_running_loop()
            began = loop.time()
            transactions = Transactions(
                sqlite_world.store, sqlite_world.site, sqlite_world.held, lambda: NOON, lambda: None
            )
            job = SendLetters(
                transactions, mail(silent.getsockname()[1], timeout_s=30), Failing(logging.getLogger(__name__))
            )
            await job.run()
            heard, _ = await asyncio.to_thread(silent.accept)  # it is in the middle of the conversation
            with heard:
                await job.close()
            return loop.time() - began

        assert asyncio.run(main()) < 10
    assert states(sqlite_world) == [("waiting", 1)]


def trusted(folder: Path) -> tuple[Authority, ssl.SSLContext]:
    """An authority, and what a server shows that it signed."""
    authority = Authority(folder)
    shown = authority.sign("127.0.0.1")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(shown.file, shown.key)
    return authority, context


@pytest.mark.parametrize(("password", "state"), [("secret", "sent"), ("not that", "later")])
def test_it_signs_in_and_waits_where_it_may_not(
    password: str, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, trust = trusted(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with mail_server(login=("lcr", "secret"), trust=trust) as box:
        mailed = post.send(mail(box.port, security="starttls", user="lcr", password=password), LETTER)
    assert mailed.state == state
    assert "not that" not in mailed.why


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_letter_goes_by_tls_to_whom_it_trusts(security: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, trust = trusted(tmp_path)
    with mail_server(trust=trust, at_once=security == "tls") as box:
        by_it = mail(box.port, security=security)
        assert post.send(by_it, LETTER).state == "later", "nobody knows who signed it"
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        assert post.send(by_it, LETTER).state == "sent"
        assert (box.secured, box.letters.qsize()) == ([True], 1)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_nothing_is_sent_to_whom_it_does_not_trust(security: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    assert post.send(mail(port, security=security), LETTER).state == "later"
    with mail_server() as box:  # it offers no TLS
        assert post.send(mail(box.port, security=security), LETTER).state == "later"
        assert box.letters.empty()


def test_a_letter_is_no_way_to_other_headers() -> None:
    with mail_server() as box:
        bad = replace(LETTER, subject="x\nBcc: all@example.org")
        assert post.send(mail(box.port), bad).state == "later"
        assert post.send(mail(box.port), LETTER).state == "sent"
        assert box.next().get_content().strip() == "Please answer: 答复"
        assert box.envelopes == [("care@example.org", ["billing@example.org"])]


def test_a_letter_that_cannot_be_made_holds_up_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ready(world, 2)

    def talk(_mail: Mail, letter: Envelope) -> Mailed:
        if letter.ref.startswith("letter-main-1-"):
            raise IndexError
        return Mailed("sent")

    monkeypatch.setattr(post, "send", talk)
    turn(world, mail(25))
    assert states(world) == [("waiting", 1), ("sent", 1)]
    assert world.rows(t.care_letter)[0].reason == "IndexError"


def test_a_server_that_never_comes_to_an_end_holds_up_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ready(world, 2)
    over = threading.Event()

    def talk(_mail: Mail, letter: Envelope) -> Mailed:
        if letter.ref.startswith("letter-main-1-"):
            over.wait(30)
        return Mailed("sent")

    monkeypatch.setattr(post, "send", talk)
    monkeypatch.setattr(letters, "LONGEST_S", 0.2)
    turn(world, mail(25))
    over.set()
    assert states(world) == [("waiting", 1), ("sent", 1)]
