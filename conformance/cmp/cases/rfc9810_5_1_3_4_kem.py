"""RFC 9810 section 5.1.3.4: protection by a MAC under a secret that comes from a KEM."""

from __future__ import annotations

from dataclasses import replace

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import mlkem
from cryptography.hazmat.primitives.serialization import Encoding

from conformance.case import case
from conformance.cmp import crmf, der
from conformance.cmp.client import Answer
from conformance.cmp.enveloped import enveloped
from conformance.cmp.kem import KemMac, new_key, opened
from conformance.cmp.lab import CmpLab, asked, certificate_hash
from conformance.cmp.message import Body, Draft
from conformance.cmp.protection import Unprotected
from conformance.examination import Unsupported

_K = "rfc9810:5.1.3.4#"
_CIPHERTEXT = 24
"""id-it-KemCiphertextInfo."""


def _certified(lab: CmpLab) -> tuple[x509.Certificate, mlkem.MLKEM768PrivateKey]:
    """A certificate for a KEM key, whose possession was proven by decrypting it."""
    key = new_key()
    one = lab.request(key=key, proof=crmf.ENCRYPTED_CERTIFICATE)
    answer = lab.send(lab.ir(one, pvno=3))
    if answer.reply is None or answer.reply.refused or answer.reply.body is not Body.IP:
        raise Unsupported(f"no certificate for a KEM key is to be had: {answer}")
    (response,) = answer.reply.responses
    octets = opened(enveloped(response.encrypted or b""), key)
    status = der.sequence(der.octets(certificate_hash(octets)), der.integer(response.id))
    lab.ask(lab.confirmation(answer, status))
    return x509.load_der_x509_certificate(octets), key


def _asking(lab: CmpLab, certificate: x509.Certificate) -> Draft:
    """A genm for a ciphertext, which nothing protects yet (appendix E, figure 3)."""
    sender = Unprotected(sender=der.directory_name(certificate.subject.public_bytes()))
    return lab.genm(asked(_CIPHERTEXT), protection=sender, pvno=3, extra_certs=(certificate.public_bytes(Encoding.DER),))


def _ciphertext(lab: CmpLab, certificate: x509.Certificate) -> tuple[Answer, bytes]:
    answer = lab.send(_asking(lab, certificate))
    if answer.reply is None or answer.reply.refused:
        raise Unsupported(f"no KEM ciphertext is to be had: {answer}")
    found = dict(answer.reply.informed)
    value = found.get(f"1.3.6.1.5.5.7.4.{_CIPHERTEXT}", b"")
    if not value:
        raise Unsupported(f"the genp has no KemCiphertextInfo: {', '.join(found)}")
    parts = der.element(value).children
    right = len(parts) == 2 and parts[0].tag == der.SEQUENCE and parts[1].tag == 0x04
    lab.require(right, f"the value of KemCiphertextInfo is {value.hex()[:60]}")
    return answer, parts[1].content


def _protected(lab: CmpLab) -> tuple[Answer, KemMac]:
    certificate, key = _certified(lab)
    answer, ciphertext = _ciphertext(lab, certificate)
    return answer, KemMac(certificate, key.decapsulate(ciphertext), answer.draft.transaction_id or b"")


def _request(lab: CmpLab, answer: Answer, protection: KemMac) -> Draft:
    """A cr in the transaction of a ciphertext, protected by what it gave."""
    subject = protection.certificate.subject.public_bytes()
    one = lab.request(subject=subject)
    return lab.draft(Body.CR, one, protection=protection, pvno=3, transaction_id=answer.draft.transaction_id)


@case(
    "cmp.kem.protected",
    covers=[
        _K + "kem-encapsulate",
        _K + "kem-length",
        _K + "kem-static-string",
        _K + "kem-transaction-id-bound",
        "rfc9810:F#kem-info-string",
    ],
    feature="kem",
    kills=["cmp.kem.other-static-string", "cmp.kem.key-too-short"],
)
def protected(lab: CmpLab) -> None:
    """A cr under a KEM-based MAC is granted, and confirmed under it."""
    answer, protection = _protected(lab)
    granted = lab.send(_request(lab, answer, protection))
    for id in (_K + "kem-encapsulate", _K + "kem-length", _K + "kem-static-string", "rfc9810:F#kem-info-string"):
        lab.require(not lab.denied(granted), f"a cr under a KEM-based MAC gives {granted}", id)
    confirmed = lab.send(lab.confirmation(granted))
    lab.check(not lab.denied(confirmed), f"the certConf gives {confirmed}", _K + "kem-transaction-id-bound")


@case(
    "cmp.kem.bad-mac",
    covers=[_K + "kem-transaction-id-bound", _K + "kem-static-string"],
    feature="kem",
    kills=["cmp.kem.mac-unchecked"],
)
def bad_mac(lab: CmpLab) -> None:
    """A KEM-based MAC under a key for another transaction, or made with another string, is refused by badMessageCheck."""
    for id, changes in (
        (_K + "kem-transaction-id-bound", {"transaction_id": bytes(16)}),
        (_K + "kem-static-string", {"static": "CMP-MEK"}),
    ):
        answer, protection = _protected(lab)
        wrong = replace(protection, **changes)
        with lab.examination.during("spoilt"):
            lab.refused(lab.send(_request(lab, answer, wrong)), {"badMessageCheck"}, requirement=id)
        right = lab.send(_request(lab, answer, protection))
        lab.check(not lab.denied(right), f"the same under the right key gives {right}", id)
        lab.settle(right)


@case(
    "cmp.kem.fresh",
    covers=[_K + "kem-not-reused", "rfc9810:8.8#kem-fresh"],
    feature="kem",
    kills=["cmp.kem.ciphertext-reused"],
)
def fresh(lab: CmpLab) -> None:
    """Each transaction has a ciphertext of its own."""
    certificate, key = _certified(lab)
    first, second = (_ciphertext(lab, certificate)[1] for _ in range(2))
    for id in (_K + "kem-not-reused", "rfc9810:8.8#kem-fresh"):
        lab.check(first != second, "two transactions have the same ciphertext", id)
    lab.check(key.decapsulate(first) != key.decapsulate(second), "two transactions have the same secret")


@case(
    "cmp.kem.transaction-id",
    covers=["rfc9810:5.1.1#kem-transaction-id"],
    feature="kem",
    kills=["cmp.header.transaction-id-absent"],
)
def transaction_id(lab: CmpLab) -> None:
    """The reply to a question for a ciphertext without a transactionID has one that the server made."""
    certificate, _ = _certified(lab)
    _ciphertext(lab, certificate)
    answer = lab.send(replace(_asking(lab, certificate), transaction_id=None))
    lab.require(answer.reply is not None, f"a genm without a transactionID gives {answer}")
    assert answer.reply is not None
    lab.check(answer.reply.transaction_id, f"the reply has no transactionID: {answer}")
