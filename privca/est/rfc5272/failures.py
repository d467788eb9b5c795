"""The one table from a reason to CMCFailInfo (RFC 5272 section 6.1.4)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from privca.base.refused import Reason, Refused
from privca.pkix.rfc2986 import BadCsr
from privca.pkix.rfc5272.status import CmcFailInfo, CmcStatus

FAILURES: Mapping[Reason, CmcFailInfo] = MappingProxyType(
    {
        Reason.MALFORMED: CmcFailInfo.BAD_REQUEST,
        Reason.TOO_LARGE: CmcFailInfo.BAD_REQUEST,
        Reason.NOT_FOUND: CmcFailInfo.BAD_CERT_ID,
        Reason.METHOD_NOT_ALLOWED: CmcFailInfo.BAD_REQUEST,
        Reason.UNSUPPORTED_MEDIA_TYPE: CmcFailInfo.BAD_REQUEST,
        Reason.NOT_ACCEPTABLE: CmcFailInfo.BAD_REQUEST,
        Reason.BAD_NONCE: CmcFailInfo.BAD_REQUEST,
        Reason.BAD_SIGNATURE: CmcFailInfo.BAD_MESSAGE_CHECK,
        Reason.BAD_SIGNATURE_ALGORITHM: CmcFailInfo.BAD_ALG,
        Reason.RATE_LIMITED: CmcFailInfo.TRY_LATER,
        Reason.UNAUTHENTICATED: CmcFailInfo.BAD_IDENTITY,
        # badRequest: "transaction was not permitted". badIdentity is about who asks, and that is known here.
        Reason.UNAUTHORIZED: CmcFailInfo.BAD_REQUEST,
        Reason.UNKNOWN_ACCOUNT: CmcFailInfo.BAD_IDENTITY,
        Reason.KEY_IN_USE: CmcFailInfo.NO_KEY_REUSE,
        Reason.EXTERNAL_ACCOUNT_REQUIRED: CmcFailInfo.BAD_IDENTITY,
        Reason.TERMS_NOT_AGREED: CmcFailInfo.BAD_REQUEST,
        Reason.INVALID_CONTACT: CmcFailInfo.BAD_REQUEST,
        Reason.UNSUPPORTED_CONTACT: CmcFailInfo.BAD_REQUEST,
        Reason.BAD_CSR: CmcFailInfo.BAD_REQUEST,
        Reason.BAD_PUBLIC_KEY: CmcFailInfo.BAD_ALG,
        Reason.UNSUPPORTED_IDENTIFIER: CmcFailInfo.BAD_REQUEST,
        Reason.REJECTED_IDENTIFIER: CmcFailInfo.BAD_REQUEST,
        Reason.BAD_VALIDITY: CmcFailInfo.BAD_REQUEST,
        Reason.OUTSIDE_RENEWAL_WINDOW: CmcFailInfo.BAD_REQUEST,
        Reason.ORDER_NOT_READY: CmcFailInfo.BAD_REQUEST,
        Reason.WRONG_STATE: CmcFailInfo.BAD_REQUEST,
        Reason.ALREADY_REVOKED: CmcFailInfo.BAD_REQUEST,
        Reason.BAD_REVOCATION_REASON: CmcFailInfo.BAD_REQUEST,
        Reason.COMPOUND: CmcFailInfo.BAD_REQUEST,
        Reason.BAD_POP: CmcFailInfo.POP_FAILED,
        Reason.BAD_TIME: CmcFailInfo.BAD_TIME,
        Reason.MISSING_TIME: CmcFailInfo.BAD_TIME,
        Reason.BAD_SENDER_NONCE: CmcFailInfo.BAD_REQUEST,
        Reason.BAD_DIGEST: CmcFailInfo.BAD_MESSAGE_CHECK,
        Reason.WRONG_PROTECTION: CmcFailInfo.BAD_MESSAGE_CHECK,
        Reason.SIGNER_NOT_TRUSTED: CmcFailInfo.BAD_IDENTITY,
        Reason.UNSUPPORTED_VERSION: CmcFailInfo.BAD_REQUEST,
        Reason.UNSUPPORTED_OPERATION: CmcFailInfo.BAD_REQUEST,
        Reason.UNSUPPORTED_INFORMATION: CmcFailInfo.BAD_REQUEST,
        Reason.TRANSACTION_IN_USE: CmcFailInfo.BAD_REQUEST,
        Reason.UNKNOWN_CERTIFICATE: CmcFailInfo.BAD_CERT_ID,
        Reason.WRONG_AUTHORITY: CmcFailInfo.BAD_CERT_ID,
        Reason.ALREADY_CONFIRMED: CmcFailInfo.BAD_REQUEST,
        Reason.DUPLICATE_REQUEST: CmcFailInfo.BAD_REQUEST,
        Reason.UNACCEPTED_EXTENSION: CmcFailInfo.UNSUPPORTED_EXT,
        Reason.UNACCEPTED_POLICY: CmcFailInfo.UNSUPPORTED_EXT,
        Reason.CAA: CmcFailInfo.BAD_REQUEST,
        Reason.CONNECTION: CmcFailInfo.BAD_REQUEST,
        Reason.DNS: CmcFailInfo.BAD_REQUEST,
        Reason.TLS: CmcFailInfo.BAD_REQUEST,
        Reason.INCORRECT_RESPONSE: CmcFailInfo.BAD_REQUEST,
        Reason.INTERNAL: CmcFailInfo.INTERNAL_CA_ERROR,
        Reason.UNAVAILABLE: CmcFailInfo.TRY_LATER,
    }
)
# Of what is wrong in a CSR, CMC tells these apart: the proof of possession, its algorithm, and extensions (sections 3.1 and 6.5.1).
_IN_CSR = MappingProxyType({Reason.BAD_SIGNATURE: CmcFailInfo.POP_FAILED, Reason.BAD_SIGNATURE_ALGORITHM: CmcFailInfo.BAD_ALG})
_EXTENSIONS = frozenset(("profile: template.requested_extensions", "RFC 5280 section 4.2"))


class PopRequired(Refused):
    """``BAD_POP`` that can be mended: ``control`` is the EncryptedPOP (DER) that the client has to answer (section 6.7)."""

    def __init__(self, clause: str, detail: str, control: bytes) -> None:
        super().__init__(Reason.BAD_POP, clause, detail, expected="a Decrypted POP control beside the same request")
        self.control = control


def fail_info(refused: Refused) -> CmcFailInfo:
    """What a refusal is called."""
    if isinstance(refused, PopRequired):
        return CmcFailInfo.POP_REQUIRED
    if isinstance(refused, BadCsr) and refused.because in _IN_CSR:
        return _IN_CSR[refused.because]
    if refused.reason is Reason.BAD_CSR and refused.clause in _EXTENSIONS:
        return CmcFailInfo.UNSUPPORTED_EXT
    return FAILURES[refused.reason]


def status(refused: Refused) -> CmcStatus:
    """The status that goes with it: what is not supported at all has one of its own (section 6.1.3)."""
    return CmcStatus.NO_SUPPORT if refused.reason is Reason.UNSUPPORTED_OPERATION else CmcStatus.FAILED
