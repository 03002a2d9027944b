"""The fake gateway of `make faults`: it can treat every text alike for a while, and says what it accepted."""

from __future__ import annotations

from lab.faults.records import SECOND, Text
from lab.twilio import Conduct, FakeTwilio

BROKEN = Conduct(accepts=False, answer="error", status=500, code=20500)
"""Each text is refused with a 500."""
SWALLOWS = Conduct(accepts=True, answer="error", status=500, code=20500)
"""Each text is accepted, and answered with a 500."""
SILENT = Conduct(accepts=True, answer="never")
"""Each text is accepted, and never answered: whoever asks gives up, and cannot know."""


class Gateway(FakeTwilio):
    """A gateway whose `usual` conduct can be changed."""

    usual = Conduct()

    def texts(self) -> list[Text]:
        """Every text that it accepted, as it came."""
        return [
            Text(one.to, round(one.created_at.timestamp() * SECOND), one.status_callback.rpartition("/")[2], one.body)
            for one in list(self.accepted)
        ]

    def _conduct(self, number: str) -> Conduct:
        return self.usual if self.usual != Conduct() else super()._conduct(number)
