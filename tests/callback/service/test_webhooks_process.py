"""The service as a process, and a program that it tells: a caller is lost, and the process is killed in between."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from aiohttp import web
from sqlalchemy import delete
from standardwebhooks import Webhook

from callback.accounts.change import Change
from callback.accounts.webhooks import endpoints
from callback.accounts.webhooks.endpoints import Wanted
from callback.store import tables as t
from callback.store.audit import By
from telephony.simulator.server import Simulator
from tests.callback.service.hooks import HERE, run
from tests.callback.service.jobs.parts import STREAMS, now_us, rules
from tests.callback.world import World
from tests.children import child
from tests.live.service import noon_zone

SETTINGS = """
[database]
url = "{url}"
[pbx]
port = {port}
username = "{username}"
secret = "{secret}"
journal = "{folder}/journal"
[webhooks]
allowed_hosts = ["127.0.0.1"]
[trunks.main]
channel = "PJSIP/trunk"
region = "JP"
[rules]
zone = "{zone}"
short_abandon_s = 0
[rules.queues.support]
"""


GIVES_UP = STREAMS / "03a-abandon-ringing.ami.gz"


def test_a_caller_who_is_lost_is_told_to_a_program_also_when_the_service_is_killed_in_between(tmp_path: Path) -> None:
    world = World(f"sqlite:///{tmp_path / 'told.db'}", rules(), now=now_us())
    with world.store.write() as connection:
        connection.execute(delete(t.lease))

    async def main() -> None:
        came: asyncio.Queue[tuple[dict[str, str], bytes]] = asyncio.Queue()
        let_go = asyncio.Event()

        async def take(request: web.Request) -> web.Response:
            named = {name.lower(): value for name, value in request.headers.items()}
            await came.put((named, await request.read()))
            await let_go.wait()
            return web.Response()

        app = web.Application()
        app.router.add_post("/told", take)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        with world.store.write() as connection:
            change = Change(connection, "main", By("root", "a test"), now_us())
            to = Wanted(f"http://127.0.0.1:{port}/told", frozenset({"reservation.made"}))
            _, secret = endpoints.add(change, to, HERE)

        async with Simulator(recordings=[GIVES_UP]) as simulator:
            username, password = simulator.account
            file = tmp_path / "service.toml"
            file.write_text(
                SETTINGS.format(
                    url=world.store.url,
                    port=simulator.port,
                    username=username,
                    secret=password,
                    folder=tmp_path,
                    zone=noon_zone(),
                )
            )
            command = [sys.executable, "-m", "callback", "run", "-s", str(file)]
            quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            with child(command, **quiet) as first:
                await simulator.somebody()
                await simulator.play(GIVES_UP, speed=1e6)
                headers, body = await came.get()
                first.send_signal(signal.SIGKILL)  # it was sent, and nobody wrote that down
                await asyncio.to_thread(first.wait)
            let_go.set()
            with child(command, **quiet):
                again, same = await came.get()
        told = Webhook(secret).verify(same, again)
        assert (again["webhook-id"], same) == (headers["webhook-id"], body)
        assert told["type"] == "reservation.made"
        (row,) = world.reservations()
        assert told["data"]["reservation"] == row.id
        await runner.cleanup()

    run(main())
    world.close()
