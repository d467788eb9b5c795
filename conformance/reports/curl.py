"""A case as commands that a person can repeat by hand: a shell script of curl, each request to its last octet."""

from __future__ import annotations

import base64
import shlex
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from conformance.catalogue import catalogue

_STAGES = {
    "control before": "the correct request: must be granted",
    "spoilt": "the same with one change: must be refused",
    "control after": "the correct request again: must still be granted",
}
# As the examiner sends it: nothing is added, and no URL is tidied up.
_COMMAND = "curl --silent --show-error --include --http1.1 --path-as-is --globoff"
_SENDS = frozenset({"POST", "PUT", "PATCH"})


def script(case: Mapping[str, Any], exchanges: Sequence[Mapping[str, Any]], *, trust: str, once: bool, whole: bool) -> str:
    """The commands for a case.

    :param case: as ``results.json`` has it.
    :param exchanges: the case's, or others in their place.
    :param trust: PEM file of the trust anchors for TLS; empty: the system's.
    :param once: the requests are fresh, and each can be sent once; else they are what was sent, and are spent.
    :param whole: show setup also where a case has stages, and requests that only ask for a nonce.
    """
    staged = any(one["stage"] in _STAGES for one in exchanges)
    lines = ["#!/bin/sh", *_comment(f"{case['id']}: {case['title']}")]
    for id in case["covers"]:
        lines += _comment(f'{catalogue()[id].clause}: "{catalogue()[id].quote}"')
    if case["negative"]:
        lines += _comment(f"What is spoilt: {case['mutation']}")
    lines += _comment(f"Verdict: {case['verdict']}" + (f": {case['detail']}" if case["detail"] else ""))
    lines += _comment(
        "Each request can be sent once, in this order: its nonce is fresh. Run the command that made this script again for another round."
        if once
        else "These requests are what was sent. A nonce in them is spent, and what is signed cannot be changed: an ACME server answers "
        "badNonce. For requests that can be sent, let the case be run: --target or the URL of the server, instead of --results."
    )
    number = 0
    for one in exchanges:
        request, reply = one["request"], one["reply"]
        asks = request["method"] in ("GET", "HEAD") and one["stage"] != "spoilt"
        if not whole and staged and (one["stage"] not in _STAGES or asks):
            lines += ["", *_comment(f"{one['stage']}: {request['method']} {request['url']} was answered with {reply['status']}")]
            continue
        number += 1
        meant = f" ({_STAGES[one['stage']]})" if one["stage"] in _STAGES else ""
        lines += ["", *_comment(f"{number}. {one['stage']}{meant}; it was answered with {reply['status']}")]
        lines += _comment(one["note"]) if one["note"] else []
        lines.append(command(request, trust))
    return "\n".join(lines) + "\n"


def command(request: Mapping[str, Any], trust: str = "") -> str:
    """One request (as ``results.json`` has it) as a shell command."""
    words = [_COMMAND]
    if trust and request["url"].startswith("https:"):
        words.append(f"--cacert {shlex.quote(trust)}")
    words.append("--head" if request["method"] == "HEAD" else f"--request {shlex.quote(request['method'])}")
    given = {name.lower() for name, _ in request["headers"]}
    words += [f"--header {shlex.quote(f'{name}: {value}' if value else f'{name};')}" for name, value in request["headers"]]
    # Headers of curl's own that the request has not.
    words += [f"--header {shlex.quote(name + ':')}" for name in ("Accept", "Content-Type") if name.lower() not in given]
    if "user-agent" not in given:
        words.append("--user-agent privca-conformance")
    body = base64.b64decode(request["base64"]) if "base64" in request else request["text"].encode("utf-8")
    source = ""
    if body or request["method"] in _SENDS:
        words.append("--data-binary @-")
        source = _printed(body)
    words.append(shlex.quote(request["url"]))
    return f"{source}{' '.join(words)}\necho"


def _printed(body: bytes) -> str:
    """A command that writes these octets, and the pipe to the next one."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if text.replace("\n", "").isprintable():
        return f"printf %s {shlex.quote(text)} |\n  "
    encoded = "\n".join(textwrap.wrap(base64.b64encode(body).decode("ascii"), 76))
    return f"printf %s '{encoded}' | base64 -d |\n  "


def _comment(text: str) -> list[str]:
    folded = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return textwrap.wrap(
        folded, 120, initial_indent="# ", subsequent_indent="#   ", break_long_words=False, break_on_hyphens=False
    )
