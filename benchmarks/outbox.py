"""How many texts a second leave the outbox, by Twilio's own client, where each takes the carrier 20 ms.

The gateway is our fake of Twilio, without its validator, in a process of its own. A text goes the service's whole way:
claimed under the caps, its number looked up, sent, settled, on a store that flushes each commit. Beside it, the bare
client: one loop that only sends, and as many of them as the service has senders.
"""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.table import Table
from sqlalchemy import event, func, insert, select

from benchmarks.errors import BenchmarkError
from benchmarks.figures import load
from callback.logs.failing import Failing
from callback.settings.rules import QueueRules, SiteRules
from callback.settings.sections import PbxWiring, Settings, Trunk
from callback.site.context import Site, take_over
from callback.store import schema
from callback.store import tables as t
from callback.store.engine import Store
from callback.store.keys import site_key
from callback.texts.send import send_due
from lab import postgres
from scheduler.clock import SECOND
from sms.outbox import text_outbox
from sms.twilio import Account, TwilioGateway

ANSWER_MS: Final = 20.0
SID, TOKEN = f"AC{'0' * 32}", "fake-token"
FROM: Final = "+442079460000"
ON: Final = QueueRules(texts="on", calls="on", caller_id="0312345678")
BODY: Final = "Sorry we missed your call. We call you back by 11:30, from 0312345678."


@dataclass(frozen=True, slots=True)
class OutboxScale:
    """How many texts, and how many at once."""

    texts: int = 1500
    bare: int = 150  # of one loop
    senders: int = 8


QUICK: Final = OutboxScale(40, 8)


@dataclass(slots=True)
class Measured:
    """What one way of sending took."""

    texts: int
    took_s: float
    commits: int = 0

    @property
    def per_s(self) -> float:
        """Texts a second."""
        return self.texts / self.took_s


@dataclass(slots=True)
class Fake:
    """The fake in its own process; `sent` counts what it must have accepted in the end."""

    url: str
    process: subprocess.Popen[str]
    sent: int = 0

    def gateway(self) -> TwilioGateway:
        """The real client library, pointed at it."""
        return TwilioGateway({"main": Account(SID, TOKEN, FROM, 1e6, self.url)})

    def end(self) -> None:
        """End it, and hear how many texts it accepted: none may be missing, and none be there twice."""
        told, _ = self.process.communicate(timeout=20)
        accepted = int(json.loads(told.splitlines()[-1])["accepted"])
        if accepted != self.sent:
            raise BenchmarkError(f"{self.sent} texts were sent, and the fake accepted {accepted}")


