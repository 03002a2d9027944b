"""The live view of a reservation: its row as the queue has it, what comes next, and its timeline."""

from __future__ import annotations

from dataclasses import dataclass

from callback.errors import CallbackError
from callback.events import Event
from callback.reports.queue.lanes import LANES
from callback.web.console.live.views import Address, Audience, Factory, Look, Rendered, hashed
from callback.web.console.number import number_in
from callback.web.console.parts import Console
from callback.web.console.queue.asked import USUAL
from callback.web.console.reservation.content import SHOWN, Content, Show, read

PARTS = ("next", "timeline")
"""Parts of the page, by the HTML id that each has."""


def show_of(said: str) -> Show:
    """Of whom the timeline is to tell. CallbackError where that is nobody."""
    for one in SHOWN:
        if said == one:
            return one
    raise CallbackError("there is no such part of a timeline")


@dataclass(frozen=True, slots=True)
class ReservationView:
    """The view of one reservation for one audience: the page prints the same."""

    console: Console
    audience: Audience
    reservation: int
    show: Show

    def concerns(self, event: Event) -> bool:
        """Whether it tells of this reservation, or of something that keeps many from being called."""
        return event.facts().get("reservation") in {self.reservation, None}

    def render(self, look: Look) -> Rendered:
        """Read and render. NoSuchReservation as the page."""
        queue = look.once("queue", self.console.keeper.queue)
        return self.of(read(queue, self.reservation, self.audience.groups, self.show, self.audience.language))

    def of(self, seen: Content) -> Rendered:
        """Render what was read."""
        pages = self.console.pages
        row = pages.render("queue/row.html", self.audience.language, row=seen.row, columns=USUAL).strip()
        parts = {
            part: hashed(pages.render(f"reservation/{part}.html", self.audience.language, seen=seen).strip())
            for part in PARTS
        }
        if not seen.open:
            return Rendered(dict.fromkeys(LANES, ()), {}, {}, parts)
        lanes = {lane: [seen.row.reservation] if lane == seen.row.lane else [] for lane in LANES}
        return Rendered(lanes, {seen.row.reservation: hashed(row)}, {}, parts)


def factory(console: Console) -> Factory:
    """Make the views of reservations: `/stream/reservation/812?show=all`."""

    def make(audience: Audience, address: Address) -> ReservationView:
        if (reservation := number_in(address.of)) is None:
            raise CallbackError("there is no such live page")
        return ReservationView(console, audience, reservation, show_of(address.query.get("show", "all")))

    return make
