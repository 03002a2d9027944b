"""The description of the API as a page for people: made from what programs get, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

STYLE: Final = """:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h2{margin:2.5rem 0 .25rem;border-top:1px solid #8886;padding-top:1rem}
h3{margin:1.75rem 0 .25rem}
code,pre{font:13px/1.45 ui-monospace,monospace}
table{border-collapse:collapse;width:100%;margin:.5rem 0}
td,th{border-bottom:1px solid #8884;padding:.25rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}
.verb{font-weight:700}
"""


def page(api: Mapping[str, Any]) -> str:
    """Give the page."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>API</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="stylesheet" href="/api/v1/reference.css"></head><body>'
        f"<h1>{escape(api['info']['title'])}: API v{escape(api['info']['version'])}</h1>"
        f"<p>{_text(api['info']['description'])}</p>"
        '<p>For programs: <a href="/api/v1/openapi.json">openapi.json</a>. Each request but <code>healthz</code> needs'
        " <code>Authorization: Bearer lcr_…</code>; <code>callback token add</code> makes a token.</p>"
        + "".join(_operations(api))
        + '<h2 id="schemas">What is sent and given</h2>'
        + "".join(_schema(name, one) for name, one in sorted(api["components"]["schemas"].items()))
        + "</body></html>\n"
    )


def _operations(api: Mapping[str, Any]) -> Iterator[str]:
    tag = ""
    for path, verbs in api["paths"].items():
        for verb, one in verbs.items():
            if one["tags"][0] != tag:
                tag = one["tags"][0]
                yield f"<h2>{escape(tag)}</h2>"
            yield f'<h3 id="{escape(one["operationId"])}"><code class="verb">{verb.upper()}</code> '
            yield f"<code>{escape(path)}</code></h3><p>{_text(one.get('description', one['summary']))}</p>"
            rows = [(name, where, said) for name, where, said in _given(one)]
            yield _table(("given", "where", ""), rows) if rows else ""
            answers = [(status, _named(said), said["description"]) for status, said in sorted(one["responses"].items())]
            yield _table(("answer", "", ""), answers)


def _given(one: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for given in one.get("parameters", ()):
        must = "" if given.get("required") else ", may be left out"
        yield given["name"], given["in"] + must, given.get("description", "")
    if "requestBody" in one:
        yield "body", "JSON", _named(one["requestBody"])


def _schema(name: str, one: Mapping[str, Any]) -> str:
    required = one.get("required", ())
    rows = [
        (field, _type(said) + ("" if field in required else ", may be left out"), said.get("description", ""))
        for field, said in one.get("properties", {}).items()
    ]
    return f'<h3 id="{escape(name)}">{escape(name)}</h3><p>{_text(one.get("description", ""))}</p>' + _table(
        ("field", "", ""), rows
    )


def _type(said: Mapping[str, Any]) -> str:
    if "$ref" in said:
        return str(said["$ref"]).rpartition("/")[2]
    if "anyOf" in said:
        return " or ".join(_type(one) for one in said["anyOf"])
    if "enum" in said:
        return " | ".join(map(str, said["enum"]))
    return str(said.get("format", said.get("type", "any")))


def _named(said: Mapping[str, Any]) -> str:
    schemas = [one.get("schema", {}) for one in said.get("content", {}).values()]
    return ", ".join(_type(one) for one in schemas)


def _table(heads: tuple[str, ...], rows: list[tuple[str, str, str]]) -> str:
    top = "".join(f"<th>{escape(head)}</th>" for head in heads)
    lines = "".join(
        f"<tr><td><code>{escape(first)}</code></td><td>{escape(second)}</td><td>{_text(third)}</td></tr>"
        for first, second, third in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table>"


def _text(said: str) -> str:
    """What stands between backticks is code."""
    parts = escape(said).split("`")
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))
