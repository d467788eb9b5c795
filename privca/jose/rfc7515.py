"""JSON Web Signature (RFC 7515) as RFC 8555 section 6.2 narrows it: flattened JSON, everything protected, one signature, payload inside.

Parsing checks the shape and that the algorithm is one of those asked for. It does not verify: whose key verifies is in the header,
and only the caller can tell whether that key may speak.
"""

from __future__ import annotations

import msgspec

from privca.base.refused import Reason, Refused
from privca.jose import rfc4648, rfc7518, rfc8259
from privca.jose.rfc7517 import PublicJwk
from privca.jose.rfc7518 import MACS, SIGNATURES

ALGORITHMS = tuple(SIGNATURES)
"""Values of ``alg`` that a request may have."""
MAC_ALGORITHMS = tuple(MACS)
"""Values of ``alg`` that an external account binding may have (RFC 8555 section 7.3.4)."""


class Jws(msgspec.Struct, frozen=True):
    """A JWS that is well formed; nothing in it is proven until :func:`verify` returns, or :func:`verifies_mac` says so.

    ``protected`` are the header parameters, ``algorithm`` its ``alg``; ``signing_input`` is what the signature covers (section 5.1).
    """

    algorithm: str
    protected: dict[str, object]
    payload: bytes
    signature: bytes
    signing_input: bytes


def parse(body: bytes, algorithms: tuple[str, ...] = ALGORITHMS) -> Jws:
    """A JWS from the octets of a message.

    :param algorithms: values of ``alg`` that are acceptable; :data:`MAC_ALGORITHMS` only for an external account binding.
    :raises Refused: ``MALFORMED``, ``TOO_LARGE`` or ``BAD_SIGNATURE_ALGORITHM``, whatever the octets are.
    """
    value = rfc8259.load_object(body, "the JWS")
    if "signatures" in value:
        raise _malformed(
            "RFC 8555 section 6.2", "the JWS is in the general serialization; use the flattened one, with one signature"
        )
    if "header" in value:
        raise _malformed("RFC 8555 section 6.2", "the JWS has an unprotected header; every parameter belongs in 'protected'")
    protected, payload, signature = _text(value, "protected"), _text(value, "payload"), _text(value, "signature")
    header = rfc8259.load_object(rfc4648.decode(protected, "the protected header"), "the protected header")
    if "b64" in header:
        raise _malformed("RFC 8555 section 6.2", "the unencoded payload option ('b64', RFC 7797) is not used here")
    if "crit" in header:
        raise _malformed("RFC 7515 section 4.1.11", "'crit' names extensions, and none is understood here")
    return Jws(
        algorithm=_algorithm(header, algorithms),
        protected=header,
        payload=rfc4648.decode(payload, "the payload"),
        signature=rfc4648.decode(signature, "the signature"),
        signing_input=f"{protected}.{payload}".encode("ascii"),
    )


def verify(jws: Jws, key: PublicJwk) -> None:
    """Verify a signature (section 5.2).

    :raises Refused: ``BAD_SIGNATURE``; ``BAD_SIGNATURE_ALGORITHM`` for an algorithm that does not sign, or does not go with an
        account's key; ``BAD_PUBLIC_KEY`` if the key that does not go with the algorithm came in the JWS itself (RFC 8555 section 6.2).
    """
    kinds = SIGNATURES.get(jws.algorithm)
    if kinds is None:
        raise _unacceptable(jws.algorithm, ALGORITHMS)
    if key.kind not in kinds:
        fitting = " or ".join(name for name, kinds in SIGNATURES.items() if key.kind in kinds)
        raise Refused(
            Reason.BAD_PUBLIC_KEY if "jwk" in jws.protected else Reason.BAD_SIGNATURE_ALGORITHM,
            "RFC 8555 section 6.2",
            f"'alg' does not go with a key of kind {key.kind}",
            expected=fitting,
            got=jws.algorithm,
        )
    rfc7518.verify(jws.algorithm, key.key, jws.signature, jws.signing_input)


def verifies_mac(jws: Jws, key: bytes) -> bool:
    """Whether a MAC is right (RFC 8555 section 7.3.4: external account binding alone). An answer, not a refusal, so that the caller
    can give one refusal for an unknown key identifier and a wrong MAC.

    False also for a key that is shorter than RFC 7518 section 3.2 allows for the algorithm: with 64 octets a key serves all three.

    :raises Refused: ``BAD_SIGNATURE_ALGORITHM`` if the JWS is not made with a MAC.
    """
    if jws.algorithm not in MACS:
        raise _unacceptable(jws.algorithm, MAC_ALGORITHMS)
    return rfc7518.verifies_mac(jws.algorithm, key, jws.signature, jws.signing_input)


def _text(jws: dict[str, object], name: str) -> str:
    value = jws.get(name)
    if not isinstance(value, str):
        raise _malformed("RFC 7515 section 7.2.2", f"the JWS has no member '{name}' that is a string")
    return value


def _algorithm(header: dict[str, object], acceptable: tuple[str, ...]) -> str:
    algorithm = header.get("alg")
    if not isinstance(algorithm, str):
        raise _malformed("RFC 7515 section 4.1.1", "the protected header has no 'alg' that is a string")
    if algorithm not in acceptable:
        raise _unacceptable(algorithm, acceptable)
    return algorithm


def _unacceptable(algorithm: str, acceptable: tuple[str, ...]) -> Refused:
    return Refused(
        Reason.BAD_SIGNATURE_ALGORITHM,
        "RFC 8555 section 7.3.4" if acceptable == MAC_ALGORITHMS else "RFC 8555 section 6.2",
        "the value of 'alg' is not acceptable here",
        expected=", ".join(acceptable),
        got=ascii(algorithm[:40]),
    )


def _malformed(clause: str, detail: str) -> Refused:
    return Refused(Reason.MALFORMED, clause, detail)
