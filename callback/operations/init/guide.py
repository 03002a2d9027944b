"""What `callback init` says: what it found, what to put where on the PBX, what comes next, and what it cannot know."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from callback.operations.init.draft import FOLDER, Answers, label
from callback.operations.init.found import Found
from callback.settings.addresses import is_this_machine

_INCLUDES = {
    "extensions_lcr.conf": "extensions.conf",
    "manager_lcr.conf": "manager.conf",
    "queues_lcr.conf": "queues.conf",
    "features_lcr.conf": "features.conf",
}
_FREEPBX = {
    "extensions_lcr.conf": "extensions_custom.conf",
    "manager_lcr.conf": "manager_custom.conf",
    "queues_lcr.conf": "queues_custom.conf",
    "features_lcr.conf": "features_applicationmap_custom.conf",
}
_RELOADS = ("dialplan reload", "manager reload", "queue reload all", "module reload features")


def found_lines(found: Found) -> Iterator[str]:
    """Say what Asterisk was found."""
    if not found.is_there:
        yield f"No Asterisk's files in {found.etc}: nothing is taken from there (--asterisk names another folder)."
        return
    kind = "FreePBX" if found.is_freepbx else "An Asterisk"
    manager = found.manager
    listens = f"listens on {manager.host}:{manager.port}" if manager.enabled else "is not enabled"
    yield f"{kind} in {found.etc}:"
    yield f"  queues: {', '.join(found.queues) or 'none'}"
    yield f"  trunks: {', '.join(f'PJSIP/{one}' for one in found.trunks) or 'none that was recognised'}"
    yield f"  manager interface: {listens}{', and by TLS' if manager.tls else ''}"


def to_do(answers: Answers, found: Found) -> Iterator[str]:
    """Say what to do with the files, as lines to paste on the PBX."""
    there = found.etc if found.is_there else "/etc/asterisk"
    owner, _, group = (found.owner or "asterisk:asterisk").partition(":")
    files = shlex.quote(str(answers.folder.absolute() / FOLDER))
    where = "" if is_this_machine(answers.host) else f" {answers.host} (copy the folder there first)"
    yield f"1. On the PBX{where}, as root:"
    yield f"    install -o {owner} -g {group} -m 0640 {files}/*.conf {there}/"
    for ours, theirs in (_FREEPBX if found.is_freepbx else _INCLUDES).items():
        if ours in found.included:
            continue
        if theirs == "queues.conf":
            yield f"    sed -i '1i #include {ours}' {there}/{theirs}"  # a template stands before who uses it
        else:
            yield f"    printf '\\n#include {ours}\\n' >> {there}/{theirs}"
    if found.is_there and not found.manager.enabled and not found.is_freepbx:
        yield f"    sed -i 's/^;*enabled *=.*/enabled = yes/' {there}/manager.conf      # under [general]"
    if found.is_freepbx:
        yield "    fwconsole reload"
    else:
        yield from (f"    asterisk -rx '{reload}'" for reload in _RELOADS)


def next_steps(answers: Answers) -> Iterator[str]:
    """Say what comes next on this machine."""
    named = shlex.quote(str(answers.folder.absolute() / "callback.toml"))
    yield "2. Here, until it says ok, or WARN that you know of:"
    yield f"    callback doctor --settings {named}"
    yield "3. Watch: nobody is texted or called before texts and calls are switched on for a queue:"
    yield f"    callback run --settings {named}"


def unknown(answers: Answers, found: Found) -> Iterator[str]:
    """Say what nobody but the site knows."""
    if not answers.trunks:
        yield (
            "the trunk: [trunks.main] channel (what its channels' names begin with, and no agent's do) and dial. Trunks"
            " of chan_sip, DAHDI or IAX are not looked for"
        )
    trunk = label(answers.trunks[0]) if answers.trunks else "main"
    yield (
        f"what callers' digits alone are: [trunks.{trunk}] signals; `callback doctor --number 0301234567` says what is"
        f" made of a number. Its national numbers are taken for those of {answers.region}"
    )
    yield "which queue a number leads to: [rules.dids]; the opening hours: [rules.opening]. Without them: always open"
    if not answers.queues:
        yield "the queues: `callback run` hears their names; rules for one stand in [rules.queues.NAME]"
    if found.is_there:
        yield from _of_files(found)
    if not is_this_machine(answers.host):
        yield (
            f"whether others listen between here and {answers.host}: TLS keeps them out (tls = true, docs/tls.md)."
            f" On the PBX, bindaddr in manager.conf must let {answers.permit} in"
        )


def _of_files(found: Found) -> Iterator[str]:
    if not found.cdr:
        yield "who came to no queue in an outage: cdr.conf, [csv] loguniqueid = yes; then [pbx] cdr names Master.csv"
    if not found.queue_log:
        yield "who was lost in an outage: logger.conf has queue_log = no; take it out, and name the file in [pbx]"
    if found.unread:
        yield f"what {', '.join(found.unread)} in {found.etc} say: this user may not read them (ask as root)"
