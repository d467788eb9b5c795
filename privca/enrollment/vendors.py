"""Certificates of other CAs, as vendors put them into devices: whether one leads to an anchor that a profile names (RFC 5280 section 6).

The path is found and validated by cryptography's verifier, within narrow bounds: who presents certificates decides how much work they
make. It fails closed where it cannot judge: for name constraints of a kind that it does not know, unknown critical extensions,
certificates of X.509 version 1, and signatures by other keys than RSA and EC. CRLs of vendors are not asked for.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import datetime

import structlog
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from privca.base.refused import Reason, Refused
from privca.pkix import weak

log = structlog.get_logger("privca.enrollment")
MOST_OTHERS = 4
"""Certificates beside its own that a client may present; more are refused, whatever they are."""
DEPTH = 3
"""CA certificates between anchor and end entity, at most."""
MOST_OCTETS = 1 << 14
"""Of one certificate."""
_CLAUSE = "RFC 5280 section 6.1"


def load(octets: bytes) -> x509.Certificate:
    """A certificate that a client presents. :raises Refused: ``UNAUTHENTICATED`` if it is too large or cannot be parsed."""
    if len(octets) > MOST_OCTETS:
        raise _refuse("RFC 5280 section 4.1", "the certificate is too large")
    try:
        # The parser warns of serial numbers and lengths that it will refuse one day; who presents them is told no more than others.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            certificate = x509.load_der_x509_certificate(octets)
            _ = certificate.subject, certificate.extensions, certificate.serial_number
            certificate.public_key()
    except (ValueError, KeyError, TypeError, OverflowError, UnsupportedAlgorithm, x509.UnsupportedGeneralNameType):
        raise _refuse("RFC 5280 section 4.1", "the certificate cannot be parsed") from None
    except (x509.DuplicateExtension, x509.InvalidVersion):
        raise _refuse("RFC 5280 section 4.1", "the certificate is malformed") from None
    return certificate


class VendorAnchors:
    """The anchors of one profile revision. :raises ValueError: for text that holds no certificate in PEM."""

    def __init__(self, texts: Sequence[str]) -> None:
        anchors = [one for text in texts for one in x509.load_pem_x509_certificates(text.encode())]
        self._store = Store(anchors)
        self._ca = ExtensionPolicy.permit_all().require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
        self._ca = self._ca.may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _signs_certificates)
        self._end_entity = ExtensionPolicy.permit_all().may_be_present(x509.BasicConstraints, Criticality.AGNOSTIC, _is_no_ca)

    def check(self, certificate: x509.Certificate, others: Sequence[bytes], now: datetime) -> None:
        """Whether ``certificate`` leads to an anchor at ``now``, by way of ``others`` (DER).

        :raises Refused: ``UNAUTHENTICATED``.
        """
        if len(others) > MOST_OTHERS:
            raise _refuse(
                _CLAUSE, "too many certificates were presented", expected=f"at most {MOST_OTHERS} beside the client's own"
            )
        between = [load(one) for one in dict.fromkeys(others)]
        try:
            weak.check(certificate.public_key())
        except Refused as refused:
            raise _refuse(refused.clause, f"the certificate's key is not accepted: {refused.detail}") from None
        builder = PolicyBuilder().store(self._store).time(now).max_chain_depth(DEPTH)
        builder = builder.extension_policies(ca_policy=self._ca, ee_policy=self._end_entity)
        try:
            builder.build_client_verifier().verify(certificate, between)
        except (VerificationError, ValueError, x509.UnsupportedGeneralNameType) as error:
            # In words that quote the certificates, and that are the library's: for the CA's own people.
            log.warning(
                "a path of a vendor's certificate is not valid",
                subject=certificate.subject.rfc4514_string()[:200],
                cause=str(error)[:300],
            )
            raise _refuse(_CLAUSE, "the certificate does not lead to a CA that this profile trusts") from None


def _signs_certificates(_: Policy, __: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    """Section 6.1.4 (n): where a CA certificate has keyUsage, it has keyCertSign."""
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("keyCertSign is not among the key usages of a CA certificate")


def _is_no_ca(_: Policy, __: x509.Certificate, constraints: x509.BasicConstraints | None) -> None:
    """A CA does not enroll with the certificate that it issues by."""
    if constraints is not None and constraints.ca:
        raise ValueError("the certificate is that of a CA")


def _refuse(clause: str, detail: str, *, expected: str | None = None) -> Refused:
    return Refused(Reason.UNAUTHENTICATED, clause, detail, expected=expected)
