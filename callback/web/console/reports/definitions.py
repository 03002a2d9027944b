"""What each figure of a report is called and counts: said beside it, and listed below the page."""

from __future__ import annotations

from typing import Final, NamedTuple


def _(sentence: str) -> str:
    """Mark a sentence for the catalogues."""
    return sentence


class Definition(NamedTuple):
    """What a figure is called, and what it counts."""

    word: str
    means: str


DEFINITIONS: Final[dict[str, Definition]] = {
    "calls": Definition(
        _("calls"),
        _(
            "Customers' calls that came to a queue, by when they began; imported logs count where the service did "
            "not listen itself."
        ),
    ),
    "lost": Definition(_("lost"), _("Calls that ended without the customer being served.")),
    "numberless": Definition(_("without a number"), _("Lost calls whose number nobody can call back.")),
    "short": Definition(
        _("hung up at once"), _("Calls that ended after so few seconds that the rules owe them no callback.")
    ),
    "valid": Definition(
        _("promises"),
        _(
            "Callbacks that were promised, by when they were made; refused numbers and calls that were not lost "
            "do not count."
        ),
    ),
    "carried_over": Definition(_("carried over"), _("Promises that were for the next opening.")),
    "due": Definition(_("due"), _("Promises whose 30 (60) minutes are over.")),
    "dialled": Definition(
        _("dialled"),
        _("Of the promises whose 30 (60) minutes are over, those whose customer was first rung in that time."),
    ),
    "reached": Definition(
        _("reached"),
        _("Of the promises whose 30 (60) minutes are over, those whose customer talked with an agent in that time."),
    ),
    "closed": Definition(
        _("closed by rule"),
        _(
            "Of the promises whose 30 (60) minutes are over, those that were reached, returned by themselves, "
            "given up after all tries, cancelled or done elsewhere in that time."
        ),
    ),
    "missed": Definition(
        _("missed"),
        _("Promises that were broken: nobody had rung the customer, or closed the callback by rule, when they ended."),
    ),
    "first_try": Definition(
        _("time to the first try"),
        _(
            "From the start of the promise until the customer was first rung; half of them took less than the "
            "first figure, nine in ten less than the second."
        ),
    ),
    "reach": Definition(
        _("time to reach"),
        _(
            "From the start of the promise until the customer talked with an agent; half of them took less than "
            "the first figure, nine in ten less than the second."
        ),
    ),
    "tries": Definition(_("tries a reach"), _("Tries that counted, divided by customers reached.")),
    "returned": Definition(
        _("returned by themselves"), _("Customers who called again and were served before we called.")
    ),
    "left": Definition(_("left to people"), _("Nobody was reached in time: people are to call.")),
    "handled": Definition(_("dealt with by people"), _("Of those left to people, those with whom somebody has dealt.")),
    "by_hand": Definition(_("called by hand"), _("Callbacks that an agent's own call settled.")),
    "withdrawn": Definition(
        _("not lost after all"), _("Withdrawn by a person, or by a better verdict: they do not count in the rates.")
    ),
    "refused": Definition(_("refused numbers"), _("Numbers that are not called back, and do not count in the rates.")),
    "texts_sent": Definition(_("texts sent"), _("Texts about these callbacks that a gateway took.")),
    "texts_delivered": Definition(_("texts delivered"), _("Texts that arrived, as the gateway reports.")),
    "texts_failed": Definition(_("texts failed"), _("Texts that were refused, or did not arrive.")),
    "satisfaction": Definition(
        _("satisfaction"), _("The mean of what customers answered, 1 to 5, and how many answered.")
    ),
    "called_back": Definition(
        _("rang again though called back"),
        _(
            "Of the lost callers whom we rang within 60 minutes, before they called again: those who called again "
            "within these."
        ),
    ),
    "not_called_back": Definition(
        _("rang again, not called back"),
        _("Of the lost callers whom we did not ring within 60 minutes: those who called again within these."),
    ),
}
RATES: Final = ("dialled", "reached", "closed")
