"""What people decide about campaigns: made, changed, built, started, stopped, ended, and told to callers.

Each is kept in the audit with who said so and why. A campaign belongs to the group of its queue: whoever sees only some
groups decides about those alone, and only about callers of these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from callback.accounts.roles import Groups
from callback.campaigns import audience, campaign, numbers_file, waves
from callback.campaigns import states as life
from callback.campaigns.campaign import CampaignFault, Draft
from callback.campaigns.numbers_file import NumbersFile
from callback.decisions.batch import NoReason
from callback.decisions.reasons import NONE_GIVEN
from callback.site.groups import is_of
from callback.site.telling import tell
from callback.site.work import Work
from callback.store.audit import By
from scheduler.clock import HOUR, MINUTE

LONGEST_HOOK: Final = 72 * HOUR


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a file: how many it names who are new in the audience, and the file as it was read."""

    new: int
    file: NumbersFile


def make(work: Work, draft: Draft, by: By, groups: Groups = None) -> int:
    """Make a campaign, a draft at first, and give its number. CampaignFault says what cannot be."""
    _theirs(work, draft, groups)
    number = campaign.make(work, draft, by.who)
    _keep(work, by, "campaign-made", number, {"name": draft.name.strip()})
    return number


def change(work: Work, number: int, draft: Draft, by: By, groups: Groups = None) -> None:
    """Let a campaign that was never started say something else, or tell others; then it has to be built again."""
    _theirs(work, draft, groups)
    campaign.change(work, campaign.lock(work, number, groups), draft)
    _keep(work, by, "campaign-changed", number, {"name": draft.name.strip()})


def add_numbers(work: Work, number: int, read: NumbersFile, by: By, groups: Groups = None) -> Taken:
    """Take the people of a file into the audience of a campaign that was never started.

    `read` is numbers_file.read, done before: to read very many numbers takes longer than a transaction may.
    """
    one = campaign.lock(work, number, groups)
    state = life.after(one.state, "changed")
    new = audience.name(work, one, read.named)
    campaign.put(work, one, {"state": state})
    _keep(work, by, "campaign-numbers", number, {"named": len(read.named), "new": new, "refused": read.refused_count})
    return Taken(new, read)


def remove_numbers(work: Work, number: int, by: By, groups: Groups = None) -> int:
    """Take out again whom files named; give how many these were."""
    one = campaign.lock(work, number, groups)
    state = life.after(one.state, "changed")
    gone = audience.forget_named(work, one)
    campaign.put(work, one, {"state": state})
    _keep(work, by, "campaign-numbers-removed", number, {"named": gone})
    return gone


def build(work: Work, number: int, by: By, groups: Groups = None) -> int:
    """Gather whom it tells, and leave out who is not to be told; give how many people it is about in all."""
    one = campaign.lock(work, number, groups)
    life.after(one.state, "built")  # before all the work
    people = audience.build(work, one)
    campaign.move(work, one, "built", by.who, people=people, built_at=work.now)
    _keep(work, by, "campaign-built", number, {"people": people})
    return people


def start(work: Work, number: int, by: By, groups: Groups = None) -> None:
    """Begin to tell people, or go on with those who were not told before it was stopped. It needs a reason."""
    _needs_reason(by)
    one = campaign.lock(work, number, groups)
    life.after(one.state, "started")
    if not campaign.switched_on(work, one.queue):
        raise CampaignFault(
            f'nobody may be told in the name of {one.queue} now: texts = "on" and [rules.queues.{one.queue}.care]'
            " campaigns = true are needed, and no pause of its texts"
        )
    first = {"started_at": work.now} if one.started_at is None else {}
    campaign.move(work, one, "started", by.who, told_until_at=work.now, **first)
    _keep(work, by, "campaign-started", number, {"people": one.people, "told": one.told})


def stop(work: Work, number: int, by: By, groups: Groups = None) -> int:
    """Stop it at once: what waits in the outbox is taken back with this transaction. Give how many these were.

    Only texts that the gateway has been given already can still arrive. Whoever was not told can be told later.
    """
    one = campaign.lock(work, number, groups)
    life.after(one.state, "stopped")
    back = waves.take_back(work, one)
    campaign.move(work, one, "stopped", by.who, told=one.told - back)
    _keep(work, by, "campaign-stopped", number, {"told": one.told - back, "taken_back": back})
    return back


def finish(work: Work, number: int, by: By, groups: Groups = None) -> None:
    """End a campaign that is stopped, for good: the others are not told any more. It needs a reason."""
    _needs_reason(by)
    one = campaign.lock(work, number, groups)
    campaign.move(work, one, "finished", by.who, ended_at=work.now)
    _keep(work, by, "campaign-finished", number, {"people": one.people, "told": one.told})


def tell_callers(work: Work, number: int, for_us: int | None, by: By, groups: Groups = None) -> int | None:
    """Let the dialplan tell those who call, and lead them to the queue for it, for so long; None: no more.

    Give until when. The campaign may be in any state: callers may be told before, and longer than, people are texted.
    """
    one = campaign.lock(work, number, groups)
    if for_us is not None and not MINUTE <= for_us <= LONGEST_HOOK:
        raise CampaignFault("callers are told for a minute at least, and for 72 hours at most; then say so again")
    if for_us is not None and not work.site.rules.queue(one.queue).care.campaigns:
        raise CampaignFault(f"campaigns are off in {one.queue}: set [rules.queues.{one.queue}.care] campaigns = true")
    until_at = None if for_us is None else work.now + for_us
    campaign.put(work, one, {"hook_until_at": until_at})
    _keep(work, by, "campaign-hook", number, {"until_at": until_at})
    return until_at


def read_numbers(work: Work, content: bytes) -> NumbersFile:
    """Read a file of numbers as those of this site are; before the transaction that takes it."""
    trunk = next(iter(work.site.trunks.values()))
    return numbers_file.read(content, trunk, work.site.texting.templates.languages)


def _theirs(work: Work, draft: Draft, groups: Groups) -> None:
    """Who sees only some groups tells callers of these alone, and names their queues."""
    if groups is None:
        return
    if not draft.criteria.queues and draft.criteria.calls:
        raise CampaignFault("name the queues whose callers it is about: you see only some of them")
    for queue in (draft.queue, *draft.criteria.queues):
        if not is_of(work.site, queue, groups):
            raise CampaignFault(f"{queue} is a queue of another group")


def _needs_reason(by: By) -> None:
    if by.why == NONE_GIVEN:
        raise NoReason("say why: a campaign that is started or ended needs a reason")


def _keep(work: Work, by: By, action: str, number: int, facts: dict[str, Any]) -> None:
    tell(work, by, action, {"campaign": number, **facts})
