"""Who sent a message: its protection is verified, and what verified it is known to the profile (RFC 9483 section 3.5).

The outcome is an identity, and the protector of the answer. While nothing has verified, an answer is signed by the CA, never protected
by a MAC: that would hand a stranger something to guess the secret against (RFC 9483 section 3.6.4).
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

from privca.base.exchange import Exchange
from privca.base.refused import Reason, Refused
from privca.cmp.ports import Transaction
from privca.cmp.protection import kem, password
from privca.cmp.protection.kem import KemMac
from privca.cmp.protection.password import Limits, PasswordMac
from privca.cmp.protection.protector import DerivedKeys, MacProtector, Protector, SigningProtector
from privca.cmp.rfc9810.message import Body, PkiMessage, directory_name
from privca.enrollment.credentials import Credentials, Secret
from privca.enrollment.door import Identity
from privca.issuance.authorities import Authorities
from privca.issuance.delegates import Delegates
from privca.issuance.ports import Keys
from privca.issuance.profile import Revisioned
from privca.pkix import signatures
from privca.pkix.requested import wishes
from privca.pkix.weak import SigningPublicKey

_CLAUSE = "RFC 9810 section 5.1.3"
_CHECK = "RFC 9483 section 3.5"
_KEM = "RFC 9810 section 5.1.3.4"
_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What a certificate raises that cannot be read."""
_LOOKED_AT = 32
"""Certificates behind the first among which a signer is looked for: nobody is known yet, and each costs some time to read."""


@dataclass(frozen=True, slots=True)
class Authenticated:
    """Who sent a message. ``signer`` is the certificate that verified it (DER), ``secret`` the secret that did; else empty and None."""

    identity: Identity
    protector: Protector
    secret: Secret | None = None
    signer: bytes = b""


_GOES_ON = frozenset({Body.CERTCONF, Body.POLLREQ, Body.POPDECR, Body.ERROR})
"""What goes on with a transaction, and so may come under the secret that it began with, whatever that is worth now. A new request within
it is judged like any other: its passcode may be spent, its code replaced."""


