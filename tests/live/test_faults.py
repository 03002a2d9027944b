"""The whole of `make faults` with one of its faults: a real site, and nothing lost, rung twice or texted twice."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from lab.fetch import AsteriskTree
from lab.postgres import Binaries

pytestmark = [pytest.mark.live, pytest.mark.postgresql]


@pytest.mark.timeout(240)
def test_a_site_whose_pbx_is_killed(asterisk_tree: AsteriskTree, postgres_binaries: Binaries) -> None:
    command = [sys.executable, "-m", "lab.faults", "--seconds", "1", "pbx-killed"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    told = json.loads(ran.stdout.splitlines()[-1])
    assert (told["lost"], told["double_dials"], told["double_texts"], told["faults"]) == (0, 0, 0, 1)
    assert told["calls"] > 0
    assert all({"verdict", "callback", "text"} <= set(signs) for signs in told["recovered_s"].values())
