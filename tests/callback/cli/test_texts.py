"""The commands about texts: what customers are told, what they say, and whom nobody calls."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import insert
from typer.testing import CliRunner, Result

from callback.cli import main as cli
from callback.decisions import replies
from callback.site.templates import texting_of
from callback.store import tables as t
from sms.errors import SmsError
from sms.inbound import Inbound
from sms.text import LANGUAGES, SAMPLES, segments
from tests.callback.world import MINUTE, NOON, US, World, call

SETTINGS = """
[database]
url = "{url}"

[pbx]
username = "lcr"
secret = "hush"

[trunks.main]
region = "JP"
form = "national"

[texts]
templates = "texts"

[rules]
zone = "Asia/Tokyo"
"""


@pytest.fixture
def file(world: World, tmp_path: Path) -> Path:
    """Settings of a site that has wording of its own, on the world's database."""
    path = tmp_path / "callback.toml"
    path.write_text(SETTINGS.format(url=world.store.url), encoding="utf-8")
    own = tmp_path / "texts"
    own.mkdir()
    (own / "en.toml").write_text('lost = "We will ring by {by}."\n', encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(cli.app, [str(word) for word in words])


def test_texts_are_an_array_of_samples(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # where there are no settings yet
    samples = json.loads(run("texts", "--json").stdout)
    assert {tuple(sample) for sample in samples} == {("template", "language", "text", "encoding", "segments")}
    assert {sample["language"] for sample in samples} == set(LANGUAGES)
    assert {sample["template"].split("+")[0] for sample in samples} == set(SAMPLES)
    for sample in samples:
        assert (sample["encoding"], sample["segments"]) == (
            segments(sample["text"]).encoding,
            segments(sample["text"]).count,
        )
        assert sample["segments"] <= 2


def test_texts_show_the_sites_own_wording(file: Path) -> None:
    shown = run("texts", "-s", file).stdout
    assert "We will ring by 11-24 21:30." in shown
    assert "Another time, or none: https://callback.example.com/r/" in shown


def test_wording_that_cannot_be_sent_is_told_before_the_service_begins(file: Path) -> None:
    (file.parent / "texts" / "en.toml").write_text('lost = "{nonsense}"\n', encoding="utf-8")
    result = run("texts", "-s", file)
    assert isinstance(result.exception, SmsError)
    assert "en.toml: lost: placeholder {nonsense} is unknown" in str(result.exception)


def test_a_texts_link_is_as_long_as_the_sites(world: World) -> None:
    web = world.settings.web.model_copy(update={"public_url": "https://texts.example.org"})
    samples = texting_of(world.settings.model_copy(update={"web": web})).samples()
    assert "https://texts.example.org/r/xxxx" in " ".join(sample.text for sample in samples)


def test_what_a_person_must_read_is_shown_until_it_is_done(world: World, file: Path) -> None:
    world.hear(call(ended_at=NOON))
    with world.store.write() as connection:
        inbound = Inbound("main", "SM1", "+819012345678", "", "my bill\x1b[31m is [red]wrong")
        replies.take(world.work(connection, NOON), inbound)
    shown = run("answers", "-s", file).stdout
    assert "+819012345678 (reservation 1): my bill·[31m is [red]wrong" in shown
    (row,) = map(json.loads, run("answers", "-s", file, "--json").stdout.splitlines())
    assert (row["answer"], row["reservation"], row["wish"]) == (1, 1, "unclear")
    assert run("answers", "done", "1", "-s", file, "--by", "anna").stdout == "text 1 is done\n"
    assert "No text waits" in run("answers", "-s", file).stdout
    again = run("answers", "done", "1", "-s", file, "--by", "anna")
    assert "no text 1 is waiting to be read" in str(again.exception)


def test_refused_numbers_are_listed_with_their_reason(world: World, file: Path) -> None:
    world.hear(lost := call("0990123456", NOON), now=NOON)
    shown = run("refused", "-s", file).stdout
    assert "+81990123456" in shown
    assert "premium-rate" in shown
    (row,) = map(json.loads, run("refused", "-s", file, "--json").stdout.splitlines())
    assert (row["number"], row["reason"], row["call_id"]) == ("+81990123456", "premium-rate", lost.call_id)


def test_satisfaction_by_kind_and_speed(world: World, file: Path) -> None:
    began = NOON
    world.hear(call(ended_at=began), now=began)
    with world.store.write() as connection:
        attempt = {
            "id": "a", "pbx": "main", "reservation_id": 1, "person_id": 1, "number": 1, "in_flight": False, "fence": 1,
            "rules_version": 1, "pbx_boot": "", "decision": {}, "claimed_at": began, "ring_until_at": began,
            "customer_answered_at": began + 20 * MINUTE, "outcome": "reached",
        }  # fmt: skip
        connection.execute(insert(t.attempt).values(**attempt))
        answer = {
            "pbx": "main", "account": "main", "sid": "1", "person_id": 1, "reservation_id": 1, "wish": "choice-4",
            "received_at": began - US, "body": "", "score": 4, "state": "done",
        }  # fmt: skip
        connection.execute(insert(t.answer).values(**answer))
    (row,) = map(json.loads, run("satisfaction", "-s", file, "--json").stdout.splitlines())
    assert row == {"kind": "abandoned", "within_min": 30, "answers": 1, "mean": 4.0, "satisfied": 1.0}
    assert "100%" in run("satisfaction", "-s", file).stdout
