"""The alert rules, read by a real promtool: sound, of metrics that exist, and firing when they must."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from callback.operations.metrics.families import ALL, BY_NAME
from lab import prometheus
from lab.errors import LabError
from tests.parts import missing

REPOSITORY: Final = Path(__file__).parents[2]
RULES: Final = REPOSITORY / "deploy" / "prometheus" / "alerts.yml"
DASHBOARD: Final = REPOSITORY / "deploy" / "grafana" / "lost-calls.json"
_NAME: Final = re.compile(r"\blcr_[a-z0-9_]+")
_OF_HISTOGRAM: Final = ("_bucket", "_sum", "_count")
NAMES: Final = {one.name for one in ALL} | {
    one.name + end for one in ALL if one.kind == "histogram" for end in _OF_HISTOGRAM
}


@pytest.fixture(scope="session")
def binaries() -> prometheus.Binaries:
    try:
        return prometheus.find()
    except LabError as error:
        missing(f"Prometheus: {error}")


def queries() -> list[tuple[str, str]]:
    """Each panel's queries, as Grafana would ask them."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [
        (panel["title"], target["expr"].replace("$__rate_interval", "5m").replace("$pbx", ".*"))
        for panel in panels
        for target in panel.get("targets", ())
    ]


def test_the_rules_are_sound(binaries: prometheus.Binaries) -> None:
    status, said = binaries.tool("check", "rules", str(RULES))
    assert status == 0, said


def test_every_panels_query_is_sound(binaries: prometheus.Binaries, tmp_path: Path) -> None:
    rules = [{"record": f"lcr:panel_{n}", "expr": expr} for n, (_, expr) in enumerate(queries())]
    file = tmp_path / "panels.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    status, said = binaries.tool("check", "rules", str(file))
    assert status == 0, said


@pytest.mark.parametrize(("title", "expr"), queries())
def test_every_panel_names_metrics_and_labels_that_exist(title: str, expr: str) -> None:
    names = set(_NAME.findall(expr))
    assert names, title
    assert names <= NAMES, title


def test_every_rule_names_metrics_that_exist_and_a_remedy() -> None:
    text = RULES.read_text()
    assert set(_NAME.findall(text)) <= NAMES
    assert text.count("- alert:") == text.count("remedy:") == text.count("severity:")
    named = {BY_NAME[one].name for one in set(_NAME.findall(text)) if one in BY_NAME}
    assert {"lcr_promises_at_risk", "lcr_ami_connected", "lcr_put_aside_total", "lcr_trouble"} <= named


CASES: Final[list[dict[str, Any]]] = [
    {
        "series": 'lcr_ami_connected{pbx="main",node="one",role="all"}',
        "values": "1x5 0x10",
        "at": "10m",
        "alert": "LostCallsPbxCut",
        "labels": {"severity": "page", "pbx": "main"},
    },
    {
        "series": 'lcr_lease_left_seconds{pbx="main",lease="pbx:main"}',
        "values": "8x3 -60x10",
        "at": "8m",
        "alert": "LostCallsNobodyListens",
        "labels": {"severity": "page", "pbx": "main"},
    },
    {
        "series": 'lcr_texts_not_arrived_total{pbx="main",code="30007"}',
        "values": "0x5 1x20",
        "at": "10m",
        "alert": "LostCallsTextsFiltered",
        "labels": {"severity": "page", "pbx": "main"},
    },
    {
        "series": 'lcr_put_aside_total{pbx="main"}',
        "values": "0x5 1x20",
        "at": "10m",
        "alert": "LostCallsPutAside",
        "labels": {"severity": "page", "pbx": "main"},
    },
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["alert"]))
def test_a_rule_fires_when_it_must_and_not_before(
    binaries: prometheus.Binaries, tmp_path: Path, case: dict[str, Any]
) -> None:
    def asked(at: str, *fires: dict[str, Any]) -> dict[str, Any]:
        return {"eval_time": at, "alertname": case["alert"], "exp_alerts": [{"exp_labels": one} for one in fires]}

    test = {
        "interval": "1m",
        "input_series": [{"series": case["series"], "values": case["values"]}],
        "alert_rule_test": [asked("2m")],
    }
    firing = {**test, "alert_rule_test": [asked(case["at"], case["labels"])]}
    quiet, fired = _status(binaries, tmp_path, test), _status(binaries, tmp_path, firing)
    assert quiet[0] == 0, quiet[1]
    assert "got:[]" not in fired[1].replace(" ", ""), fired[1]  # annotations are words, and may change


def _status(binaries: prometheus.Binaries, folder: Path, test: dict[str, Any]) -> tuple[int, str]:
    file = folder / "test.yml"
    file.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}))
    return binaries.tool("test", "rules", str(file))
