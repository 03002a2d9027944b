"""How far a campaign is, live: the page prints the same."""

from __future__ import annotations

from dataclasses import dataclass

from callback.campaigns.campaign import Campaign, NoSuchCampaign
from callback.errors import CallbackError
from callback.events import CampaignMoved, Event
from callback.reports.campaigns import progress
from callback.reports.campaigns.progress import Progress
from callback.site.work import Work
from callback.web.console.live.views import Address, Audience, Factory, Look, Rendered, hashed
from callback.web.console.number import number_in
from callback.web.console.parts import Console
from callback.web.console.render import Pages
from callback.web.console.words import Language

PART = "campaign-progress"
"""The part of the page, by its HTML id."""


@dataclass(frozen=True, slots=True)
class Far:
    """A campaign, and how its texts stand."""

    campaign: Campaign
    progress: Progress
    now: int

    @property
    def parts(self) -> list[tuple[str, int]]:
        """All people who are told, or to be told, by where their text is, in the order of the picture."""
        texts = self.progress
        arrived = min(texts.delivered, texts.sent)
        told = [("delivered", arrived), ("sent", texts.sent - arrived), ("unknown", texts.unknown)]
        told += [("failed", texts.failed), ("leaving", texts.waiting + texts.sending)]
        return [*told, ("to-tell", max(0, self.campaign.people - texts.told))]


def far(work: Work, campaign: Campaign) -> Far:
    """Read how far it is."""
    return Far(campaign, progress.progress(work, campaign), work.now)


def printed(pages: Pages, language: Language, seen: Far) -> str:
    """The part as HTML."""
    return hashed(pages.render("campaigns/progress.html", language, seen=seen).strip())


@dataclass(frozen=True, slots=True)
class CampaignView:
    """The view of one campaign for one audience."""

    console: Console
    audience: Audience
    campaign: int

    def concerns(self, event: Event) -> bool:
        """Whether it tells of this campaign; texts that leave are seen by looking again."""
        return isinstance(event, CampaignMoved) and event.campaign == self.campaign

    def render(self, look: Look) -> Rendered:
        """Read and render; nothing of a campaign of another group."""
        try:
            found = progress.one(look.work, self.campaign, self.audience.groups)
        except NoSuchCampaign:
            return Rendered()
        html = printed(self.console.pages, self.audience.language, far(look.work, found))
        return Rendered(parts={PART: html})


def factory(console: Console) -> Factory:
    """Make the views of campaigns: `/stream/campaign/7`."""

    def make(audience: Audience, address: Address) -> CampaignView:
        number = number_in(address.of)
        if number is None:
            raise CallbackError("there is no such live page")
        return CampaignView(console, audience, number)

    return make
