"""Faults of keys that are generated for clients (RFC 9483 section 4.1.6)."""

from __future__ import annotations

from privca.faults.cmp.rules import SERVICE, fault
from privca.faults.edits import instead, unchecked

_DELIVER = "cmp.rfc9810.deliver"
_KEY = "cmp.rfc9810.encrypted:private_key"
_ONE_KEY = "cmp.rfc9810.encrypted:_one_key"

FAULTS = (
    fault(
        "key-generation.by-delegate",
        "Who signs answers signs generated keys, too",
        "4.1.6",
        instead(f"{_DELIVER}:response", "Purpose.KGA", "Purpose.CMP"),
    ),
    fault(
        "key-generation.version-2-accepted",
        "A key may be asked for in version 2",
        "4.1.6",
        unchecked(f"{_DELIVER}:check_version", "a private key comes in an EnvelopedData"),
    ),
    fault(
        "key-generation.no-public-key",
        "A generated key comes without its public key",
        "4.1.6",
        instead(_ONE_KEY, "b'\\x81' + public[1:]", "b''"),
    ),
    fault(
        "key-generation.version-1",
        "A generated key comes in version 1 of its structure",
        "4.1.6",
        instead(_ONE_KEY, "b'\\x02\\x01\\x01'", "b'\\x02\\x01\\x00'"),
    ),
    fault(
        "key-generation.unsigned",
        "A generated key is not signed",
        "4.1.6",
        instead(_KEY, "enveloped(signed_data,", "enveloped(package,"),
        instead(_KEY, "kind=content.SIGNED_DATA", "kind=content.DATA"),
    ),
    fault(
        "key-generation.no-certificates",
        "What signs a generated key does not come with it",
        "4.1.6",
        instead(_KEY, "certificates=certificates", "certificates=()"),
    ),
    fault(
        "key-generation.content-key-reused",
        "Generated keys are all encrypted under one content-encryption key",
        "4.1.6",
        instead(
            "cmp.rfc9810.encrypted:enveloped",
            "entropy, cipher=CIPHER",
            "type('Fixed', (), {'octets': lambda self, count: bytes(count)})(), cipher=CIPHER",
        ),
    ),
    fault(
        "key-generation.pvno-2",
        "Every answer is of version 2",
        "3.1",
        instead(f"{SERVICE}._write", "pvno=min(max(received.pvno, VERSIONS[0]), VERSIONS[-1])", "pvno=2"),
    ),
)
