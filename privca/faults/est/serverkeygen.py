"""Faults of generated keys (RFC 7030 section 4.4)."""

from __future__ import annotations

from privca.faults.edits import Edit, ending, instead
from privca.faults.est.naming import NOBODY, fault, with_status

_GENERATE, _REPLY = "est.rfc7030.serverkeygen:generate", "est.rfc7030.serverkeygen:_reply"
_MADE = "private = await call.core.maker.make(call.options.server_key)"
_CHOSEN = "kind, key = (_CLEAR, private) if delivery is None else (_ENCRYPTED, await delivery(private))"
_SERIALIZATION = "__import__('cryptography.hazmat.primitives.serialization').hazmat.primitives.serialization"
_WISHES = "wishes = rfc2986.parse_wishes(octets, tolerant=call.tolerant)"
_ATTRIBUTES = "await key_delivery.plan(call, wishes.attributes)"


def _delivering(key: str) -> Edit:
    """Another key in clear. :param key: an expression in which ``private`` is the right one."""
    return instead(_GENERATE, _CHOSEN, f"{_CHOSEN}\n    key = {key} if kind is _CLEAR else key")


FAULTS = (
    fault("serverkeygen.status-201", "A key comes with 201", "4.4.2", with_status(_REPLY, 201)),
    fault(
        "serverkeygen.not-multipart",
        "A key comes without its certificate",
        "4.4.2",
        ending(_REPLY, "result = type(result)(200, (('Content-Type', kind),), key)"),
    ),
    fault(
        "serverkeygen.three-parts",
        "A key comes with its certificate twice",
        "4.4.2",
        instead(
            _REPLY,
            "(transfer.CERTIFICATES, certificate))",
            "(transfer.CERTIFICATES, certificate), (transfer.CERTIFICATES, certificate))",
        ),
    ),
    fault(
        "serverkeygen.bare-key",
        "A key is what PKCS #8 wraps, under the label of PKCS #8",
        "4.4.2",
        _delivering(
            "load_der_private_key(private, None).private_bytes(Encoding.DER, "
            f"{_SERIALIZATION}.PrivateFormat.TraditionalOpenSSL, {_SERIALIZATION}.NoEncryption())"
        ),
    ),
    fault(
        "serverkeygen.pem-key",
        "A key has PEM armour",
        "RFC 8951 section 3",
        instead(
            _GENERATE,
            "spelled = transfer.encode(key)",
            "spelled = b'-----BEGIN PRIVATE KEY-----\\n' + transfer.encode(key) + b'-----END PRIVATE KEY-----\\n'",
        ),
    ),
    fault(
        "serverkeygen.another-key",
        "The certificate is for another key than the one that comes with it",
        "4.4.2",
        _delivering("await call.core.maker.make(call.options.server_key)"),
    ),
    fault(
        "serverkeygen.same-key-for-all",
        "Everybody gets the same key",
        "4.4.1",
        instead(_GENERATE, _MADE, f"{_MADE}\n    private = generate.__dict__.setdefault('key', private)"),
    ),
    fault(
        "serverkeygen.signature-checked",
        "The signature of the CSR has to be right",
        "4.4.1",
        instead(_GENERATE, _WISHES, f"{_WISHES}\n    rfc2986.parse(octets, tolerant=call.tolerant)"),
    ),
    fault(
        "serverkeygen.request-key-certified",
        "The key of the CSR is certified",
        "4.4.1",
        instead(_GENERATE, "csr=_requested(wishes, private)", "csr=rfc2986.parse(octets, tolerant=call.tolerant)"),
    ),
    fault(
        "serverkeygen.names-dropped",
        "The names of the CSR are overlooked",
        "4.4.1",
        instead(
            "est.rfc7030.serverkeygen:_requested", "names=wishes.names, extensions=wishes.extensions", "names=(), extensions=()"
        ),
    ),
    fault(
        "serverkeygen.identifier-ignored",
        "A key that was to be encrypted to an unknown key comes in clear",
        "4.4.1.1",
        instead(_GENERATE, _ATTRIBUTES, "await key_delivery.plan(call, {})"),
    ),
    fault(
        "serverkeygen.clear-despite-request",
        "A key that was to be encrypted comes in clear",
        "4.4.2",
        instead(_GENERATE, _CHOSEN, "kind, key = (_CLEAR, private)"),
    ),
    fault(
        "serverkeygen.anonymous",
        "Who presents nothing gets a key",
        "4.4",
        instead(_GENERATE, "identity = await authenticate(call)", f"identity = {NOBODY}"),
    ),
)
