"""RFC 9810 sections 5.3.19, 5.3.20 and 6.5: what a client asks about the PKI."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from cryptography import x509

from conformance.case import case
from conformance.cmp import crmf, der
from conformance.cmp.client import Answer
from conformance.cmp.lab import CmpLab, asked, negative
from conformance.cmp.message import Body
from conformance.cmp.mutations import content
from conformance.examination import Kind, Unsupported
from conformance.verdict import Level

_I = "rfc9810:5.3.19."
_GIVEN = "rfc9810:6.5#information-given"
_IT = "1.3.6.1.5.5.7.4."
_UNKNOWN = "1.3.6.1.4.1.99999.1.2.3"


def _informed(lab: CmpLab, number: int, value: bytes = b"", *, answer: int = 0) -> bytes:
    """The value of what answers a question. :raises Unsupported: if the server says that it does not know it."""
    reply = _asked(lab, asked(number, value))
    wanted = f"{_IT}{answer or number}"
    found = dict(reply)
    if wanted not in found:
        if f"{_IT}7" in found:
            raise Unsupported(f"id-it {number} is not supported")
        lab.require(False, f"the genp has {', '.join(found) or 'nothing'}, and not id-it {answer or number}")
    return found[wanted]


def _asked(lab: CmpLab, *pieces: bytes) -> tuple[tuple[str, bytes], ...]:
    answer = lab.send(lab.genm(*pieces, protection=lab.signer))
    if answer.reply is not None and answer.reply.refused:
        raise Unsupported(f"the genm is refused: {answer}")
    lab.require(not lab.denied(answer), f"the genm gives {answer}")
    assert answer.reply is not None
    return answer.reply.informed


def _certificate(lab: CmpLab, octets: bytes, what: str) -> x509.Certificate | None:
    try:
        return x509.load_der_x509_certificate(octets)
    except ValueError as error:
        lab.check(False, f"{what} is no certificate: {error}")
        return None


@case(
    "cmp.general.protocol-encryption",
    covers=[_I + "1#protocol-encryption", _GIVEN],
    feature="caProtEncCert",
    kills=["cmp.general.protocol-encryption-garbled"],
)
def protocol_encryption(lab: CmpLab) -> None:
    """CaProtEncCert is a certificate whose key encrypts, or nothing."""
    value = _informed(lab, 1)
    if not value:
        raise Unsupported("there is no such certificate")
    certificate = _certificate(lab, value, "caProtEncCert")
    if certificate is None:
        return
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        lab.check(True, "a key for every use")
        return
    lab.check(usage.key_encipherment or usage.key_agreement, "the key of caProtEncCert does not encrypt by its key usage", _GIVEN)


def _algorithms(number: int, requirement: str) -> Callable[[CmpLab], None]:
    def body(lab: CmpLab) -> None:
        value = _informed(lab, number)
        lab.require(value[:1] == b"\x30", f"the value of id-it {number} is no SEQUENCE", _GIVEN)
        kinds = der.element(value).children
        lab.check(kinds, "the list is empty", _GIVEN)
        for one in kinds:
            parts = one.children
            right = one.tag == der.SEQUENCE and parts and parts[0].tag == 0x06
            lab.check(right, f"{one.raw.hex()[:60]} is no AlgorithmIdentifier", requirement)

    return body


@case(
    "cmp.general.signing-key-types",
    covers=[_I + "2#signing-key-types", _GIVEN],
    feature="signKeyPairTypes",
    kills=["cmp.general.key-types-are-names"],
)
def signing_key_types(lab: CmpLab) -> None:
    """SignKeyPairTypes is a list of AlgorithmIdentifiers, one for each named curve."""
    _algorithms(2, _I + "2#signing-key-types")(lab)


@case(
    "cmp.general.encryption-key-types",
    covers=[_I + "3#encryption-key-types", _GIVEN],
    feature="encKeyPairTypes",
    kills=["cmp.general.key-types-are-names"],
)
def encryption_key_types(lab: CmpLab) -> None:
    """EncKeyPairTypes is a list of AlgorithmIdentifiers."""
    _algorithms(3, _I + "3#encryption-key-types")(lab)


@case(
    "cmp.general.symmetric",
    covers=[_I + "4#symmetric", _GIVEN],
    feature="preferredSymmAlg",
    kills=["cmp.general.symmetric-bare"],
)
def symmetric(lab: CmpLab) -> None:
    """PreferredSymmAlg is one AlgorithmIdentifier."""
    value = _informed(lab, 4)
    right = value[:1] == b"\x30" and der.element(value).children[0].tag == 0x06
    lab.check(right, f"the value of preferredSymmAlg is {value.hex()[:60]}", _GIVEN)


@case(
    "cmp.general.current-crl",
    covers=[_I + "6#current-crl", _GIVEN],
    feature="currentCRL",
    kills=["cmp.general.crl-absent"],
)
def current_crl(lab: CmpLab) -> None:
    """CurrentCRL is a CRL that is of use now."""
    value = _informed(lab, 6)
    lab.require(value, "currentCRL has no value", _GIVEN)
    lab.examination.issued(value, kind=Kind.CRL)
    try:
        crl = x509.load_der_x509_crl(value)
    except ValueError as error:
        lab.check(False, f"currentCRL is no CRL: {error}", _GIVEN)
        return
    until = crl.next_update_utc
    lab.check(until is None or until > lab.shared.now(), f"the CRL was to be replaced at {until}")


@case(
    "cmp.general.ca-certificates",
    covers=[_I + "14#ca-certificates", _GIVEN],
    feature="caCerts",
    kills=["cmp.general.ca-certificates-empty"],
)
def ca_certificates(lab: CmpLab) -> None:
    """CaCerts are CA certificates, among them that of who issued the device's."""
    value = _informed(lab, 17)
    lab.require(value[:1] == b"\x30", "caCerts has no value", _GIVEN)
    found = [_certificate(lab, one.raw, "an element of caCerts") for one in der.element(value).children]
    names = {one.subject for one in found if one is not None}
    lab.check(lab.device.certificate.issuer in names, "the CA that issued our certificate is not in caCerts", _GIVEN)


