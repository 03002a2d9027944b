"""`callback case …`: complaints and customers who were not content, until they say that it is solved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from callback.cli.care import importing
from callback.cli.care.deciding import Heard, Reason, actor_of, decided, heard
from callback.cli.options import DEFAULT, Limit, SettingsFile, Who, in_force, no_option, reading
from callback.cli.tables import care, terminal
from callback.clock import now_us
from callback.decisions.care import cases as deciding
from callback.decisions.care.acting import Actor, AskedCase
from callback.decisions.care.registering import Complaint, register
from callback.errors import CallbackError
from callback.reports.care import cases as listing
from callback.reports.care import whole
from callback.settings.sections import Settings
from callback.site import written
from callback.site.work import Work
from callback.store.engine import HIGHEST

app = typer.Typer(
    help="Complaints and customers who were not content: register, assign, answer, and write down what the customer"
    " said. By itself: the list."
)
Number = Annotated[int, typer.Argument(min=1, max=HIGHEST, help="The case, as `callback case` numbers it.")]
Words = Annotated[str, typer.Argument(help="What is written down, of at most 2000 characters.")]
Said = Annotated[str, typer.Option("--words", help="What the customer said, of at most 2000 characters.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object in each line.")]
Queue = Annotated[str, typer.Option("--queue", "-q", help="Of this queue alone.")]


@app.callback(invoke_without_command=True)
def by_itself(context: typer.Context, settings: SettingsFile = DEFAULT) -> None:
    """Show the open cases, the most urgent first."""
    if context.invoked_subcommand is None:
        show_list(settings)


@app.command("list")
def show_list(
    settings: SettingsFile = DEFAULT,
    *,
    queue: Queue = "",
    department: Annotated[str, typer.Option(help="Of this department alone.")] = "",
    topic: Annotated[str, typer.Option(help="Of this topic and all that hangs on it.")] = "",
    overdue: Annotated[bool, typer.Option("--overdue", help="Those whose clock has run out.")] = False,
    ended: Annotated[bool, typer.Option("--ended", help="Those that have ended, instead.")] = False,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Show cases: those that wait for us by their clocks, then those that wait for the customer's word.

    Example: callback case list --department billing --overdue
    """
    wanted = listing.Wanted(
        ended=ended, queue=queue, department=department, topic=topic, due="overdue" if overdue else None
    )
    with reading(in_force(settings)) as work:
        page = listing.page(work, wanted, most=limit)
        care.put_cases(work, page.cases, as_json=as_json)
    if page.after is not None and not as_json:
        terminal.say(f"There are more than these {limit} (--limit)")


@app.command()
def show(number: Number, settings: SettingsFile = DEFAULT, *, as_json: AsJson = False) -> None:
    """Show one case: what the customer said, its clock, and each step since."""
    with reading(in_force(settings)) as work:
        found = whole.whole(work, number)
        if found is None:
            raise CallbackError(f"there is no case {number} here; `callback case list --ended` shows those that ended")
        care.put_case(work, found, as_json=as_json)


@app.command("register")
def register_one(
    number: Annotated[str, typer.Argument(help="The customer's number, as signalled or with its country.")],
    words: Annotated[str, typer.Argument(help="What the customer says.")],
    queue: Annotated[str, typer.Option("--queue", "-q", help="Whose customer it is: care.cases must be on there.")],
    settings: SettingsFile = DEFAULT,
    *,
    topic: Annotated[str, typer.Option(help="Of [rules.care.topics]: billing/wrong-amount.")] = "",
    product: Annotated[str, typer.Option(help="What it is about.")] = "",
    department: Annotated[str, typer.Option(help="Of [rules.care.departments]: it gets a letter.")] = "",
    severity: Annotated[int, typer.Option(min=1, max=3, help="1 slight, 2 serious, 3 grave.")] = 1,
    wish: Annotated[str, typer.Option(help="What the customer wants.")] = "",
    promised: Annotated[str, typer.Option(help="What the customer was promised.")] = "",
    promised_by: Annotated[str, typer.Option("--promised-by", help=f"By when: {written.HOW}.")] = "",
    owner: Annotated[str, typer.Option(help="Who is in charge; by default whom the department names.")] = "",
    reference: Annotated[str, typer.Option(help="What another system calls it; the same twice is one case.")] = "",
    by: Who = None,
) -> None:
    """Register a complaint: its clock starts, and the department is written to.

    One that the same customer has open about the same topic gets one more step instead.

    Example: callback case register +819012345678 "charged twice" -q support --topic billing/wrong-amount
    """
    wiring = in_force(settings)
    until = written.instant(promised_by, now_us(), wiring.rules.hours().zone) if promised_by else None
    complaint = Complaint(
        queue=queue, number=number, topic=topic, product=product, department=department, severity=severity,
        words=words, wish=wish, owner=owner, promised=promised, promised_by_at=until, reference=reference or None,
    )  # fmt: skip
    opened = decided(wiring, lambda work: register(work, complaint, actor_of(by, "registered at the terminal")))
    if not opened.made:
        terminal.say("it was known already, or is open: no new case was made")
    _told(wiring, opened.case)


