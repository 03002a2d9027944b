"""Commits what PBXs told, and what comes of it: all of it in one transaction, or else each PBX's alone.

What is refused for its own sake is put aside, with its reason in the log and in the feed, and the others go on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from callback.attempts import own_calls, settle
from callback.errors import CallbackError, NotOurs, StoreError
from callback.events import PutAside
from callback.losses import calls, intake, wangiri
from callback.site.context import Sites
from callback.site.work import Work
from callback.store import checkpoints
from callback.store.engine import Store
from callback.store.lease import Lease, guard
from telephony.calls.call import Call, Verdict
from telephony.calls.facts.agent_call import AgentCall
from telephony.dialling import dialler
from telephony.pbx import Gap, Stretch

log = logging.getLogger(__name__)

Item = tuple[Call, Verdict] | dialler.AttemptEvent | AgentCall | Gap


@dataclass(frozen=True, slots=True)
class Listener:
    """For whom to commit: a site, as the holder of its PBX's lease, who writes this journal."""

    sites: Sites
    held: Lease
    journal_id: str


@dataclass(frozen=True, slots=True)
class Heard:
    """What a listener heard, in order; once it is committed, its journal before `checkpoint` may go."""

    of: Listener
    items: Sequence[Item]
    checkpoint: int | None

    @classmethod
    def from_stretches(cls, of: Listener, stretches: Sequence[Stretch]) -> Heard:
        """What some stretches of the stream told."""
        return cls(of, [item for one in stretches for item in _items(one)], stretches[-1].checkpoint)


class Commits:
    """Commits to one store."""

    def __init__(self, store: Store, clock: Callable[[], int]) -> None:
        self._store, self._clock = store, clock

    def together(self, heard: Sequence[Heard]) -> list[CallbackError | None]:
        """Commit what several heard, and say of each why it is not committed; None where it is.

        One transaction for all: there is one wait for the disk then, and not one for each PBX.
        """
        if len(heard) > 1:
            try:
                self._transaction(heard)
            except StoreError as error:
                return [error] * len(heard)
            except Exception:  # noqa: BLE001 - whose it is, and why, shows when each is alone
                log.debug("of %d PBXs' batches one was refused", len(heard))
            else:
                return [None] * len(heard)
        return [self._tried(one) for one in heard]

    def alone(self, heard: Heard) -> None:
        """Commit what one heard in one transaction; where that fails for its content, item by item."""
        try:
            self._transaction([heard])
        except (NotOurs, StoreError):
            raise
        except Exception:
            log.exception("a batch was refused; its %d items are committed one by one", len(heard.items))
            for item in heard.items:
                self._one_alone(heard.of, item)
            self._transaction([Heard(heard.of, (), heard.checkpoint)])

    def _tried(self, heard: Heard) -> CallbackError | None:
        try:
            self.alone(heard)
        except CallbackError as error:
            return error
        return None

    def _one_alone(self, of: Listener, item: Item) -> None:
        try:
            self._transaction([Heard(of, [item], None)])
        except (NotOurs, StoreError):
            raise
        except Exception as error:
            log.exception("put aside, with nothing done about it: %r", item)
            with self._store.write() as connection:
                guard(connection, of.held)
                _work(connection, of, self._clock()).tell(PutAside(repr(item), str(error)))

    def _transaction(self, heard: Sequence[Heard]) -> None:
        now = self._clock()

        def done(connection: Connection) -> None:
            for one in heard:
                guard(connection, one.of.held)
            works = [_recorded(_work(connection, one.of, now), one.items) for one in heard]
            for work in works:  # last: whoever decides takes the audit's end last
                wangiri.audited(work)
                own_calls.audited(work)
            for one in heard:
                if one.checkpoint is not None:
                    checkpoints.advance(connection, one.of.sites.pbx, one.of.journal_id, one.checkpoint, now)

        self._store.transact(done)


def _work(connection: Connection, of: Listener, now: int) -> Work:
    return Work(connection, of.sites.at(connection, now), now)


def _items(heard: Stretch) -> list[Item]:
    """Give what is to be committed of a stretch; the gap comes last: it is told with what was found in it."""
    return [*heard.calls, *heard.attempts, *heard.agent_calls, *([heard.gap] if heard.gap else [])]


def _recorded(work: Work, items: Sequence[Item]) -> Work:
    for item in items:
        _record(work, item)
    return work


def _record(work: Work, item: Item) -> None:
    match item:
        case dialler.AttemptStep():
            settle.progress(work, item.attempt, item.step, item.at, item.agent)
        case dialler.AttemptEnd(outcome=None):
            pass  # resolved by its ticket
        case dialler.AttemptEnd():
            evidence = list(item.evidence)
            settle.end(work, item.attempt, str(item.outcome), evidence, item.at)
        case AgentCall():
            own_calls.heard(work, item)
        case Gap():
            calls.gap(work, item)
        case (call, verdict):
            intake.record(work, call, verdict)
