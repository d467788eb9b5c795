"""Messages as a reader wants them: the JWS of an ACME request opened, JSON and DER in lines, everything else as text or hexadecimal."""

from __future__ import annotations

import base64
import binascii
import json
import re
from difflib import SequenceMatcher
from typing import Any

from conformance.der import DerError, dump

HEX_LIMIT = 4096
_RANDOM = re.compile(r"( *(?:OCTET|BIT) STRING) ([0-9a-f]{16,}.*)")
_SHOWN = (
    "content-type",
    "content-transfer-encoding",
    "accept",
    "location",
    "link",
    "retry-after",
    "replay-nonce",
    "cache-control",
)


def octets(message: dict[str, Any]) -> bytes:
    """The body of a request or reply of ``results.json``."""
    return base64.b64decode(message["base64"]) if "base64" in message else str(message.get("text", "")).encode()


def lines(message: dict[str, Any]) -> list[str]:
    """A request or reply, decoded, line by line."""
    first = f"{message['method']} {message['url']}" if "method" in message else f"{message['status']}"
    found = [first, *(f"{name}: {value}" for name, value in message["headers"] if name.lower() in _SHOWN)]
    body = octets(message)
    return [*found, "", *_body(body)] if body else found


def hexadecimal(body: bytes) -> str:
    """As ``xxd`` writes it, cut after 4096 octets."""
    rows = []
    for at in range(0, min(len(body), HEX_LIMIT), 16):
        row = body[at : at + 16]
        printable = "".join(chr(octet) if 0x20 <= octet < 0x7F else "." for octet in row)
        rows.append(f"{at:08x}  {row.hex(' ', 2):<39}  {printable}")
    if len(body) > HEX_LIMIT:
        rows.append(f"... {len(body) - HEX_LIMIT} octets more")
    return "\n".join(rows)


def beside(control: list[str], spoilt: list[str]) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
    """Both messages with a mark at each line that differs.

    Nonces, salts and signatures differ always, and say nothing: they are marked only if nothing else differs.
    """
    quiet = [_without_noise(line) for line in control], [_without_noise(line) for line in spoilt]
    changes = [one for one in SequenceMatcher(None, *quiet, autojunk=False).get_opcodes() if one[0] != "equal"]
    if not changes:
        changes = [one for one in SequenceMatcher(None, control, spoilt, autojunk=False).get_opcodes() if one[0] != "equal"]
    left, right = [(line, False) for line in control], [(line, False) for line in spoilt]
    for _, a, b, c, d in changes:
        left[a:b] = [(line, True) for line, _ in left[a:b]]
        right[c:d] = [(line, True) for line, _ in right[c:d]]
    return left, right


def _without_noise(line: str) -> str:
    if octets := _RANDOM.fullmatch(line):
        return f"{octets[1]} of {len(octets[2])}"
    name = line.strip().partition(":")[0].strip('"')
    return name if name in ("signature", "Replay-Nonce") or (name == "nonce" and len(line) > 40) else line


def _body(body: bytes) -> list[str]:
    try:
        value = json.loads(body)
    except ValueError:
        return _der(body) or _text(body)
    return json.dumps(_opened(value), indent=2, ensure_ascii=False).splitlines()


def _der(body: bytes) -> list[str]:
    """DER, as it is or in base64 (RFC 8951), a line for each value; nothing if it is none."""
    try:
        octets = body if body[:1] == b"\x30" else base64.b64decode(b"".join(body.split()), validate=True)
        return dump(octets)
    except (DerError, binascii.Error):
        return []


def _text(body: bytes) -> list[str]:
    try:
        return body.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        return hexadecimal(body).splitlines()


def _opened(value: Any) -> Any:
    """A flattened JWS with its protected header and payload as JSON."""
    if not isinstance(value, dict):
        return value
    opened = {name: _opened(member) for name, member in value.items()}
    if {"protected", "signature"} <= value.keys():
        for name in ("protected", "payload"):
            if isinstance(value.get(name), str):
                opened[name] = _part(value[name])
    return opened


def _part(text: str) -> Any:
    if not text:
        return "(empty)"
    try:
        part = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return _opened(json.loads(part))
    except (ValueError, binascii.Error):
        return text
