"""`callback reservation …`: what people decide about reservations, numbers and losses, and who decided what before."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from enum import StrEnum
from typing import Annotated

import typer

from callback.cli.options import DEFAULT, Limit, SettingsFile, Who, Why, in_force, looking, reading
from callback.cli.tables import queue as queue_table
from callback.cli.tables import terminal
from callback.cli.tables.timeline import speech
from callback.clock import now_us, user
from callback.decisions import actions, corrections
from callback.decisions.actions import Decision
from callback.errors import CallbackError
from callback.events import Decided, Happened
from callback.reports.queue.board import Queue
from callback.reports.timeline import corrected
from callback.reports.unreserved import unreserved
from callback.settings.sections import Settings, load
from callback.site import written
from callback.site.context import current
from callback.site.work import Work, transact
from callback.site.written import e164_of
from callback.store import audit, audit_words
from callback.store.audit import By
from callback.store.engine import HIGHEST
from callback.store.keys import store_of
from scheduler.clock import HOUR, local, shown

app = typer.Typer(
    help="Decide about a reservation, a number or a loss: hold, call now, postpone, block, erase, release …; all of it"
    " is kept in an audit."
)

Reservation = Annotated[
    int, typer.Argument(min=1, max=HIGHEST, help="The reservation, as `callback queue` numbers it.")
]
Number = Annotated[str, typer.Argument(help="A telephone number, as signalled or with its country: +819012345678.")]


class What(StrEnum):
    """What a number is blocked for."""

    CALLS = "calls"
    TEXTS = "texts"


Only = Annotated[What | None, typer.Option("--only", help="Calls or texts alone; by default both.")]


def _command(name: str, decision: Decision) -> None:
    def command(reservation: Reservation, why: Why, by: Who = None, settings: SettingsFile = DEFAULT) -> None:
        said = _by(by, why)
        _decide(in_force(settings), lambda work: decision(work, reservation, said))

    command.__doc__ = str(decision.__doc__).split(". Raises")[0]
    app.command(name)(command)


for _name, _decision in actions.BY_NAME.items():
    _command(_name, _decision)


@app.command()
def slot(
    reservation: Reservation,
    at: Annotated[str, typer.Argument(help=f"When to call, on the site's clock: {written.HOW}.")],
    why: Why,
    by: Who = None,
    settings: SettingsFile = DEFAULT,
) -> None:
    """Call at the time that the customer chose; it replaces every other promise."""
    wiring, said = in_force(settings), _by(by, why)
    chosen_at = written.instant(at, now_us(), wiring.rules.hours().zone)
    _decide(wiring, lambda work: actions.choose_slot(work, reservation, chosen_at, said))


@app.command()
def postpone(
    reservation: Reservation,
    until: Annotated[str, typer.Argument(help=f"Not before this time, on the site's clock: {written.HOW}.")],
    why: Why,
    by: Who = None,
    settings: SettingsFile = DEFAULT,
) -> None:
    """Do not call before this time; the promise stays as it is. If the customer chose the time, use slot."""
    wiring, said = in_force(settings), _by(by, why)
    until_at = written.instant(until, now_us(), wiring.rules.hours().zone)
    _decide(wiring, lambda work: actions.postpone(work, reservation, until_at, said))


@app.command()
def assign(
    reservation: Reservation,
    to: Annotated[str, typer.Argument(help='Who takes care of it: an agent, or anybody; "" takes it back.')],
    why: Why,
    by: Who = None,
    settings: SettingsFile = DEFAULT,
) -> None:
    """Note who takes care of a reservation: `callback queue` shows it. Which agent's phone rings is up to the queue."""
    said = _by(by, why)
    _decide(in_force(settings), lambda work: actions.assign(work, reservation, to, said))


@app.command()
def block(number: Number, why: Why, only: Only = None, by: Who = None, settings: SettingsFile = DEFAULT) -> None:
    """Neither call nor text a number any more, or one of both; what is open for it is cancelled. It outlives erase."""
    wiring, said = load(settings), _by(by, why)
    e164, calls, texts = e164_of(wiring, number), only is not What.TEXTS, only is not What.CALLS
    _decide(wiring, lambda work: actions.block(work, e164, calls=calls, texts=texts, by=said))


@app.command()
def unblock(number: Number, why: Why, only: Only = None, by: Who = None, settings: SettingsFile = DEFAULT) -> None:
    """Take back a block; what it cancelled stays cancelled."""
    wiring, said = load(settings), _by(by, why)
    e164, calls, texts = e164_of(wiring, number), only is not What.TEXTS, only is not What.CALLS
    _decide(wiring, lambda work: actions.unblock(work, e164, calls=calls, texts=texts, by=said))


@app.command()
def erase(number: Number, why: Why, by: Who = None, settings: SettingsFile = DEFAULT) -> None:
    """Forget whose number this is, for good: what is open for it is cancelled, what the texts said is removed.

    Blocks stay, as a hash. The journal still holds what the PBX said of the calls, for seven days at most; the PBX's
    own logs and recordings, the gateway's records, and the site's backups are not ours to erase. Lines, log and
    --events-json hold masked numbers alone, unless [logs] numbers is "full" (docs/privacy.md).
    """
    wiring, said = load(settings), _by(by, why)
    e164 = e164_of(wiring, number)
    _decide(wiring, lambda work: actions.erase(work, e164, said))
    with closing(store_of(wiring.database)) as store:
        store.forget_overwritten()
    typer.echo("the journal holds what the PBX said of the calls for seven days more at most; backups, as long as kept")
    if wiring.logs.numbers == "full":
        typer.echo(
            '[logs] numbers is "full": the log and the files of --events-json hold this number until you delete them'
        )