@contextmanager
def faked() -> Iterator[Fake]:
    """Run the fake meanwhile; it ends when we do."""
    command = [sys.executable, "-m", "lab.twilio", "--answer-ms", str(ANSWER_MS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            line = process.stdout.readline() if process.stdout else ""
            if "http://" not in line:
                raise BenchmarkError("the fake Twilio did not start")
            fake = Fake(line[line.index("http://") :].strip(), process)
            yield fake
            fake.end()
        finally:
            process.kill()


def bare(fake: Fake, texts: int, loops: int) -> Measured:
    """Only send, in so many loops at once."""
    gateway = fake.gateway()
    gateway.send(_number(0), BODY, "")  # the connection, the imports
    began = time.perf_counter()
    with ThreadPoolExecutor(loops) as pool:
        for sent in [pool.submit(gateway.send, _number(text), BODY, "") for text in range(texts)]:
            sent.result()
    fake.sent += texts + 1
    return Measured(texts, time.perf_counter() - began)


def through_the_outbox(fake: Fake, url: str, scale: OutboxScale) -> Measured:
    """Fill an outbox, and let the service send until it is empty."""
    store = Store(url)
    schema.migrate(store)
    site = _filled(store, scale.texts)
    commits: list[object] = []
    event.listen(store.engine, "commit", commits.append)
    gateway = fake.gateway()
    gateway.send(_number(0), BODY, "")
    began, taken = time.perf_counter(), 0
    while taken < scale.texts:
        taken += send_due(store, site, gateway, scale.senders, lambda: False, Failing(logging.getLogger(__name__)))
    took_s = time.perf_counter() - began
    with store.read() as connection:
        sent = select(func.count()).select_from(text_outbox).where(text_outbox.c.state == "sent")
        all_sent = int(connection.execute(sent).scalar_one())
    store.close()
    if all_sent != scale.texts:
        raise BenchmarkError(f"of {scale.texts} texts only {all_sent} were sent: this measures nothing")
    fake.sent += 1 + all_sent
    return Measured(taken, took_s, len(commits))


def _filled(store: Store, texts: int) -> Site:
    """So many callers who are owed a text; the caps let all of them through, and are counted."""
    settings = Settings(
        pbx=PbxWiring(name="main", username="u", secret="s"),  # noqa: S106
        trunks={"main": Trunk(region="JP", form="national")},
        rules=SiteRules(zone="UTC", queues={"support": ON}, texts_a_block=100_000, texts_an_hour=1_000_000),
    )
    now, numbers = store.now(), range(1, texts + 1)
    with store.write() as connection:
        site = take_over(connection, settings, now)
        connection.execute(insert(t.person), [{"id": n, "number": _number(n), "created_at": now} for n in numbers])
        connection.execute(insert(t.reservation), [_reservation(n, now) for n in numbers])
        connection.execute(insert(text_outbox), [_text(n, now) for n in numbers])
        site_key(connection, "block")  # as the writer of a text does, to ask whether it is wanted
    return site


def _number(person: int) -> str:
    return f"+8190{person:08}"


def _reservation(number: int, now: int) -> dict[str, object]:
    words = {"pbx": "main", "queue": "support", "queue_group": "site", "apart": "", "trunk": "main"}
    states = {"kind": "abandoned", "state": "waiting", "open": True, "losses": 1, "tries": 0}
    times = ("made_at", "last_lost_at", "clock_starts_at", "aim_at", "deadline_at", "due_at", "state_since_at")
    return {"id": number, "person_id": number} | words | states | dict.fromkeys(times, now)


def _text(number: int, now: int) -> dict[str, object]:
    words = {"pbx": "main", "template": "lost", "language": "en", "body": f"{BODY} {number}", "state": "waiting"}
    whose = {"recipient": f"reservation/{number}", "person": f"person/{number}", "prefix": _number(number)[:-4]}
    times = {"created_at": now, "not_before_at": now, "expires_at": now + 3600 * SECOND}
    return {"cause": f"lost/{number}", "tries": 0, "fence": 0, "line": ""} | words | whose | times


def main(arguments: list[str]) -> int:
    """Measure, and print the table and the figures."""
    parser = argparse.ArgumentParser(prog="make bench BENCH=outbox", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="much too short to mean anything: does it work?")
    scale = QUICK if parser.parse_args(arguments).quick else OutboxScale()
    try:
        with tempfile.TemporaryDirectory() as folder, postgres.serve(postgres.find(), durable=True) as server:
            urls = {"sqlite": f"sqlite:///{folder}/outbox.db", "postgresql": server.create("outbox")}
            with faked() as fake:
                loop, loops = bare(fake, scale.bare, 1), bare(fake, scale.texts, scale.senders)
                stores = {kind: through_the_outbox(fake, url, scale) for kind, url in urls.items()}
    except BenchmarkError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    _show(scale, loop, loops, stores)
    return 0


def _show(scale: OutboxScale, loop: Measured, loops: Measured, stores: dict[str, Measured]) -> None:
    table = Table("", "texts/s", "of the bare clients", "commits a text", title=f"{ANSWER_MS:.0f} ms a text, {load()}")
    table.add_row("the bare client, one loop", f"{loop.per_s:.0f}", f"{loop.per_s / loops.per_s:.2f}", "")
    table.add_row(f"{scale.senders} bare clients", f"{loops.per_s:.0f}", "1", "")
    figures = {"bare_loop_per_s": loop.per_s, "bare_loops_per_s": loops.per_s, "senders": scale.senders}
    for kind, sent in stores.items():
        ratio, commits = sent.per_s / loops.per_s, sent.commits / sent.texts
        table.add_row(f"the outbox on {kind}", f"{sent.per_s:.0f}", f"{ratio:.2f}", f"{commits:.2f}")
        figures |= {f"{kind}_per_s": sent.per_s, f"{kind}_commits_per_text": commits}
        figures |= {f"{kind}_ratio_to_bare_loop": sent.per_s / loop.per_s, f"{kind}_ratio_to_bare_loops": ratio}
    Console().print(table)
    sys.stdout.write(json.dumps({name: round(value, 3) for name, value in figures.items()}) + "\n")