class Authentication:
    """Verifies the protection of messages."""

    def __init__(self, credentials: Credentials, authorities: Authorities, delegates: Delegates, keys: Keys) -> None:
        self._credentials = credentials
        self._authorities = authorities
        self._delegates = delegates
        self._keys = keys
        self._derived = DerivedKeys()

    def signing(self, profile: Revisioned, signer: bytes = b"") -> SigningProtector:
        """The protector of answers to who signs, and to who has proven nothing."""
        options = profile.profile.cmp
        return SigningProtector(profile.profile.issuer, options, self._delegates, self._authorities, self._keys, signer)

    async def authenticate(
        self, exchange: Exchange, profile: Revisioned, message: PkiMessage, transaction: Transaction | None
    ) -> Authenticated:
        """Verify the protection of a message.

        :param transaction: the transaction that its transactionID names: what protected that protects this.
        :raises Refused: the answer is then to be signed.
        """
        algorithm = message.header.protection_alg
        if message.protection is None or algorithm is None:
            if (message.protection is None) != (algorithm is None):
                raise Refused(
                    Reason.MALFORMED, "RFC 9810 section 5.1.1", "protection and protectionAlg come together or not at all"
                )
            return await self._unprotected(exchange, profile, message)
        options = profile.profile.cmp
        mac = password.parse(algorithm, Limits(options.iterations_minimum, options.iterations_maximum))
        if mac is not None:
            self._accept(profile, mac.scheme)
            return await self._by_mac(exchange, profile, message, mac, transaction)
        kem_mac = kem.parse(algorithm)
        if kem_mac is not None:
            self._accept(profile, "kem")
            return await self._by_kem(exchange, profile, message, kem_mac, transaction)
        self._accept(profile, "signature")
        return await self._by_signature(exchange, profile, message, algorithm, transaction)

    @staticmethod
    def _accept(profile: Revisioned, kind: str) -> None:
        accepted: Sequence[str] = profile.profile.cmp.protection
        if kind not in accepted:
            raise Refused(
                Reason.WRONG_PROTECTION,
                "profile: cmp.protection",
                "this profile does not accept this kind of protection",
                expected=" or ".join(accepted),
                got=kind,
            )

    async def _unprotected(self, exchange: Exchange, profile: Revisioned, message: PkiMessage) -> Authenticated:
        if kem.asks_for_ciphertext(message) and message.extra_certs:
            self._accept(profile, "kem")
            signer = _signer(message)
            # Nothing is proven yet, and nothing granted: what follows has to be protected by who can use the answer.
            identity = await self._trusted(exchange, profile, message, signer)
            return Authenticated(identity, self.signing(profile), signer=signer)
        try:
            identity = await self._credentials.anonymous(exchange, profile)
        except Refused as refused:
            raise Refused(Reason.UNAUTHENTICATED, _CHECK, "the message is not protected") from refused
        return Authenticated(identity, self.signing(profile))

    async def _by_kem(
        self, exchange: Exchange, profile: Revisioned, message: PkiMessage, mac: KemMac, transaction: Transaction | None
    ) -> Authenticated:
        secret = None if transaction is None else transaction.secret
        if transaction is None or secret is None or secret.method != kem.METHOD:
            raise Refused(Reason.BAD_SIGNATURE, _KEM, "no KEM ciphertext was given out in this transaction")
        _check_sender(x509.load_der_x509_certificate(transaction.signer), message)
        computed = mac.compute(secret.value, transaction.id, message.protected_part())
        if not hmac.compare_digest(computed, message.protection or b""):
            raise Refused(Reason.BAD_SIGNATURE, _KEM, "the MAC does not verify under the key that the KEM gave")
        identity = await self._trusted(exchange, profile, message, transaction.signer)
        protector = self.signing(profile, transaction.signer)
        return Authenticated(identity, protector, secret=secret, signer=transaction.signer)

    async def _by_mac(
        self, exchange: Exchange, profile: Revisioned, message: PkiMessage, mac: PasswordMac, transaction: Transaction | None
    ) -> Authenticated:
        reference = _reference(message)
        part, protection = message.protected_part(), message.protection or b""
        kept = None if transaction is None else transaction.secret
        if (
            kept is not None
            and message.body in _GOES_ON
            and kept.method != kem.METHOD
            and reference in (kept.reference, None)
            and self._verifies(kept, mac, part, protection)
        ):
            assert transaction is not None
            return self._proven(profile, kept, mac, Identity(transaction.method, transaction.identity, passcode=kept.id))
        secrets = await self._credentials.secrets(exchange, profile, reference or "")
        for secret in secrets:
            if self._verifies(secret, mac, part, protection):
                identity = await self._credentials.proven(exchange, profile, secret)
                return self._proven(profile, secret, mac, identity)
        if not secrets:
            # As dear as a wrong secret, so that the time does not tell which references there are.
            mac.key(b"")
        await self._credentials.failed(exchange, profile, reference or "")
        raise Refused(Reason.BAD_SIGNATURE, _CLAUSE, "the MAC does not verify under a secret of this reference")

    def _verifies(self, secret: Secret, mac: PasswordMac, part: bytes, protection: bytes) -> bool:
        return hmac.compare_digest(mac.compute(self._derived.theirs(secret, mac), part), protection)

    def _proven(self, profile: Revisioned, secret: Secret, mac: PasswordMac, identity: Identity) -> Authenticated:
        options, issuer = profile.profile.cmp, profile.profile.issuer
        protector = MacProtector(issuer, options, self._authorities, self._derived, secret, mac)
        return Authenticated(identity, protector, secret=secret)

    async def _by_signature(
        self, exchange: Exchange, profile: Revisioned, message: PkiMessage, algorithm: bytes, transaction: Transaction | None
    ) -> Authenticated:
        kept = b"" if transaction is None else transaction.signer
        signer = _signer(message) or kept
        if not signer:
            raise Refused(
                Reason.BAD_SIGNATURE, "RFC 9483 section 3.3", "extraCerts does not begin with the certificate of the signer"
            )
        verify_signature(signer, message, algorithm)
        identity = await self._trusted(exchange, profile, message, signer)
        return Authenticated(identity, self.signing(profile, signer), signer=signer)

    async def _trusted(self, exchange: Exchange, profile: Revisioned, message: PkiMessage, signer: bytes) -> Identity:
        """The identity of a certificate that proved itself. :raises Refused: ``SIGNER_NOT_TRUSTED``."""
        try:
            others = [one for one in message.extra_certs if one != signer]
            return await self._credentials.certificate(exchange, profile, signer, others)
        except Refused as refused:
            if refused.reason is not Reason.UNAUTHENTICATED:
                raise
            # Who asks a second time for the revocation of the certificate that it signs with learns that it is done.
            again = message.body is Body.RR and "revoked" in refused.detail
            raise Refused(
                Reason.ALREADY_REVOKED if again else Reason.SIGNER_NOT_TRUSTED,
                refused.clause,
                refused.detail,
                expected=refused.expected,
                got=refused.got,
            ) from None