@app.command()
def release(
    call: Annotated[str, typer.Argument(help="The call, as `callback reservation unreserved` names it.")],
    why: Why,
    number: Annotated[
        str | None, typer.Option(help="Whose call it was, with the country: where it may be two people's number.")
    ] = None,
    by: Who = None,
    settings: SettingsFile = DEFAULT,
) -> None:
    """Call back who was lost in this call (late news, a refused number); without this act nobody would be."""
    said = _by(by, why)
    _decide(in_force(settings), lambda work: actions.release(work, call, said, number))


@app.command()
def correct(
    which: Annotated[
        str, typer.Argument(help="A reservation, for its last loss; or a call, as `find --json` names it.")
    ],
    kind: Annotated[str, typer.Argument(help=f"What it was: {', '.join(corrections.KINDS)}.")],
    why: Why,
    reason: Annotated[str | None, typer.Option(help="More exactly, in a verdict's words: docs/verdicts.md.")] = None,
    *,
    preview: Annotated[bool, typer.Option("--preview", help="Say what would follow, and change nothing.")] = False,
    by: Who = None,
    settings: SettingsFile = DEFAULT,
) -> None:
    """Correct the verdict on a call, and do what follows: not lost, its reservation is withdrawn; lost, one is made."""
    wiring, said, now = in_force(settings), _by(by, why), now_us()
    call = which
    if which.isdecimal():
        with reading(wiring) as work:
            call = corrections.last_call(work, int(which))
    correction = corrections.Correction(call, kind, reason)
    if not preview:
        _decide(wiring, lambda work: corrections.correct(work, correction, said))
        return
    with closing(store_of(wiring.database)) as store:
        told, _ = corrections.preview(
            lambda do: transact(store, lambda connection: current(connection, wiring, now), now, do),
            correction,
            said,
            lambda work: work.now,
        )
    for line in corrected.said(told, speech(now, wiring.rules.hours().zone)):
        terminal.say(line)
    terminal.say("nothing was changed: this was a preview")


@app.command(name="unreserved")
def list_unreserved(
    settings: SettingsFile = DEFAULT,
    hours: Annotated[int, typer.Option(min=1, max=24 * 3650, help="Those of the last so many hours.")] = 24,
    limit: Limit = 200,
) -> None:
    """Show the losses for which nobody is called back, and why; release makes a reservation of one."""
    wiring = in_force(settings)
    zone = wiring.rules.hours().zone
    with reading(wiring) as work:
        rows = unreserved(work, work.now - hours * HOUR, limit)
    if not rows:
        terminal.say(f"Everybody who was lost in the last {hours} hours has a reservation.")
        return
    cells = [
        (
            row.call_id,
            f"{local(row.started_at, zone):%m-%d %H:%M}",
            row.caller,
            row.queue or "no queue",
            row.kind,
            row.reason,
        )
        for row in rows
    ]
    heads = ("call", "lost at", "number", "queue", "lost as", "not called back because")
    terminal.put(terminal.table(heads, cells, sentences={"number", heads[-1]}))
    if len(rows) == limit:
        terminal.say(f"There may be more than these {limit} (--limit)")


@app.command()
def history(reservation: Reservation, settings: SettingsFile = DEFAULT) -> None:
    """Show who decided what about a reservation, how it stands, and whether these rows were changed."""
    wiring = in_force(settings)
    with reading(wiring) as work:
        clock = _clock(wiring, work.now)
        row = actions.look_up(work, reservation)
        rows = audit.about(work.connection, row.id, row.incident_id)
        broken = audit.broken_among(work.connection, rows)
    terminal.say(f"#{row.id} {row.e164} in {row.queue}: {row.state} since {clock(row.state_since_at)}")
    if not rows:
        terminal.say("nobody has decided anything about it")
    for one in rows:
        said = audit_words.words(one.action, one.facts, clock)
        terminal.say(f"{local(one.at, wiring.rules.hours().zone):%Y-%m-%d %H:%M:%S}  {said}  {one.who}: {one.why}")
    if broken is not None:
        raise CallbackError(f"the audit was tampered with: its chain is broken at {broken}")


def _clock(wiring: Settings, now: int) -> Callable[[int], str]:
    """Say instants on the site's clock."""
    zone = wiring.rules.hours().zone
    return lambda at: shown(at, now, zone)


def _decide(wiring: Settings, decide: Callable[[Work], object]) -> None:
    """Decide, say what was done, and how the reservation stands then."""
    now = now_us()
    clock = _clock(wiring, now)
    with closing(store_of(wiring.database)) as store:
        told = transact(store, lambda connection: current(connection, wiring, now), now, decide)
        for happened in told:
            terminal.say(_line(happened, clock))
        whose = (happened.facts.get("reservation") for happened in told)
        with looking(store, wiring) as work:
            for reservation in dict.fromkeys(one for one in whose if one is not None):
                for row in Queue(work).by_id([reservation]):
                    if row.lane:
                        terminal.say(f"#{reservation} now: {queue_table.stands(row, work.site.hours.zone)}")


def _line(happened: Happened, clock: Callable[[int], str]) -> str:
    """Say what was done."""
    event, reservation = happened.event, happened.facts.get("reservation")
    whose = "" if reservation is None else f"#{reservation} "
    done = audit_words.words(event.action, event.about, clock) if isinstance(event, Decided) else happened.name
    return f"{whose}{done}"


def _by(who: str | None, why: str) -> By:
    if who in {audit.CUSTOMER, audit.SERVICE}:
        raise CallbackError(f"--by {who}: that stands for the {who} itself; name the person who decides")
    return By(who or user(), why)