@app.command()
def assign(
    number: Number,
    why: Reason,
    owner: Annotated[str | None, typer.Option("--to", help='Who is in charge; "": nobody.')] = None,
    department: Annotated[str | None, typer.Option(help='Which department; it gets a letter. "": none.')] = None,
    by: Who = None,
    settings: SettingsFile = DEFAULT,
) -> None:
    """Put a person, a department or both in charge. A case that was answered goes back with that."""
    if owner is None and department is None:
        raise CallbackError("say who: --to PERSON, --department NAME, or both")
    _act(settings, number, actor_of(by, why), lambda work, asked, actor: deciding.assign(
        work, asked, actor, owner=owner, department=department
    ))  # fmt: skip


@app.command()
def answer(number: Number, words: Words, by: Who = None, settings: SettingsFile = DEFAULT) -> None:
    """Write down what was done about it, or answered: the first repair. The customer is asked whether it is solved."""
    actor = actor_of(by, "answered at the terminal")
    _act(settings, number, actor, lambda work, asked, actor: deciding.answer(work, asked, words, actor))


@app.command()
def confirm(number: Number, how: Heard, said: Said = "", by: Who = None, settings: SettingsFile = DEFAULT) -> None:
    """Write down that the customer said it is solved; it closes ten minutes later, and until then deny undoes it."""
    _hear(deciding.confirm, number, how, said, by, settings)


@app.command()
def deny(number: Number, how: Heard, said: Said = "", by: Who = None, settings: SettingsFile = DEFAULT) -> None:
    """Write down that the customer said it is not solved: it goes on, and is due at once."""
    _hear(deciding.deny, number, how, said, by, settings)


@app.command()
def withdraw(number: Number, how: Heard, said: Said = "", by: Who = None, settings: SettingsFile = DEFAULT) -> None:
    """Write down that the customer takes it back: nothing more is owed."""
    _hear(deciding.withdraw, number, how, said, by, settings)


@app.command()
def note(number: Number, words: Words, by: Who = None, settings: SettingsFile = DEFAULT) -> None:
    """Write something down in a case, also in one that has ended; nothing follows."""
    wiring, actor = in_force(settings), actor_of(by, "noted at the terminal")
    decided(wiring, lambda work: deciding.note(work, number, words, actor))
    _told(wiring, number)


@app.command("import")
def import_file(
    file: Annotated[
        Path,
        typer.Argument(
            callback=no_option, exists=True, dir_okay=False, help="A CSV file; its first line names columns."
        ),
    ],
    settings: SettingsFile = DEFAULT,
    *,
    queue: Annotated[str, typer.Option("--queue", "-q", help="Of those lines that name no queue.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would follow, and change nothing.")] = False,
    bad_lines: Annotated[int, typer.Option(min=0, max=1000, help="How many bad lines are listed.")] = 100,
    by: Who = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, in the last line.")] = False,
) -> None:
    """Register the complaints of a file. The same file again changes nothing; a bad line keeps no other out.

    Columns: number and words, which have to be there; queue, topic, product, department, severity (1 to 3), wish,
    opened (when the customer complained: its clock runs since then) and reference (what the other system calls it).
    UTF-8 or GB18030; commas, semicolons or tabs. The status is 1 where a line could not be used: mend it there, and
    import the whole file again.

    Example: callback case import complaints.csv --queue support --dry-run
    """
    wiring, actor = in_force(settings), actor_of(by, f"imported from {file.name}"[:200])
    found = importing.imported(wiring, file, queue, actor, dry=dry_run)
    importing.put(found, dry=dry_run, most=bad_lines, as_json=as_json)
    if found.bad_count:
        raise typer.Exit(1)


def _act(file: Path, number: int, actor: Actor, act: Callable[[Work, AskedCase, Actor], None]) -> None:
    wiring = in_force(file)
    decided(wiring, lambda work: act(work, AskedCase(number), actor))
    _told(wiring, number)


def _hear(act: Callable[..., None], number: int, how: str, said: str, by: str | None, file: Path) -> None:
    way, actor = heard(how), actor_of(by, "heard from the customer")
    _act(file, number, actor, lambda work, asked, actor: act(work, asked, way, actor, said))


def _told(wiring: Settings, number: int) -> None:
    """Say how a case stands."""
    with reading(wiring) as work:
        found = listing.one(work, number)
        if found is not None:
            terminal.say(care.stands(work, found))