def _signer(message: PkiMessage) -> bytes:
    """The signer's certificate: the first of extraCerts, unless senderKID is that of another one; empty if there is none.

    It has to be the first, and any order should do (RFC 9483 section 3.3).
    """
    first, *others = message.extra_certs or (b"",)
    kid = message.header.sender_kid
    if not others or kid is None or _key_identifier(first) == kid:
        return first
    return next((one for one in others[:_LOOKED_AT] if _key_identifier(one) == kid), first)


def _key_identifier(octets: bytes) -> bytes | None:
    try:
        found = x509.load_der_x509_certificate(octets).extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except (*_UNREADABLE, x509.ExtensionNotFound):
        return None
    return found.value.digest


def verify_signature(signer: bytes, message: PkiMessage, algorithm: bytes) -> None:
    """Verify a signature, and that sender and senderKID are the signer's.

    :raises Refused: ``BAD_SIGNATURE``, ``BAD_SIGNATURE_ALGORITHM``, ``MALFORMED``.
    """
    try:
        certificate = x509.load_der_x509_certificate(signer)
        public_key = certificate.public_key()
        extensions = certificate.extensions
    except _UNREADABLE:
        raise Refused(Reason.MALFORMED, "RFC 9483 section 3.3", "the certificate of the signer is malformed") from None
    if not isinstance(public_key, SigningPublicKey):
        raise Refused(Reason.BAD_SIGNATURE_ALGORITHM, _CLAUSE, "a key of this kind does not sign")
    for extension in extensions:
        value = extension.value
        if isinstance(value, x509.KeyUsage) and not value.digital_signature:
            raise Refused(
                Reason.BAD_SIGNATURE, _CHECK, "the key usage of the signer's certificate does not have digitalSignature"
            )
    _check_sender(certificate, message)
    signatures.verify(public_key, algorithm, message.protection or b"", message.protected_part())


def _check_sender(certificate: x509.Certificate, message: PkiMessage) -> None:
    """Whether the header names the certificate that protects the message. :raises Refused: ``BAD_SIGNATURE``."""
    for extension in certificate.extensions:
        value = extension.value
        if isinstance(value, x509.SubjectKeyIdentifier) and message.header.sender_kid not in (None, value.digest):
            raise Refused(Reason.BAD_SIGNATURE, _CHECK, "senderKID is not the key identifier of the signer's certificate")
    if message.header.sender != directory_name(certificate.subject.public_bytes()):
        raise Refused(Reason.BAD_SIGNATURE, _CHECK, "sender is not the subject of the signer's certificate, byte for byte")


def _reference(message: PkiMessage) -> str | None:
    """The name of the secret: senderKID, or the common name of the sender (RFC 9483 section 4.1.5)."""
    kid = message.header.sender_kid
    if kid is not None:
        return kid.decode("utf-8", "replace")
    name = message.header.sender_name()
    if name is None or len(name) <= 2:
        return None
    try:
        parsed = wishes(name, [], clause=_CHECK)[0]
    except Refused:
        return None
    names = parsed.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if len(names) == 1 else None
