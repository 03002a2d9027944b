"""What people decide about the sample of a campaign: it is drawn, each of it is scored, and it is called off."""

from __future__ import annotations

import secrets

from callback.accounts.roles import Groups
from callback.campaigns import asking, sample
from callback.campaigns import campaign as campaigns
from callback.campaigns.asking import Blank
from callback.campaigns.sample import Drawn, Wish
from callback.site.telling import tell
from callback.site.work import Work
from callback.store.audit import By


def new_seed() -> int:
    """A seed that nobody chose."""
    return secrets.randbelow(sample.HIGHEST_SEED + 1)


def draw(work: Work, campaign: int, wish: Wish, by: By, groups: Groups = None) -> Drawn:
    """Draw a sample, and keep by which seed. Raises what `sample.draw` raises."""
    drawn = sample.draw(work, campaign, wish, by.who, groups)
    facts = {"campaign": campaign, "round": drawn.round, "seed": drawn.seed, "people": drawn.size}
    tell(work, by, "sample-drawn", facts)
    return drawn


def score(work: Work, key: asking.Key, said: int | Blank, by: By, groups: Groups = None) -> None:
    """Keep what a person of a sample (campaign, round, person) said, or why nothing. NoSuchCampaign, NotAsked."""
    campaigns.look(work, key[0], groups)
    reservation = asking.score(work, key, said, by.who)
    facts = {"campaign": key[0], "round": key[1], "person": key[2], "score": said}
    tell(work, by, "sample-scored", facts, reservation)


def call_off(work: Work, campaign: int, number: int, by: By, groups: Groups = None) -> int:
    """Call nobody of a round any more who was not called yet, and give how many that are."""
    many = asking.call_off(work, campaign, number, groups)
    facts = {"campaign": campaign, "round": number, "people": many}
    tell(work, by, "sample-called-off", facts)
    return many
