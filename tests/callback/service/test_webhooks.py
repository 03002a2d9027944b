"""Webhooks: each message is signed, tried until it is taken, and sent with one id whatever dies in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from callback.accounts.change import Change
from callback.accounts.webhooks import deliveries, endpoints
from callback.accounts.webhooks.deliveries import WAITS
from callback.accounts.webhooks.endpoints import TYPES, Wanted
from callback.decisions import actions
from callback.service.jobs import webhooks as job
from callback.service.webhooks import messages
from callback.service.webhooks.sender import Outcome, Sender
from callback.store import tables as t
from callback.store.audit import By
from tests.callback.service.hooks import HERE, Post, Received, receiver, run
from tests.callback.service.jobs.parts import now_us
from tests.callback.world import MINUTE, NOON, US, World, call, event, fed

HOUR = 3600
OF_CASE = {"case": 4, "queue": "support", "kind": "complaint", "department": "billing"}
ANNA = By("anna", "a test")


def lose(world: World, *numbers: str, now: int = NOON) -> None:
    for number in numbers:
        world.hear(call(number, now), now=now)


def decide(world: World, act: Any, reservation: int, now: int, *more: Any) -> None:
    with world.store.write() as connection:
        act(world.work(connection, now), reservation, *more, ANNA)


def refuses(status: int, **headers: str) -> Any:
    return lambda _told: web.Response(status=status, headers={k.replace("_", "-"): v for k, v in headers.items()})


def headers_of(got: Received) -> dict[str, str]:
    return {name: value for name, value in got.headers.items() if name.startswith("webhook-")}


# What is sent


def test_the_library_verifies_a_message_and_refuses_one_with_a_bit_flipped(today: World) -> None:
    async def main() -> None:
        async with receiver() as to:
            post = Post(today, now_us())
            _, secret = post.endpoint(to.url)
            lose(today, "09012345678", now=post.now)
            await post.turn()
            (got,) = to.got
            library = Webhook(secret)
            told = library.verify(got.body, headers_of(got))
            assert told["type"] == "reservation.made"
            flipped = [got.body[:at] + bytes([got.body[at] ^ 1]) + got.body[at + 1 :] for at in range(len(got.body))]
            for body in flipped:
                with pytest.raises((WebhookVerificationError, UnicodeDecodeError)):
                    library.verify(body, headers_of(got))
            later = str(int(got.headers["webhook-timestamp"]) + 1)
            for changed in ({"webhook-id": f"{got.id}0"}, {"webhook-timestamp": later}):
                with pytest.raises(WebhookVerificationError):
                    library.verify(got.body, headers_of(got) | changed)

    run(main())


def test_a_message_is_thin_and_holds_no_number_unless_the_endpoint_is_made_so(sqlite_world: World) -> None:
    async def main() -> None:
        async with receiver() as thin, receiver() as whole:
            post = Post(sqlite_world, NOON)
            post.endpoint(thin.url)
            post.endpoint(whole.url, with_number=True)
            lose(sqlite_world, "09012345678")
            await post.turn()
            (row,) = sqlite_world.reservations()
            data = {"reservation": row.id, "state": "waiting", "queue": "support", "reference": None, "revision": 1}
            assert row.revision == 1
            told = {"type": "reservation.made", "timestamp": "2026-11-23T03:00:00.000Z", "data": data}
            assert [one.told for one in thin.got] == [told]
            assert [one.data for one in whole.got] == [{**data, "number": "+819012345678"}]
            assert all("9012345678" not in str(row.data) for row in sqlite_world.rows(t.hook_delivery))

    run(main())


def test_both_secrets_are_good_for_24_hours_after_a_rotation(sqlite_world: World) -> None:
    async def main() -> None:
        async with receiver() as to:
            post = Post(sqlite_world, NOON)
            number, first = post.endpoint(to.url)
            second = post.change(lambda change: endpoints.rotate(change, number))
            for after in (0, 23.9 * HOUR, 24 * HOUR):
                post.now = NOON + round(after * US)
                post.change(lambda change: deliveries.test(change, number))
                await post.turn()
            signed = [(one.is_signed_by(first), one.is_signed_by(second)) for one in to.got]
            assert signed == [(True, True), (True, True), (False, True)]
            assert len(second.removeprefix("whsec_")) == 44  # 32 bytes

    run(main())


def test_no_secret_stands_in_the_database(sqlite_world: World) -> None:
    _, secret = Post(sqlite_world, NOON).endpoint("https://crm.example.org/x")
    key = Webhook(secret)._whsecret  # noqa: SLF001 - the bytes themselves
    (row,) = sqlite_world.rows(t.hook_endpoint)
    assert key.hex() not in str(row)
    assert secret.removeprefix("whsec_") not in str(row)


@pytest.mark.parametrize(
    ("name", "facts", "types"),
    [
        ("overdue", {"reservation": 1, "queue": "support", "by_at": NOON, "text": True}, "broken changed"),
        ("returned", {"reservation": 1}, "closed"),
        ("expired", {"reservation": 1, "queue": "support", "why": "late-twice"}, "closed"),
        ("decided", {"action": "hold", "who": "a", "why": "b", "reservation": 1}, "changed"),
        ("decided", {"action": "cancelled", "who": "a", "why": "b", "reservation": 1}, "closed"),
        ("decided", {"action": "block", "who": "a", "why": "b", "cancelled": [1, 2]}, "closed closed"),
        ("alarm", {"group": "site", "due": 9, "missed": 2, "more": 1, "until_at": NOON, "again": False}, "raised"),
        ("alarm", {"group": "site", "due": 9, "missed": 2, "more": 1, "until_at": NOON, "again": True}, ""),
        ("alarm-over", {"group": "site", "raised_at": NOON}, "over"),
        ("incident", {"incident": 5, "cause": "support/gave-up/main", "state": "holding"}, "opened"),
        ("incident", {"incident": 5, "cause": "support/gave-up/main", "state": "draining"}, ""),
        ("incident", {"incident": 5, "cause": "support/gave-up/main", "state": "over"}, "ended"),
        ("answered", {"answer": 3, "for_people": True}, "received"),
        ("text-failed", {"reservation": 1, "code": "30003"}, "failed"),
        ("case-opened", OF_CASE | {"topic": "bill", "due_at": NOON, "repeats": 0}, "opened"),
        ("case-moved", OF_CASE | {"event": "answered", "state": "answered", "owner": None}, "changed"),
        ("case-moved", OF_CASE | {"event": "closed", "state": "closed", "owner": None}, "closed"),
        ("case-at-risk", OF_CASE | {"due_at": NOON, "owner": "anna"}, "at-risk"),
        ("pbx-up", {"pbx": "main", "why": "it answers"}, ""),
    ],
)
def test_which_messages_follow_from_an_event(
    sqlite_world: World, name: str, facts: Mapping[str, Any], types: str
) -> None:
    with sqlite_world.store.read() as connection:
        made = messages.made_of(connection, [(7, event(name, NOON, facts))])
    assert [message.type.split(".")[1] for _, message in made] == types.split()
    assert {message.type for _, message in made} <= set(TYPES)
    assert all(message.about and place == 7 for place, message in made)


def test_what_was_before_an_endpoint_is_not_told_it_and_what_it_did_not_choose_neither(sqlite_world: World) -> None:
    async def main() -> None:
        async with receiver() as to:
            post = Post(sqlite_world, NOON)
            lose(sqlite_world, "09012345601")
            post.endpoint(to.url, "reservation.closed")
            lose(sqlite_world, "09012345602")
            decide(sqlite_world, actions.hold, 2, NOON)
            decide(sqlite_world, actions.cancel, 2, NOON)
            await post.turn()
            assert [(one.told["type"], one.data["reservation"]) for one in to.got] == [("reservation.closed", 2)]

    run(main())


# Nothing is lost, and order


def test_a_receiver_that_is_down_for_three_hours_gets_everything_once_and_in_the_order_of_revisions(
    world: World,
) -> None:
    async def main() -> None:
        async with receiver(refuses(503)) as to:
            post = Post(world, NOON)
            number, _ = post.endpoint(to.url)
            for minute in range(0, 180, 15):
                now = post.now
                lose(world, f"090123456{minute // 15:02}", now=now)
                newest = world.reservations()[-1].id
                decide(world, actions.hold, newest, now)
                decide(world, actions.resume, newest, now)
                decide(world, actions.assign, 1, now, f"agent {minute}")
                await post.turns(15 * 60, 150)
            assert (to.got, post.stands(number).disabled) == ([], "")
            to.answer = lambda _told: web.Response()
            await post.turns(20 * 60, 150)
            kept = post.deliveries(number)
            assert {one.state for one in kept} == {"delivered"}
            assert len(kept) == 12 * 4
            assert sorted(one.id for one in to.got) == sorted(one.message for one in kept)
            for reservation in range(1, 13):
                revisions = [one.data["revision"] for one in to.got if one.data["reservation"] == reservation]
                assert revisions == sorted(revisions)
                assert len(revisions) >= 3

    run(main())


def decided_at_once(world: World, post: Post) -> None:
    lose(world, "09012345678", now=post.now)
    decide(world, actions.hold, 1, post.now)


def test_what_was_sent_and_not_written_down_is_sent_again_with_the_same_id(world: World) -> None:
    class Dies(Sender):
        """The process dies when the message was taken."""

        async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
            """Send, and never come back."""
            await super().post(url, body, headers)
            await asyncio.get_running_loop().create_future()
            raise AssertionError

    async def main() -> None:
        async with receiver() as to:
            post = Post(world, NOON, Dies(HERE))
            number, _ = post.endpoint(to.url)
            lose(world, "09012345678")
            await post.job.run()
            await to.came.wait()
            await post.courier.close()
            assert post.states(number) == ["waiting"]
            post.sender, post.now = Sender(HERE), NOON + MINUTE
            post.again()
            await post.turn()
            first, second = to.got
            assert (first.id, first.body) == (second.id, second.body)
            assert post.states(number) == ["delivered"]

    run(main())


def test_what_was_read_and_not_kept_is_read_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OSError("the disk")

    async def main() -> None:
        async with receiver() as to:
            post = Post(world, NOON)
            number, _ = post.endpoint(to.url)
            lose(world, "09012345678")
            with monkeypatch.context() as patched:
                patched.setattr(job, "insert_new", fails)
                with pytest.raises(OSError, match="the disk"):
                    await post.turn()
            await post.turn()
            assert len(to.got) == 1
            with world.store.write() as connection:  # as on a server, where the end of the feed is read twice
                connection.execute(t.hook_place.update().values(place=0))
            post.again()
            await post.turn()
            assert post.states(number) == ["delivered"]
            assert len(to.got) == 1

    run(main())


# Tried again


def test_a_message_is_tried_ten_times_in_three_days_and_then_given_up(sqlite_world: World) -> None:
    async def main() -> None:
        async with receiver(refuses(500)) as to:
            post = Post(sqlite_world, NOON)
            number, _ = post.endpoint(to.url)
            lose(sqlite_world, "09012345678")
            waits, before = [], post.now
            await post.turn()
            while post.states(number) == ["waiting"]:
                (one,) = post.deliveries(number)
                waits.append(one.next_at - before)
                post.now = before = one.next_at
                await post.turn()
            assert waits == list(WAITS[1:])
            assert (to.asked, post.states(number)) == (10, ["given-up"])
            post.change(lambda change: deliveries.replay(change, number, 1))
            to.answer = lambda _told: web.Response()
            post.now += HOUR * US
            await post.turn()
            assert post.states(number) == ["delivered"]

    run(main())


def test_an_endpoint_that_fails_is_asked_seldom_however_much_waits(sqlite_world: World) -> None:
    async def main() -> None:
        async with receiver(refuses(500)) as to:
            post = Post(sqlite_world, NOON)
            post.endpoint(to.url)
            lose(sqlite_world, *(f"090123456{n:02}" for n in range(50)))
            await post.turns(HOUR, 10)
            assert 5 < to.asked <= 20

    run(main())


def test_a_message_that_the_receiver_cannot_take_holds_no_other_up(sqlite_world: World) -> None:
    def answer(told: dict[str, Any]) -> web.Response:
        return web.Response(status=500 if told["data"]["reservation"] == 1 else 200)

    async def main() -> None:
        async with receiver(answer) as to:
            post = Post(sqlite_world, NOON)
            number, _ = post.endpoint(to.url)
            lose(sqlite_world, *(f"090123456{n:02}" for n in range(5)))
            decide(sqlite_world, actions.hold, 1, NOON)
            await post.turns(60, 5)
            assert sorted(one.data["reservation"] for one in to.got) == [2, 3, 4, 5]
            await post.turns(80 * HOUR, HOUR)
            assert post.states(number).count("given-up") == 1  # and then the one behind it has its turn
            assert post.stands(number).disabled == ""

    run(main())


def test_a_slow_endpoint_holds_no_other_up(sqlite_world: World) -> None:
    async def main() -> None:
        held = asyncio.Event()

        async def waits(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            held.set()
            await _reader.read()
            writer.close()

        silent = await asyncio.start_server(waits, "127.0.0.1", 0)
        async with silent, receiver() as quick:
            post = Post(sqlite_world, NOON)
            slow, _ = post.endpoint(f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}/")
            post.endpoint(quick.url)
            lose(sqlite_world, "09012345678")
            await post.job.run()
            await held.wait()
            await quick.came.wait()
            assert post.states(slow) == ["waiting"]
            quick.came.clear()
            lose(sqlite_world, "09012345679")
            await post.job.run()
            await quick.came.wait()
            assert len(quick.got) == 2
            await post.courier.close()

    run(main())


def test_a_receiver_that_does_not_answer_in_time_has_failed(sqlite_world: World) -> None:
    async def main() -> None:
        async def waits(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        silent = await asyncio.start_server(waits, "127.0.0.1", 0)
        async with silent:
            post = Post(sqlite_world, NOON, Sender(HERE, timeout_s=0.2))
            number, _ = post.endpoint(f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}/")
            lose(sqlite_world, "09012345678")
            await post.turn()
            assert [one.fault for one in post.deliveries(number)] == ["timeout"]

    run(main())


@pytest.mark.parametrize(
    ("said", "wait_s"),
    [
        ("1200", 1200),
        ("7200", 3600),
        ("Mon, 23 Nov 2099 03:00:00 GMT", 3600),
        ("soon", 5),
        ("1", 5),
        ("Mon, 01 Jan 99999999999 00:00:00 GMT", 5),
    ],
)
def test_a_receiver_may_ask_for_a_longer_pause(sqlite_world: World, said: str, wait_s: int) -> None:
    async def main() -> None:
        async with receiver(refuses(429, Retry_After=said)) as to:
            post = Post(sqlite_world, NOON)
            number, _ = post.endpoint(to.url)
            lose(sqlite_world, "09012345678")
            await post.turn()
            assert [one.next_at - NOON for one in post.deliveries(number)] == [wait_s * US]
            assert post.stands(number).rests_until_at - NOON == wait_s * US

    run(main())


def test_what_nobody_foresaw_is_a_failed_try_and_what_was_taken_before_it_is_kept(sqlite_world: World) -> None:
    class Odd(Sender):
        async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
            if b'"reservation":2' in body:
                raise RuntimeError("odd")
            return await super().post(url, body, headers)

    async def main() -> None:
        async with receiver() as to:
            post = Post(sqlite_world, NOON, Odd(HERE))
            number, _ = post.endpoint(to.url)
            lose(sqlite_world, "09012345678", "09012345679")
            await post.turn()
            assert [(one.state, one.tries, one.fault) for one in post.deliveries(number)] == [
                ("delivered", 1, ""),
                ("waiting", 1, "unreachable"),
            ]
            assert (to.asked, post.stands(number).rests_until_at) == (1, NOON + 5 * US)

    run(main())


def changed(change: Change, number: int, url: str) -> None:
    endpoints.alter(change, number, Wanted(url, frozenset(TYPES)), HERE)


def enabled_again(change: Change, number: int, _url: str) -> None:
    endpoints.disable(change, number)
    endpoints.enable(change, number)


@pytest.mark.parametrize("put_right", [changed, enabled_again])
def test_an_endpoint_that_is_put_right_is_sent_at_once_what_waits(
    sqlite_world: World, put_right: Callable[[Change, int, str], None]
) -> None:
    async def main() -> None:
        async with receiver(refuses(503, Retry_After="86400")) as to:
            post = Post(sqlite_world, NOON)
            number, _ = post.endpoint(to.url)
            lose(sqlite_world, "09012345678", "09012345679")
            await post.turn()
            to.answer = lambda _told: web.Response()
            post.now += US
            await post.turn()
            assert to.asked == 1  # positive control: it rests
            post.change(lambda change: put_right(change, number, to.url))
            await post.turn()
            assert [one.data["reservation"] for one in to.got] == [1, 2]
            assert post.stands(number).failures == 0

    run(main())


def test_no_redirect_is_followed(sqlite_world: World) -> None:
    async def main() -> None:
        async with receiver() as elsewhere, receiver(refuses(307, Location=elsewhere.url)) as to:
            post = Post(sqlite_world, NOON)
            number, _ = post.endpoint(to.url)
            lose(sqlite_world, "09012345678")
            await post.turn()
            assert (to.asked, elsewhere.asked) == (1, 0)
            assert [(one.fault, one.status) for one in post.deliveries(number)] == [("redirect", 307)]

    run(main())


# Disabled


def told_of(world: World) -> list[str]:
    return [one.facts["why"] for one in fed(world.store) if one.name == "webhook-disabled"]


def test_an_endpoint_that_says_it_is_gone_is_disabled_and_that_is_told(sqlite_world: World) -> None:
    async def main() -> None:
        async with receiver(refuses(410)) as to:
            post = Post(sqlite_world, NOON)
            number, _ = post.endpoint(to.url)
            lose(sqlite_world, "09012345678")
            await post.turns(HOUR)
            assert (to.asked, post.stands(number).disabled, told_of(sqlite_world)) == (1, "gone", ["gone"])
            to.answer = lambda _told: web.Response()
            lose(sqlite_world, "09012345679")
            post.change(lambda change: endpoints.enable(change, number))
            await post.turn()
            assert [one.data["reservation"] for one in to.got] == [1]  # what waited, and not what was meanwhile
            assert post.audited() == ["webhook-added", "webhook-disabled", "webhook-enabled"]

    run(main())


def test_an_endpoint_that_fails_for_five_days_is_disabled_and_that_is_told(sqlite_world: World) -> None:
    async def main() -> None:
        async with receiver(refuses(500)) as to:
            post = Post(sqlite_world, NOON)
            number, _ = post.endpoint(to.url)
            for day in range(6):
                lose(sqlite_world, f"0901234567{day}", now=post.now)
                await post.turns(24 * HOUR, HOUR)
                assert post.stands(number).disabled == ("failing" if day == 5 else "")
            assert told_of(sqlite_world) == ["failing"]

    run(main())


def test_an_endpoint_for_which_too_much_waits_is_disabled(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with receiver(refuses(500)) as to:
            monkeypatch.setattr(deliveries, "MOST_WAITING", 3)
            post = Post(sqlite_world, NOON)
            number, _ = post.endpoint(to.url)
            lose(sqlite_world, *(f"0901234567{n}" for n in range(3)))
            await post.turn()
            assert post.stands(number).disabled == ""
            lose(sqlite_world, "09012345679")
            await post.turn()
            assert (post.stands(number).disabled, told_of(sqlite_world)) == ("full", ["full"])

    run(main())


def test_messages_are_forgotten_after_thirty_days(sqlite_world: World) -> None:
    async def main() -> None:
        async with receiver() as to:
            post = Post(sqlite_world, NOON)
            number, _ = post.endpoint(to.url)
            lose(sqlite_world, "09012345678")
            await post.turn()
            for at, left in ((NOON + deliveries.KEPT, 1), (NOON + deliveries.KEPT + 1, 0)):
                with sqlite_world.store.write() as connection:
                    deliveries.forget(connection, at, 10)
                assert len(post.deliveries(number)) == left

    run(main())
