"""RFC 9810 section 5.2.8 and RFC 4211 section 4: possession of the private key is proven."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from conformance.case import case
from conformance.cmp import crmf, der
from conformance.cmp.client import Answer
from conformance.cmp.crmf import CertRequest
from conformance.cmp.enveloped import encrypted_value, enveloped, is_encrypted_value
from conformance.cmp.lab import CmpLab, cert_status, certificate_hash, negative
from conformance.cmp.message import Body, Draft, Reply
from conformance.cmp.mutations import Mutation, request
from conformance.examination import Unsupported
from conformance.verdict import Level

_ENFORCED = ["rfc9810:4.3#pop-enforced", "rfc9810:C.3#pop-mandatory"]
_CLAUSE = "RFC 9810 section 5.2.8"
_POP = {"badPOP"}


def _ir(lab: CmpLab) -> Draft:
    return lab.ir()


negative(
    "cmp.pop.absent",
    "A request with a public key and no proof of possession is refused",
    covers=_ENFORCED,
    control=_ir,
    mutation=request("no popo", _CLAUSE, proof=b""),
    failures=_POP,
    kills=["cmp.pop.absent-accepted"],
)
negative(
    "cmp.pop.bad-signature",
    "A proof of possession with one bit of its signature changed is refused",
    covers=[*_ENFORCED, "rfc4211:B#signature-over-request"],
    control=_ir,
    mutation=request("one bit of the signature", _CLAUSE, spoil=True),
    failures=_POP,
    kills=["cmp.pop.signature-unchecked"],
)
negative(
    "cmp.pop.other-key",
    "A proof of possession by another key is refused",
    covers=_ENFORCED,
    control=_ir,
    mutation=lambda lab: request("signed by another key", _CLAUSE, signer=lab.key()),
    failures=_POP,
    kills=["cmp.pop.signature-unchecked"],
)
negative(
    "cmp.pop.other-request",
    "A proof of possession over another request for the same key is refused",
    covers=[*_ENFORCED, "rfc4211:B#signature-over-request"],
    control=_ir,
    mutation=request(
        "the signature of another request",
        "RFC 4211 section 4.1",
        signed=lambda one: replace(one, subject=crmf.common_name("somebody-else.conformance.test")).request(),
    ),
    failures=_POP,
    kills=["cmp.pop.signature-unchecked"],
)
negative(
    "cmp.pop.garbled",
    "A proof of possession of a kind that there is not is refused",
    covers=_ENFORCED,
    control=_ir,
    mutation=request("popo [9]", _CLAUSE, proof=b"\x89\x00"),
    failures={"badDataFormat", "badPOP", "badRequest"},
)
negative(
    "cmp.pop.ra-verified",
    "raVerified of who is no registration authority is refused",
    covers=["rfc4211:4#ra-verified", *_ENFORCED],
    control=_ir,
    mutation=request("raVerified", "RFC 9810 section 5.2.8.1", proof=crmf.RA_VERIFIED),
    failures={"badPOP", "notAuthorized"},
    kills=["cmp.pop.ra-verified-by-anybody"],
)


@case("cmp.pop.ra-verified-by-ra", covers=["rfc4211:4#ra-verified"], kills=["cmp.pop.ra-verified-by-nobody"])
def ra_verified_by_ra(lab: CmpLab) -> None:
    """RaVerified of a registration authority takes the place of a proof."""
    signer = lab.authority
    answer = lab.send(lab.ir(lab.request(proof=crmf.RA_VERIFIED), body=Body.CR, protection=signer))
    lab.check(not lab.denied(answer), f"raVerified of a registration authority gives {answer}")
    lab.settle(answer)


def p10cr(lab: CmpLab) -> Draft:
    """A p10cr, for a new key."""
    key = lab.key()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, lab.shared.name())])
    csr = x509.CertificateSigningRequestBuilder(name).sign(key, hashes.SHA256())
    return lab.draft(Body.P10CR, content=csr.public_bytes(Encoding.DER))


negative(
    "cmp.pop.pkcs10",
    "A p10cr whose signature does not verify is refused",
    covers=_ENFORCED,
    control=p10cr,
    mutation=Mutation(
        "one bit of the signature",
        "RFC 2986 section 4.2",
        lambda draft: replace(draft, content=draft.content[:-1] + bytes((draft.content[-1] ^ 1,))),
    ),
    failures={"badPOP", "badDataFormat"},
)

# -- poposkInput -------------------------------------------------------------------------------------------------------


def _named(signer_sender: bytes) -> bytes:
    """AuthInfo: sender."""
    return der.tlv(0xA0, signer_sender)


def _updating(lab: CmpLab) -> Draft:
    """A kur whose template has a key and no subject, which is that of the certificate, so that there is a poposkInput."""
    device = lab.enroll()
    key = lab.key()
    given = crmf.signing_key_input(_named(device.signer.sender), crmf.spki(key))
    return lab.ir(CertRequest(key, None, input=given), body=Body.KUR, protection=device.signer)


_INPUT = ["rfc9810:5.2.8.2#input-present", "rfc4211:4.1#input-present", "rfc4211:B#signature-over-input"]


@case("cmp.pop.input", covers=_INPUT, kills=["cmp.pop.input-refused"])
def popo_input(lab: CmpLab) -> None:
    """A template without a subject has a poposkInput, over which the proof is."""
    answer = lab.send(_updating(lab))
    lab.check(not lab.denied(answer), f"a kur with a poposkInput gives {answer}")
    lab.settle(answer)


negative(
    "cmp.pop.no-input",
    "A template without a subject, and without a poposkInput, is refused",
    covers=_INPUT,
    control=_updating,
    mutation=request("no poposkInput", "RFC 4211 section 4.1", input=b""),
    failures=_POP,
    level=Level.MAY,
)
negative(
    "cmp.pop.input-beside-subject",
    "A poposkInput beside a template with subject and key is refused",
    covers=["rfc9810:5.2.8.2#input-omitted"],
    control=lambda lab: lab.ir(body=Body.KUR, protection=lab.enroll().signer),
    mutation=Mutation(
        "a poposkInput that is not needed",
        "RFC 9810 section 5.2.8.2",
        lambda draft: replace(
            draft,
            requests=tuple(
                replace(one, input=crmf.signing_key_input(_named(draft.protection.sender), crmf.spki(one.key)))
                for one in draft.requests
            ),
        ),
    ),
    failures=_POP,
    level=Level.MAY,
    kills=["cmp.pop.signature-unchecked"],
)


def _input(name: str, sender: bytes | None, other_key: bool) -> Mutation:
    def change(draft: Draft, lab_key: object) -> Draft:
        (one,) = draft.requests
        who = draft.protection.sender if sender is None else sender
        key = lab_key if other_key else one.key
        return replace(draft, requests=(replace(one, input=crmf.signing_key_input(_named(who), crmf.spki(key))),))

    return Mutation(name, "RFC 4211 section 4.1", lambda draft: change(draft, CmpLab.key()))


negative(
    "cmp.pop.input-of-other-key",
    "A poposkInput with another key than the template is refused",
    covers=["rfc4211:4.1#input-same-key"],
    control=_updating,
    mutation=_input("another key in poposkInput", None, True),
    failures=_POP,
    kills=["cmp.pop.signature-unchecked"],
)
negative(
    "cmp.pop.input-of-other-sender",
    "A poposkInput of another sender than the message is refused",
    covers=["rfc4211:4.1#input-present"],
    control=_updating,
    mutation=_input("another sender in poposkInput", der.directory_name(crmf.common_name("somebody else")), False),
    failures=_POP,
    kills=["cmp.pop.input-sender-unchecked"],
)


def _by_mac(lab: CmpLab, *, spoil: bool = False) -> Draft:
    """An ir whose poposkInput has a MAC under the secret of the message, over the key."""
    mac, key = lab.mac, lab.key()
    public = crmf.spki(key)
    value = mac.protect(public)
    if spoil:
        value = value[:-1] + bytes((value[-1] ^ 1,))
    given = crmf.signing_key_input(der.sequence(mac.algorithm, der.bits(value)), public)
    # No subject: the name is in the subjectAltName.
    names = crmf.extension(x509.SubjectAlternativeName([x509.DNSName(lab.shared.name())]), critical=True)
    return lab.ir(CertRequest(key, None, extensions=(names,), input=given), protection=mac)


@case("cmp.pop.input-by-mac", covers=["rfc4211:4.1#password-mac"], kills=["cmp.pop.input-refused"])
def input_by_mac(lab: CmpLab) -> None:
    """A password-based MAC in a poposkInput authenticates the key."""
    answer = lab.send(_by_mac(lab))
    lab.check(not lab.denied(answer), f"a poposkInput with a password-based MAC gives {answer}")
    lab.settle(answer)


@case("cmp.pop.input-by-bad-mac", covers=["rfc4211:4.1#password-mac"], kills=["cmp.pop.password-mac-unchecked"])
def input_by_bad_mac(lab: CmpLab) -> None:
    """A MAC in a poposkInput that does not verify is refused."""
    right = lab.send(_by_mac(lab))
    if lab.denied(right):
        raise Unsupported(f"a poposkInput with a password-based MAC gives {right}")
    lab.settle(right)
    with lab.examination.during("spoilt"):
        lab.refused(lab.send(_by_mac(lab, spoil=True)), _POP)


# -- keys that decrypt -------------------------------------------------------------------------------------------------


@cache
def _rsa() -> rsa.RSAPrivateKey:
    """One key for all, since it takes a while to make."""
    return rsa.generate_private_key(65537, 2048)


def _asked(lab: CmpLab, proof: bytes, key: rsa.RSAPrivateKey, body: Body, pvno: int) -> Answer:
    answer = lab.send(lab.ir(lab.request(key=key, proof=proof), pvno=pvno))
    reply = answer.reply
    if reply is not None and reply.refused:
        raise Unsupported(f"this proof of possession is not supported: {answer}")
    lab.require(reply is not None and reply.body is body, f"a request for it gives {answer}")
    return answer


def _opened(octets: bytes, key: rsa.RSAPrivateKey) -> bytes:
    return encrypted_value(octets, key) if is_encrypted_value(octets) else enveloped(octets).open(key)


@case(
    "cmp.pop.encrypted-certificate",
    covers=["rfc9810:8.2#decrypted-value", "rfc9810:5.2.8.3.2#recipient-identified"],
    feature="encrypted-certificate",
    kills=["cmp.pop.encrypted-certificate-garbled", "cmp.pop.recipient-unnamed"],
)
def encrypted_certificate(lab: CmpLab) -> None:
    """A certificate that comes encrypted for its own key is confirmed by who can decrypt it."""
    key = _rsa()
    answer = _asked(lab, crmf.ENCRYPTED_CERTIFICATE, key, Body.IP, 3)
    assert answer.reply is not None
    (response,) = answer.reply.responses
    lab.require(response.encrypted is not None, f"the certificate does not come encrypted: {answer}")
    opened = _opened(response.encrypted or b"", key)
    try:
        certificate = x509.load_der_x509_certificate(opened)
    except ValueError as error:
        lab.check(False, f"what was encrypted is no certificate: {error}")
        return
    lab.check(certificate.public_key() == key.public_key(), "the certificate is for another key")
    if not is_encrypted_value(response.encrypted or b""):
        recipient = enveloped(response.encrypted or b"").recipient
        wanted = (certificate.issuer.public_bytes(), certificate.serial_number)
        where = "rfc9810:5.2.8.3.2#recipient-identified"
        lab.check(recipient in (None, wanted), f"the recipient is {recipient}, the certificate {wanted}", where)
    status = der.sequence(der.octets(certificate_hash(opened)), der.integer(response.id))
    confirmed = lab.send(lab.confirmation(answer, status))
    lab.check(not lab.denied(confirmed), f"the certConf of who decrypted it gives {confirmed}")


@case(
    "cmp.pop.encrypted-certificate-guessed",
    covers=["rfc9810:4.3#pop-enforced"],
    feature="encrypted-certificate",
    kills=["cmp.confirmation.hash-unchecked", "cmp.pop.encrypted-certificate-in-clear"],
)
def encrypted_certificate_guessed(lab: CmpLab) -> None:
    """Who cannot decrypt a certificate does not have it, and cannot confirm it."""
    answer = _asked(lab, crmf.ENCRYPTED_CERTIFICATE, _rsa(), Body.IP, 3)
    assert answer.reply is not None
    lab.check(answer.reply.responses[0].certificate_der is None, "the certificate comes in clear before possession is proven")
    with lab.examination.during("spoilt"):
        refused = lab.send(lab.confirmation(answer, der.sequence(der.octets(bytes(32)), der.integer(0))))
    lab.refused(refused, {"badCertId", "badPOP", "incorrectData", "badRequest"})


def _challenges(reply: Reply) -> list[list[der.Element]]:
    return [one.children for one in der.element(reply.content).children]


_CHALLENGE = "rfc9810:5.2.8.3.3#"


@case(
    "cmp.pop.challenge-cmp2021",
    covers=[
        _CHALLENGE + "encrypted-rand",
        _CHALLENGE + "challenge-empty",
        _CHALLENGE + "challenge-rid",
        "rfc9810:8.2#decrypted-value",
        "rfc9810:F#owf-in-first",
    ],
    feature="challenge",
    kills=["cmp.pop.challenge-rid", "cmp.pop.challenge-without-owf"],
)
def challenge_cmp2021(lab: CmpLab) -> None:
    """Under cmp2021 the number of a challenge comes in an EnvelopedData, and who answers it gets a certificate."""
    key = _rsa()
    answer = _asked(lab, crmf.CHALLENGE, key, Body.POPDECC, 3)
    assert answer.reply is not None
    (parts,) = _challenges(answer.reply)
    lab.check(parts[0].tag == der.SEQUENCE, "the first challenge has no owf", "rfc9810:F#owf-in-first")
    rest = parts[1:] if parts[0].tag == der.SEQUENCE else parts
    lab.require(len(rest) == 3 and rest[2].tag == 0xA0, "the challenge has no encryptedRand", _CHALLENGE + "encrypted-rand")
    lab.check(rest[1].content == b"", "the field challenge is not empty", _CHALLENGE + "challenge-empty")
    sealed = enveloped(rest[2].content)
    lab.check(sealed.recipient == (b"\x30\x00", 0), f"the recipient is {sealed.recipient}", _CHALLENGE + "challenge-rid")
    _answer(lab, answer, sealed.open(key))


@case(
    "cmp.pop.challenge-cmp2000",
    covers=[_CHALLENGE + "challenge-cmp2000", "rfc9810:F#encrypted-rand-omitted"],
    feature="challenge",
    kills=["cmp.pop.challenge-cmp2000-enveloped"],
)
def challenge_cmp2000(lab: CmpLab) -> None:
    """Under cmp2000 the number of a challenge is encrypted for the key itself, and encryptedRand is left out."""
    key = _rsa()
    answer = _asked(lab, crmf.CHALLENGE, key, Body.POPDECC, 2)
    assert answer.reply is not None
    (parts,) = _challenges(answer.reply)
    lab.check(all(one.tag != 0xA0 for one in parts), "there is an encryptedRand", "rfc9810:F#encrypted-rand-omitted")
    sealed = [one for one in parts if one.tag == 0x04]
    lab.require(len(sealed) == 2 and sealed[1].content, "the challenge has no number")
    _answer(lab, answer, key.decrypt(sealed[1].content, padding.PKCS1v15()))


def _answer(lab: CmpLab, answer: Answer, rand: bytes) -> None:
    """Answer a challenge, and confirm what comes."""
    inside = der.element(rand).children
    lab.require(len(inside) == 2 and inside[0].tag == 0x02, "what was encrypted is no Rand")
    granted = lab.send(lab.next(answer, Body.POPDECR, content=der.sequence(inside[0].raw)))
    issued = lab.issued(granted)
    lab.require(issued, f"the right answer to a challenge gives {granted}")
    confirmed = lab.send(lab.confirmation(granted, cert_status(issued[0])))
    lab.check(not lab.denied(confirmed), f"the certConf gives {confirmed}")


@case(
    "cmp.pop.challenge-wrong-answer",
    covers=["rfc9810:4.3#pop-enforced"],
    feature="challenge",
    kills=["cmp.pop.challenge-unchecked"],
)
def challenge_wrong_answer(lab: CmpLab) -> None:
    """Another number than that of the challenge gets no certificate."""
    answer = _asked(lab, crmf.CHALLENGE, _rsa(), Body.POPDECC, 2)
    with lab.examination.during("spoilt"):
        refused = lab.send(lab.next(answer, Body.POPDECR, content=der.sequence(der.integer(4711))))
    lab.refused(refused, _POP)


@case(
    "cmp.pop.challenges-differ",
    covers=["rfc9810:F#different-integers"],
    feature="challenge",
    kills=["cmp.pop.challenge-fixed"],
)
def challenges_differ(lab: CmpLab) -> None:
    """Each challenge has a number of its own."""
    first, second = (_asked(lab, crmf.CHALLENGE, _rsa(), Body.POPDECC, 2) for _ in range(2))
    witnesses = []
    for answer in (first, second):
        assert answer.reply is not None
        (parts,) = _challenges(answer.reply)
        witnesses.append(next(one.content for one in parts if one.tag == 0x04))
    lab.check(witnesses[0] != witnesses[1], "two challenges have the same witness")


@case(
    "cmp.pop.signing-key-by-encryption",
    covers=["rfc9810:4.3#pop-enforced"],
    kills=["cmp.pop.any-key-decrypts"],
)
def signing_key_by_encryption(lab: CmpLab) -> None:
    """A key that only signs cannot prove its possession by decrypting."""
    lab.settle(lab.unconfirmed())
    with lab.examination.during("spoilt"):
        key = ed25519.Ed25519PrivateKey.generate()
        refused = lab.send(lab.ir(lab.request(key=key, proof=crmf.ENCRYPTED_CERTIFICATE)))
    lab.refused(refused, {"badPOP", "badCertTemplate", "badAlg"})


# -- keys that are made for the client ---------------------------------------------------------------------------------


@case(
    "cmp.pop.central-key",
    covers=["rfc9810:5.2.2#enveloped", "rfc9810:5.2.2#enveloped-structure", "rfc9810:5.2.2#key-management"],
    feature="central-key-generation",
    kills=["cmp.pop.central-key-missing", "cmp.pop.central-key-in-clear"],
)
def central_key(lab: CmpLab) -> None:
    """A key that is made for the client comes in an EnvelopedData, by one of the ways of CMS."""
    mac = lab.mac
    wanted = der.algorithm("1.2.840.10045.2.1", der.oid("1.2.840.10045.3.1.7"))
    public = b"\xa6" + der.sequence(wanted, der.bits(b""))[1:]
    one = CertRequest(None, crmf.common_name(lab.shared.name()), fields={6: public}, proof=b"")
    answer = lab.send(lab.ir(one, protection=mac, pvno=3))
    reply = answer.reply
    if reply is not None and reply.refused:
        raise Unsupported(f"no key is made for clients: {answer}")
    lab.require(lab.issued(answer), f"a request for a key gives {answer}")
    assert reply is not None
    sealed = reply.responses[0].private_key
    lab.require(sealed is not None, "the answer has a certificate, and no private key for it")
    lab.check(sealed is not None and sealed[:1] == b"\xa0", "the private key does not come in an EnvelopedData")
    kinds = enveloped(sealed or b"").kinds
    lab.check(
        kinds and set(kinds) <= {"ktri", "kari", "pwri", "ori"},
        f"ways of key management: {kinds}",
        "rfc9810:5.2.2#key-management",
    )
    lab.settle(answer)
