"""The people of the lab: agents at their desks, and customers who call, wait, give up and are called back.

Nothing here knows of the service. Who is lost and who is reached follows from what people do.
"""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Self

from lab import phone
from lab.asterisk import Asterisk
from lab.errors import PhoneError
from lab.phone import AGENT_HZ, Call, Script
from lab.service import PbxAccess

Say = Callable[[str], None]

AGENTS = ("agent1", "agent2", "agent3")
DID = "500"

_WAVE_S = 35  # from one wave of callers to the next
_BETWEEN_S = 0.7  # between callers of a wave
_LOOK_S = 0.25


@dataclass(frozen=True, slots=True)
class Customer:
    """Someone who calls: how long they wait and talk, and what they do when they are called back."""

    number: str
    patience_s: float
    talk_s: float = 8
    called_back: tuple[Script, ...] = ()
    returns_after_s: float | None = None


def mobiles() -> Iterator[str]:
    """Japanese mobile numbers for ever, each in a block of its own and with its own last digits, as people's are.

    Many numbers of one block that hang up soon are refused: they are after a call back to a dear number.
    """
    return itertools.cycle(f"090{block}{block * 7919 % 10_000:04}" for block in range(1234, 9000))


def customers() -> Iterator[list[Customer]]:
    """Waves of callers for ever: more at a time than there are agents, so that some are lost.

    Agents talk long enough for the lost to be texted before they are called. The first of them answer at once;
    later ones are busy, do not answer, decline.
    """
    numbers = mobiles()
    answers = phone.answer(1.0, talk_s=5)
    fates: Iterator[tuple[Script, ...]] = itertools.cycle(
        [(answers,), (answers,), (phone.busy(), answers), (answers,), (phone.no_answer(), answers), (phone.decline(),)]
    )
    for wave in itertools.count(1):
        served = [Customer(next(numbers), 8, 12 + 2 * place, (answers,)) for place in range(3)]
        lost = [Customer(next(numbers), 6, 6, next(fates)) for _ in range(2)]
        returning = [] if wave % 2 else [Customer(next(numbers), 6, 5, (answers,), returns_after_s=1)]
        yield [*served, *returning, *lost]


class Moody(phone.Phone):
    """The phone of an agent who picks up every second time only."""

    def script_for(self, number: str) -> Script:
        """Say what to do with the call that comes now."""
        return phone.no_answer() if len(self.rings) % 2 else super().script_for(number)


class People:
    """Everybody, as a context manager: agents are there at once, customers from `begin` on."""

    def __init__(self, pbx: Asterisk, say: Say) -> None:
        self._pbx = pbx
        self._tell = say
        self._over = threading.Event()
        self._room = ExitStack()
        self._waiting_in: list[threading.Thread] = []

    def __enter__(self) -> Self:
        with ExitStack() as room:
            self._carrier = room.enter_context(self._pbx.carrier())
            room.enter_context(self._pbx.phone("agent1", phone.answer(0.6)))
            room.enter_context(self._pbx.phone("agent2", phone.answer(1.2)))
            moody = Moody(self._pbx.agents["agent3"], self._pbx.sip, hz=AGENT_HZ, script=phone.answer(2.0))
            room.enter_context(moody)
            self._room = room.pop_all()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._over.set()
        for thread in self._waiting_in:
            thread.join(timeout=5)
        self._room.close()

    @property
    def access(self) -> PbxAccess:
        """Where the service logs in."""
        return PbxAccess(self._pbx.ami_port, self._pbx.username, self._pbx.secret)

    def begin(self) -> None:
        """Let customers call."""
        for act in (self._call_in, self._witness):
            self._go(act)

    def _go(self, act: Callable[[], None]) -> None:
        thread = threading.Thread(target=act, name="lab-people", daemon=True)
        self._waiting_in = [*(one for one in self._waiting_in if one.is_alive()), thread]
        thread.start()

    def _say(self, text: str) -> None:
        if not self._over.is_set():
            self._tell(text)

    def _call_in(self) -> None:
        for wave in customers():
            for customer in wave:
                self._go(lambda customer=customer: self._live(customer))  # type: ignore[misc]
                if self._over.wait(_BETWEEN_S):
                    return
            if self._over.wait(_WAVE_S - len(wave) * _BETWEEN_S):
                return

    def _live(self, customer: Customer) -> None:
        """Call, and be served or give up; then perhaps try again."""
        self._carrier.behave(customer.number, *customer.called_back)
        served = self._try(customer, customer.patience_s)
        if not served and customer.returns_after_s is not None and not self._over.wait(customer.returns_after_s):
            self._say(f"{customer.number} tries again")
            self._try(customer, 60)

    def _try(self, customer: Customer, patience_s: float) -> bool:
        call = self._carrier.call(DID, caller=customer.number)
        self._say(f"{customer.number} calls")
        started = time.monotonic()
        while not call.heard(AGENT_HZ, last_s=1):
            waited_s = time.monotonic() - started
            if self._over.wait(_LOOK_S) or waited_s > patience_s or call.state == "ended":
                call.hang_up()
                self._say(f"{customer.number} gives up after {waited_s:.0f} s")
                return False
        self._say(f"{customer.number} talks to an agent")
        self._over.wait(customer.talk_s)
        call.hang_up()
        return True

    def _witness(self) -> None:
        """Tell what a customer's phone does when the service calls it back."""
        while not self._over.is_set():
            with suppress(PhoneError):
                ring = self._carrier.wait_call(timeout_s=0.5)
                self._go(lambda ring=ring: self._attend(ring))  # type: ignore[misc]

    def _attend(self, ring: Call) -> None:
        with suppress(PhoneError):
            ring.wait_ringing(1)
            self._say(f"{ring.number}'s phone rings, showing {ring.caller_id}")
            ring.wait_answered(30).wait_heard(AGENT_HZ, 10)
            self._say(f"{ring.number} hears the agent")
