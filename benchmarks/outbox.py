"""How many texts a second leave the outbox, by Twilio's own client, where each takes the carrier 20 ms.

The gateway is our fake of Twilio, without its validator, in a process of its own. A text goes the service's whole way:
claimed under the caps and the account's pace, its number looked up, sent, settled, on a store that flushes each commit.
Beside it, in turns, the bare client: one event loop with as many on their way at once that only sends.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.table import Table
from sqlalchemy import event, func, insert, select

from benchmarks.errors import BenchmarkError
from benchmarks.figures import load, spread
from callback.logs.failing import Failing
from callback.settings.rules import QueueRules, SiteRules
from callback.settings.sections import PbxWiring, Settings, Trunk
from callback.settings.texts import Texts
from callback.site.context import Sites, take_over
from callback.store import schema
from callback.store import tables as t
from callback.store.engine import Store
from callback.store.keys import check, site_key
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
    """How many texts, how many on their way at once, and how often each way is measured."""

    texts: int = 1500
    senders: int = Texts().senders
    times: int = 5


QUICK: Final = OutboxScale(texts=40, times=1)


@dataclass(slots=True)
class Measured:
    """What one way of sending took."""

    texts: int
    took_s: float
    cpu_s: float
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
        return TwilioGateway({"main": Account(SID, TOKEN, FROM, 1e5, self.url)})

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


async def bare(fake: Fake, scale: OutboxScale) -> Measured:
    """Only send."""
    gateway, numbers = fake.gateway(), iter(range(scale.texts))

    async def sends() -> None:
        for number in numbers:
            await gateway.send(_number(number), BODY, "")

    await gateway.send(_number(0), BODY, "")  # the imports
    began, used = time.perf_counter(), time.process_time()
    await asyncio.gather(*(sends() for _ in range(scale.senders)))
    measured = Measured(scale.texts, time.perf_counter() - began, time.process_time() - used)
    await gateway.close()
    fake.sent += scale.texts + 1
    return measured


async def through_the_outbox(fake: Fake, url: str, scale: OutboxScale) -> Measured:
    """Fill an outbox, and let the service send until it is empty."""
    store = Store(url)
    schema.migrate(store)
    sites = _filled(store, scale.texts)
    check(store)  # as the service does when it starts: it knows its key
    commits: list[object] = []
    event.listen(store.engine, "commit", commits.append)
    gateway, texts = fake.gateway(), Texts(senders=scale.senders)
    await gateway.send(_number(0), BODY, "")
    began, used, taken = time.perf_counter(), time.process_time(), 0
    while taken < scale.texts:
        taken += await send_due(store, sites, gateway, texts, lambda: False, Failing(logging.getLogger(__name__)))
    measured = Measured(taken, time.perf_counter() - began, time.process_time() - used, len(commits))
    await gateway.close()
    with store.read() as connection:
        sent = select(func.count()).select_from(text_outbox).where(text_outbox.c.state == "sent")
        all_sent = int(connection.execute(sent).scalar_one())
    store.close()
    if all_sent != scale.texts:
        raise BenchmarkError(f"of {scale.texts} texts only {all_sent} were sent: this measures nothing")
    fake.sent += 1 + all_sent
    return measured


def _filled(store: Store, texts: int) -> Sites:
    """So many callers who are owed a text; the caps let all of them through, and are counted."""
    settings = Settings(
        pbx=PbxWiring(name="main", username="u", secret="s"),  # noqa: S106
        trunks={"main": Trunk(region="JP", form="national")},
        rules=SiteRules(zone="UTC", queues={"support": ON}, texts_a_block=100_000, texts_an_hour=1_000_000),
    )
    now, numbers = store.now(), range(1, texts + 1)
    with store.write() as connection:
        take_over(connection, settings, now)
        sites = Sites(settings)
        sites.at(connection, now)
        connection.execute(insert(t.person), [{"id": n, "number": _number(n), "created_at": now} for n in numbers])
        connection.execute(insert(t.reservation), [_reservation(n, now) for n in numbers])
        connection.execute(insert(text_outbox), [_text(n, now) for n in numbers])
        site_key(connection, "block")  # as the writer of a text does, to ask whether it is wanted
    return sites


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
    kept: dict[str, list[Measured]] = {"bare": [], "sqlite": [], "postgresql": []}
    try:
        with tempfile.TemporaryDirectory() as folder, postgres.serve(postgres.find(), durable=True) as server:
            for turn in range(scale.times):
                urls = {"sqlite": f"sqlite:///{folder}/{turn}.db", "postgresql": server.create(f"outbox{turn}")}
                with faked() as fake:
                    kept["bare"].append(asyncio.run(bare(fake, scale)))
                    for kind, url in urls.items():
                        kept[kind].append(asyncio.run(through_the_outbox(fake, url, scale)))
    except BenchmarkError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    _show(scale, kept)
    return 0


def _show(scale: OutboxScale, kept: dict[str, list[Measured]]) -> None:
    title = f"{ANSWER_MS:.0f} ms a text, {scale.senders} at once, {scale.times} times in turns, {load()}"
    table = Table("", "texts/s", "of the bare client", "CPU a text", "commits a text", title=title)
    figures: dict[str, float] = {"senders": scale.senders}
    for kind, turns in kept.items():
        ratio = _median([ours.per_s / base.per_s for ours, base in zip(turns, kept["bare"], strict=True)])
        cpu_ms = _median([1e3 * turn.cpu_s / turn.texts for turn in turns])
        commits = _median([turn.commits / turn.texts for turn in turns])
        name = "the bare client" if kind == "bare" else f"the outbox on {kind}"
        told = (f"{ratio:.2f}", f"{cpu_ms:.2f} ms", f"{commits:.3f}" if commits else "")
        table.add_row(name, spread([turn.per_s for turn in turns]), *told)
        figures |= {f"{kind}_per_s": _median([turn.per_s for turn in turns]), f"{kind}_cpu_ms": cpu_ms}
        if kind != "bare":
            figures |= {f"{kind}_ratio_to_bare": ratio, f"{kind}_commits_per_text": commits}
    Console().print(table)
    sys.stdout.write(json.dumps({name: round(value, 3) for name, value in figures.items()}) + "\n")


def _median(values: Sequence[float]) -> float:
    return float(statistics.median(values))