@case(
    "cmp.general.root-update",
    covers=[_I + "15#root-update"],
    feature="rootCaCert",
    kills=["cmp.general.root-update-under-another-type"],
)
def root_update(lab: CmpLab) -> None:
    """A question about the update of a root CA certificate (rootCaCert) is answered by rootCaKeyUpdate, with a value or without."""
    value = _informed(lab, 20, answer=18)
    if value:
        parts = der.element(value).children
        lab.check(parts and parts[0].tag == der.SEQUENCE, "rootCaKeyUpdate has no newWithNew")
    else:
        lab.check(True, "there is no update")


_T = _I + "16#"


@case(
    "cmp.general.request-template",
    covers=[
        _T + "template-asked",
        _T + "template-keys",
        _T + "template-alg-id",
        _T + "template-algorithm",
        _T + "template-rsa-length",
        _T + "template-no-key",
        _T + "template-key-spec",
        _T + "template-one-each",
        "rfc9810:F#template-without-key",
        "rfc9810:F#alg-id-control",
        "rfc9810:F#rsa-length-control",
    ],
    feature="certReqTemplate",
    kills=["cmp.general.template-with-key", "cmp.general.template-rsa-by-algorithm"],
)
def request_template(lab: CmpLab) -> None:
    """CertReqTemplate has a template without a key, and one control for each kind of key that is certified."""
    value = _informed(lab, 19)
    if not value:
        raise Unsupported("there is no template")
    parts = der.element(value).children
    template = parts[0].children
    lab.check(all(one.tag != 0xA6 for one in template), "the template has a publicKey", _T + "template-no-key")
    lab.check(all(one.tag != 0xA6 for one in template), "the template has a publicKey", "rfc9810:F#template-without-key")
    seen = []
    for one in parts[1].children if len(parts) > 1 else []:
        type_, spec = one.children
        seen.append(one.raw)
        if type_.raw == der.oid(f"{crmf.CONTROL}12"):
            lab.check(spec.tag == 0x02, "rsaKeyLen is no INTEGER", _T + "template-rsa-length")
        elif type_.raw == der.oid(f"{crmf.CONTROL}11"):
            algorithm = spec.children[0].raw if spec.tag == der.SEQUENCE and spec.children else b""
            lab.check(algorithm[:1] == b"\x06", "algId is no AlgorithmIdentifier", _T + "template-algorithm")
            lab.check(algorithm != der.oid("1.2.840.113549.1.1.1"), "rsaEncryption under algId", "rfc9810:F#alg-id-control")
        else:
            lab.check(False, f"a control of the type {type_.raw.hex()}", _T + "template-keys")
    lab.check(len(set(seen)) == len(seen), "a kind of key stands there twice", _T + "template-one-each")


def _status(issuer: bytes, this_update: bytes = b"") -> bytes:
    """SEQUENCE OF CRLStatus (DER) of one CA by its name."""
    source = der.tlv(0xA1, der.sequence(der.directory_name(issuer)))
    return der.sequence(der.sequence(source, this_update))


