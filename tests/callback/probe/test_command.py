"""`callback probe` at the terminal, where nobody is called."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from callback.cli.main import main
from tests.callback.probe.manager import Headers, manager, said

CLOSED = "[hours]\nfrom = 00:00:00\nuntil = 00:00:01\ndays = []\n"


def written(folder: Path, more: str = "", port: int = 1) -> list[str]:
    file = folder / "probe.toml"
    file.write_text(f'[pbx]\nport = {port}\nsecret = "s"\n[call]\nnumbers = ["+12125550123"]\n{more}')
    return ["probe", "-s", str(file)]


def status_of(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.argv", ["callback", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_outside_of_its_hours_it_calls_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of([*written(tmp_path, CLOSED), "--once"], monkeypatch) == 0
    assert json.loads(capsys.readouterr().out)["result"] == "closed"


def test_a_dry_run_tries_the_login_and_calls_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def play(action: Headers) -> str:
        asked.append(action["Action"])
        failed = action["Action"] == "DBGet"
        return said("Error" if failed else "Success", action, "Database entry not found" if failed else "")

    with manager(play) as port:
        assert status_of([*written(tmp_path, CLOSED, port), "--dry-run"], monkeypatch) == 0
    assert asked == ["Login", "DBGet"]
    assert "nobody was called" in capsys.readouterr().err


def test_a_dry_run_without_a_pbx_is_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert status_of([*written(tmp_path), "--dry-run"], monkeypatch) == 2


def test_who_cannot_write_metrics_is_told_of_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full may be what ended the service."""
    taken = tmp_path / "taken"
    more = f'[alarms]\ncommand = ["/bin/sh", "-c", "cat > {taken}"]\n'
    monkeypatch.setattr("callback.cli.probe.is_open", lambda *_: True)
    options = ["--once", "--textfile", str(tmp_path / "nowhere" / "x.prom")]
    assert status_of([*written(tmp_path, more), *options], monkeypatch) != 0
    assert json.loads(taken.read_text())["result"] == "unknown"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--every", "15m"], "--every 108m"),
        (["--every", "soon"], "write a number with s, m or h"),
        (["--every", "3h", "--once"], "take one of them"),
    ],
)
def test_what_would_not_do_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: list[str], why: str
) -> None:
    assert status_of([*written(tmp_path), *options], monkeypatch) == 2
    assert why in " ".join(capsys.readouterr().err.replace("│", " ").split())
