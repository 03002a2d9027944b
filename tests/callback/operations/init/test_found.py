"""What an Asterisk's own files tell: queues, trunks, manager interface, logs; and what is left alone."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from callback.operations.init import conf, place
from callback.operations.init.found import Manager, look

PJSIP = """
[udp]
type = transport
[phone](!)
type = endpoint        ; a template is no endpoint
[carrier](!,phone)
context = from-trunk
[acme](carrier)
aors = acme
[acme]
type = aor
contact = sip:198.51.100.7
[acme]
type = identify
endpoint = acme
[byoc](phone)
outbound_auth = byoc
[reg]
type = registration
endpoint = registered
[registered](phone)
[1001](phone)
auth = 1001
[1002](phone)
[1002]
type = identify
endpoint = 1002
"""
QUEUES = """
[general]
persistentmembers = yes
[desk](!)
strategy = rrmemory
[support](desk)
member => PJSIP/1001
member => Local/1002@agents/n,0,Ann,PJSIP/1002
[Sales 2](desk)
#include more.conf
[support](+)
context = lcr-exit
[lcr-doctor]
"""


def site(folder: Path, **files: str) -> Path:
    for name, text in {"asterisk": "", "manager": "", **files}.items():
        (folder / f"{name}.conf").write_text(text)
    return folder


def test_queues_and_trunks_are_found_and_agents_are_no_trunks(tmp_path: Path) -> None:
    found = look(site(tmp_path, pjsip=PJSIP, queues=QUEUES, more="[night]\n"))
    assert found.queues == ("support", "Sales 2", "night")
    assert found.trunks == ("acme", "byoc", "registered")
    assert (found.is_there, found.is_freepbx) == (True, False)


def test_what_is_our_probes_is_neither_a_trunk_nor_a_queue_of_the_site(tmp_path: Path) -> None:
    probe = resources.files("telephony") / "dialplan" / "probe"
    ours = {name: (probe / f"{name}_lcr_probe.conf").read_text(encoding="utf-8") for name in ("pjsip", "queues")}
    found = look(site(tmp_path, **ours))
    assert (found.queues, found.trunks) == ((), ())


@pytest.mark.parametrize(
    ("general", "expected"),
    [
        ("", Manager()),
        ("enabled = yes", Manager(enabled=True)),
        ("enabled=yes\nbindaddr=0.0.0.0\nport=5040", Manager(enabled=True, port=5040)),
        ("enabled = yes\nbindaddr = 10.0.0.5\ntlsenable = yes", Manager(enabled=True, host="10.0.0.5", tls=True)),
        (";enabled = yes\n;--\nenabled = yes\n--;\nport = many", Manager()),
    ],
)
def test_the_manager_interface_is_found(tmp_path: Path, general: str, expected: Manager) -> None:
    assert look(site(tmp_path, manager=f"[general]\n{general}\n")).manager == expected


def test_logs_are_named_where_they_prove_something(tmp_path: Path) -> None:
    asterisk = "[directories]\nastlogdir => /srv/log\n"
    found = look(site(tmp_path, asterisk=asterisk, cdr="[csv]\nloguniqueid = yes\n"))
    assert (found.queue_log, found.cdr) == ("/srv/log/queue_log", "/srv/log/cdr-csv/Master.csv")
    found = look(site(tmp_path, asterisk=asterisk, cdr="", logger="[general]\nqueue_log = no\n"))
    assert (found.queue_log, found.cdr) == ("", "")


def test_freepbx_and_what_is_included_already_are_told(tmp_path: Path) -> None:
    found = look(site(tmp_path, extensions='#include "extensions_lcr.conf"\n', extensions_additional=""))
    assert found.is_freepbx
    assert found.included == {"extensions_lcr.conf"}


def test_a_folder_without_asterisks_files_is_none(tmp_path: Path) -> None:
    assert not look(tmp_path / "none").is_there
    (tmp_path / "queues.conf").write_text("[x]")
    assert not look(tmp_path).is_there


def test_includes_that_include_each_other_end(tmp_path: Path) -> None:
    (tmp_path / "a.conf").write_text("[one]\n#include b.conf\n")
    (tmp_path / "b.conf").write_text(f'[two]\n#include "{tmp_path}/a.conf"\n#tryinclude none*.conf\n')
    assert [one.name for one in conf.read(tmp_path / "a.conf").sections] == ["one", "two"]


def test_bytes_that_are_no_text_and_lines_without_sense_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.conf").write_bytes(b"\xff\xfe = 1\n[]\n[ok\nkey = before\n[q]\nname = \xe9t\xe9 ; said\n= x\n")
    (section,) = conf.read(tmp_path / "a.conf").sections
    assert (section.name, section.get("name")) == ("q", "�t�")


@pytest.mark.parametrize(
    ("timezone", "link", "expected"),
    [
        ("Europe/Berlin\n", None, "Europe/Berlin"),
        (None, "/usr/share/zoneinfo/America/Argentina/Ushuaia", "America/Argentina/Ushuaia"),
        ("Etc/UTC\n", None, ""),
        (None, None, ""),
    ],
)
def test_the_machines_zone(tmp_path: Path, timezone: str | None, link: str | None, expected: str) -> None:
    (tmp_path / "etc").mkdir()
    if timezone:
        (tmp_path / "etc/timezone").write_text(timezone)
    if link:
        (tmp_path / "etc/localtime").symlink_to(link)
    assert place.own_zone(tmp_path) == expected


def test_a_zones_country() -> None:
    assert (place.country_of("America/New_York"), place.country_of("Asia/Tokyo"), place.country_of("UTC")) == (
        "US",
        "JP",
        "",
    )