@case(
    "cmp.general.newer-crls",
    covers=[_I + "17#newer-crls-only", _I + "17#crl-update-asked"],
    feature="crlStatusList",
    kills=["cmp.general.crls-always"],
)
def newer_crls(lab: CmpLab) -> None:
    """A CRL that the client does not have is sent, and none that it has."""
    issuer = lab.device.certificate.issuer.public_bytes()
    value = _informed(lab, 22, _status(issuer), answer=23)
    lab.require(value[:1] == b"\x30" and der.element(value).children, "who has no CRL gets none")
    crl = x509.load_der_x509_crl(der.element(value).children[0].raw)
    lab.check(crl.issuer.public_bytes() == issuer, f"the CRL is of {crl.issuer.rfc4514_string()}")
    again = _informed(lab, 22, _status(issuer, der.time(crl.last_update_utc)), answer=23)
    newer = [x509.load_der_x509_crl(one.raw) for one in der.element(again).children] if again else []
    late = [one for one in newer if one.last_update_utc <= crl.last_update_utc]
    lab.check(not late, "the CRL that the client has is sent again")
    old = datetime(2001, 1, 1, tzinfo=UTC)
    since = _informed(lab, 22, _status(issuer, der.time(old)), answer=23)
    lab.check(since, "who has a CRL of 2001 gets none")


@case(
    "cmp.general.language",
    covers=[_I + "13#language-asked", _I + "13#no-language"],
    feature="suppLangTags",
    kills=["cmp.general.any-language"],
)
def language(lab: CmpLab) -> None:
    """One of the languages that are offered is chosen; if none of them is spoken, that is an error."""
    value = _informed(lab, 16, der.sequence(der.utf8("en"), der.utf8("de")))
    chosen = [one.content.decode("utf-8", "replace") for one in der.element(value).children]
    lab.check(len(chosen) == 1 and chosen[0] in ("en", "de"), f"of en and de {chosen} was chosen", _I + "13#language-asked")
    # A private use tag (RFC 5646 section 2.2.7), which nobody speaks.
    with lab.examination.during("spoilt"):
        answer = lab.send(lab.genm(asked(16, der.sequence(der.utf8("x-nobody"))), protection=lab.signer))
    lab.refused(answer, {"addInfoNotAvailable", "badRequest", "incorrectData"}, requirement=_I + "13#no-language")


@case(
    "cmp.general.all-answered",
    covers=[_GIVEN, "rfc9810:6.5#general-messages", "rfc9810:5.3.19.7#unsupported"],
    kills=["cmp.general.unknown-ignored", "cmp.general.first-question-only", "cmp.general.unknown-refused"],
)
def all_answered(lab: CmpLab) -> None:
    """Each question of a genm is answered: what is known by itself, what is not in unsupportedOIDs."""
    answer = lab.send(lab.genm(asked(2), asked(6), _unknown(), protection=lab.signer))
    reply = answer.reply
    lab.require(reply is not None and reply.body is Body.GENP, f"a genm gives {answer}", "rfc9810:6.5#general-messages")
    assert reply is not None
    found = dict(reply.informed)
    refused = found.get(f"{_IT}7", b"")
    listed = [one.raw for one in der.element(refused).children] if refused else []
    lab.check(der.oid(_UNKNOWN) in listed, f"{_UNKNOWN} is not among the unsupportedOIDs", "rfc9810:5.3.19.7#unsupported")
    for number in (2, 6):
        there = f"{_IT}{number}" in found or der.oid(f"{_IT}{number}") in listed
        lab.check(there, f"id-it {number} is neither answered nor named as unsupported")


def _unknown() -> bytes:
    return der.sequence(der.oid(_UNKNOWN))


@case("cmp.general.empty", covers=["rfc9810:6.5#general-messages"], kills=["cmp.general.empty-refused"])
def empty(lab: CmpLab) -> None:
    """A genm that asks nothing is answered by a genp."""
    answer = lab.send(lab.genm(protection=lab.signer))
    lab.check(not lab.denied(answer), f"an empty genm gives {answer}")


negative(
    "cmp.general.value-with-question",
    "A question that has no value is refused with one",
    covers=[_I + "14#ca-certificates"],
    control=lambda lab: lab.genm(asked(17), protection=lab.signer),
    mutation=content("caCerts with a value", "RFC 9810 section 5.3.19.14", lambda old: der.sequence(asked(17, der.integer(1)))),
    failures={"badDataFormat", "badRequest", "incorrectData"},
    level=Level.MAY,
    kills=["cmp.general.value-ignored"],
)


@case(
    "cmp.general.by-mac",
    covers=["rfc9810:6.5#general-messages", "rfc9810:4.2.1.2#answers-authenticated"],
    kills=["cmp.protection.reply-mac-wrong"],
)
def by_mac(lab: CmpLab) -> None:
    """A genm under a shared secret is answered under it."""
    answer: Answer = lab.send(lab.genm(asked(2), protection=lab.mac))
    lab.require(not lab.denied(answer), f"a genm under a secret gives {answer}")
    why = lab.unverified(answer)
    lab.check(not why, f"the protection of the genp: {why}", "rfc9810:4.2.1.2#answers-authenticated")
