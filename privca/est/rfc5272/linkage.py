"""That who asks and whose key it is are the same (RFC 5272 section 6.3 as RFC 6402 sections 2.3 and 2.4 have it).

Without this, who may enroll could have another one's request certified as its own. There are three ways: the key of the request signed the
message that proves the identity, or the request has a witness under the shared secret; or its names are those of the certificate that
the identity rests on. Where the identity comes from the connection alone, EST's own link counts (RFC 7030 section 3.5).
"""

from __future__ import annotations

from cryptography import x509

from privca.base.names import Name
from privca.base.refused import Reason, Refused
from privca.est.rfc5272.certification import Certification
from privca.est.rfc5272.message import Message
from privca.est.rfc5272.party import Party
from privca.est.rfc5272.signer import ByCertificate, ByRequest
from privca.est.rfc7030 import linking
from privca.est.rfc7030.call import Call
from privca.issuance.ports import Requested
from privca.pkix.rfc5280.names import names_of

_WITNESS = "RFC 5272 section 6.3.1.1"
_CERTIFICATE = "RFC 6402 section 2.4"


def check(call: Call, party: Party, message: Message, one: Certification) -> None:
    """Hold a request against who asks. :raises Refused: ``BAD_POP``."""
    random = message.controls.pop_link_random
    if random is not None or one.witnesses:
        _check_witness(call, party, random, one)
    elif party.secret is not None and not isinstance(party.signer, ByCertificate) and party.signer != ByRequest(one.body):
        raise Refused(
            Reason.BAD_POP,
            "RFC 6402 section 2.3",
            "nothing links this request to the shared secret",
            expected="a POP link witness, or the message signed with the key of the request",
        )
    if party.certificate is not None:
        _check_names(one.requested, party.certificate)
    if one.challenge_password is not None or not party.in_message:
        try:
            linking.check(call, party.identity, one.challenge_password)
        except Refused as refused:
            # RFC 7030 section 3.5: popFailed.
            raise Refused(Reason.BAD_POP, refused.clause, refused.detail, expected=refused.expected, got=refused.got) from None


def _check_witness(call: Call, party: Party, random: bytes | None, one: Certification) -> None:
    if random is None or party.secret is None:
        raise Refused(
            Reason.BAD_POP,
            _WITNESS,
            "a POP link is verified with a POP Link Random control and an identity proof, and one of them is missing",
        )
    if any(witness.sha1 for witness in one.witnesses) and not call.options.cmc_sha1:
        raise Refused(Reason.BAD_SIGNATURE_ALGORITHM, "profile: est.cmc_sha1", "a POP link witness with SHA-1")
    if not one.witnesses or not all(witness.verifies(random, party.secret) for witness in one.witnesses):
        raise Refused(Reason.BAD_POP, _WITNESS, "the POP link witness of the request does not verify, or it has none")


def _check_names(requested: Requested, certificate: bytes) -> None:
    loaded = x509.load_der_x509_certificate(certificate)
    if requested.subject != loaded.subject:
        raise Refused(
            Reason.BAD_POP,
            _CERTIFICATE,
            "the subject of the request is not that of the certificate that proves who asks",
            expected=f"{loaded.subject.rfc4514_string()[:200]!r}; another one stands in ChangeSubjectName",
            got=repr(requested.subject.rfc4514_string()[:200]),
        )
    names = _names(loaded)
    if set(requested.names) != set(names):
        raise Refused(
            Reason.BAD_POP,
            _CERTIFICATE,
            "the subjectAltName of the request is not that of the certificate that proves who asks",
            expected=", ".join(name.value for name in names)[:200] or "none",
            got=", ".join(name.value for name in requested.names)[:200] or "none",
        )


def _names(certificate: x509.Certificate) -> tuple[Name, ...]:
    try:
        return names_of(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return ()
