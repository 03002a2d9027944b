"""Who was logged in, and not paused."""

import pytest

from telephony.ids import SECOND
from telephony.queue_log.logins import Logins
from tests.telephony.queue_log.logs import T, entries

CASES = {
    "comes and goes, by queue": (
        """0 MANAGER support Ann ADDMEMBER |
           5 MANAGER sales Ann ADDMEMBER |
           9 MANAGER support Ann REMOVEMEMBER |
           12 MANAGER sales Ann REMOVEMEMBER |""",
        [("Ann", "support", 0, 9), ("Ann", "sales", 5, 12)],
    ),
    "still there at the end": ("0 MANAGER support Ann ADDMEMBER |", [("Ann", "support", 0, 100)]),
    "pauses in one queue": (
        """0 MANAGER support Ann ADDMEMBER |
           0 MANAGER sales Ann ADDMEMBER |
           4 NONE support Ann PAUSE lunch
           8 NONE support Ann UNPAUSE |""",
        [("Ann", "support", 0, 4), ("Ann", "support", 8, 100), ("Ann", "sales", 0, 100)],
    ),
    "pauses in all, which is written for each and for all": (
        """0 MANAGER support Ann ADDMEMBER |
           0 MANAGER sales Ann ADDMEMBER |
           4 NONE NONE Ann PAUSEALL |
           4 NONE support Ann PAUSE |
           8 NONE NONE Ann UNPAUSEALL |
           8 NONE sales Ann UNPAUSE |""",
        [("Ann", "support", 0, 4), ("Ann", "sales", 0, 4), ("Ann", "support", 8, 100), ("Ann", "sales", 8, 100)],
    ),
    "begins with a pause": (
        "0 MANAGER support Ann ADDMEMBER PAUSED\n9 NONE support Ann UNPAUSE |",
        [("Ann", "support", 9, 100)],
    ),
    "an agent of the pool": (
        "0 .1 NONE Agent/1 AGENTLOGIN SIP/1\n5 .1 NONE Agent/1 AGENTLOGOFF SIP/1|5",
        [("Agent/1", "", 0, 5)],
    ),
    "one who is called back to work, in old versions": (
        """0 .1 NONE Agent/1 AGENTCALLBACKLOGIN 1@a
           5 NONE support Agent/1 PAUSE |
           7 NONE NONE Agent/1 AGENTCALLBACKLOGOFF 1@a""",
        [("Agent/1", "", 0, 5)],
    ),
    "a restart of the PBX ends nothing": (
        "0 MANAGER support Ann ADDMEMBER |\n5 NONE NONE NONE QUEUESTART |\n9 MANAGER support Ann REMOVEMEMBER |",
        [("Ann", "support", 0, 9)],
    ),
    "logged in twice": (
        "0 MANAGER support Ann ADDMEMBER |\n5 MANAGER support Ann ADDMEMBER |\n9 MANAGER support Ann REMOVEMEMBER |",
        [("Ann", "support", 0, 9)],
    ),
    "came before the log began, or nobody": (
        "0 MANAGER support Ann REMOVEMEMBER |\n1 NONE support Ann PAUSE |\n2 MANAGER support NONE ADDMEMBER |",
        [],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_stints(name: str) -> None:
    log, stints = CASES[name]
    logins = Logins()
    for entry in entries(log):
        logins.put(entry)
    found = [
        (one.agent, one.queue, one.since // SECOND - T, one.until // SECOND - T)
        for one in logins.until((T + 100) * SECOND)
    ]
    assert sorted(found) == sorted(stints)
