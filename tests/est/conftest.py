"""A whole CA with an EST service in one process, without a socket: real store, keys, door and credentials, and a clock that is set.

CSRs are made, and replies read, by the certificate library alone: no codec of the server's.
"""

import itertools
import json
from base64 import b64decode, b64encode
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.hazmat.primitives.serialization.pkcs7 import load_der_pkcs7_certificates
from cryptography.x509.oid import NameOID

from privca.base.entropy import SystemEntropy, token
from privca.base.exchange import Exchange
from privca.base.http import ChannelBinding, Peer, Request
from privca.enrollment.authentication import Authentication
from privca.enrollment.ports import Code, Passcode
from privca.est.rfc5272.challenge import PopChallenges
from privca.est.rfc5272.pending import PendTokens
from privca.est.rfc7030.call import Core
from privca.est.rfc7616 import Nonces
from privca.est.service import EstService
from privca.issuance.options.est import EstOptions
from privca.issuance.ports import RevocationReason
from privca.issuance.profile import Names, Profile, SubjectRule, Template
from privca.keys.decryption import DecryptionKeyFiles
from privca.keys.made_for_others import KeysForOthers
from tests.support.issuance_lab import IssuanceLab, direct, run

ORIGIN = "https://ca.example.test"
USER, CODE = "device", "open sesame"
PKCS10 = {"content-type": "application/pkcs10"}
TEMPLATE = Template(
    subject={"CN": SubjectRule(), "O": SubjectRule(), "serialNumber": SubjectRule()},
    names=("dns", "ip", "email", "uri"),
    names_required=False,
    key_usage=("digitalSignature", "keyEncipherment", "keyAgreement"),
    extended_key_usage=("clientAuth",),
)
RA_TEMPLATE = Template(subject={"CN": SubjectRule()}, names_required=False, extended_key_usage=("cmcRA",))


def basic(user=USER, password=CODE):
    return {"authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


class Session:
    """A TLS connection with these channel bindings."""

    def __init__(self, version="TLSv1.3", bindings=None, chain=()):
        self.version = version
        self.bindings = {ChannelBinding.TLS_EXPORTER: b"e" * 32} if bindings is None else bindings
        self.sent = tuple(chain)

    def chain(self):
        return self.sent

    def channel_binding(self, kind):
        return self.bindings.get(kind)


class Enrolled:
    """A key with its certificate."""

    def __init__(self, key, der):
        self.key, self.der = key, der
        self.certificate = x509.load_der_x509_certificate(der)

    @property
    def serial(self):
        return self.certificate.serial_number.to_bytes(20, "big")


class Lab:
    def __init__(self, directory):
        self.directory = directory
        self.ca = IssuanceLab(directory).make()
        self.clock, self.store, self.entropy = self.ca.clock, self.ca.store, SystemEntropy()
        self.credentials = Authentication(self.store)
        self.service = EstService(
            Core(
                door=self.ca.door,
                credentials=self.credentials,
                authorities=self.ca.authorities,
                delegates=self.ca.delegates,
                keys=self.ca.keys,
                maker=KeysForOthers(direct),
                decryption_keys=DecryptionKeyFiles(directory / "keys" / "est"),
                entropy=self.entropy,
                nonces=Nonces(b"n" * 32),
                lists=self.ca.lists,
                pend_tokens=PendTokens(b"p" * 32),
                pop_challenges=PopChallenges(b"c" * 32),
            )
        )
        self._numbers = itertools.count(1)
        self._ids, self._profiles = {}, {}

    # -- what tests ask for

    def profile(self, *, est=None, names=None, template=TEMPLATE, code=True, **fields):
        """The ID of a profile with these options."""
        spelled = json.dumps([est, names, fields, repr(template)], sort_keys=True, default=str)
        if spelled not in self._ids:
            id = self._ids[spelled] = f"p{len(self._ids)}"
            settings = {
                "protocol": "est",
                "issuer": "issuing",
                "template": "lab",
                "authentication": ("code", "otp", "certificate"),
                "renewal_window": "90d",
                **fields,
            }
            profile = Profile(**settings, est=EstOptions(**(est or {})), names=Names(**(names or {})))
            run(self.store.save_profile(id, profile, template))
            self._profiles[id] = run(self.store.profile(id))
            if code:
                run(self.store.save_code(Code(id, USER, CODE.encode(), self.clock.now())))
        return self._ids[spelled]

    def passcode(self, profile, reference="once", value=None, life=None):
        value = value or f"pass-{next(self._numbers)}"
        now = self.clock.now()
        made = Passcode(token(self.entropy, 9), profile, reference, value.encode(), now, now + (life or timedelta(hours=1)))
        run(self.store.add_passcode(made))
        return value

    def name(self):
        """A name that nothing else uses."""
        return f"d{next(self._numbers)}.example.test"

    def ask(
        self,
        operation,
        body=b"",
        *,
        profile=None,
        method=None,
        headers=None,
        certificate=None,
        session=None,
        tls=True,
        query="",
        path=None,
    ):
        """One request to its reply, which rests on a clause."""
        id = profile or self.profile()
        method = method or ("GET" if operation in ("cacerts", "csrattrs") else "POST")
        peer = Peer("192.0.2.9", tls, certificate, (session or Session()) if tls else None)
        request = Request(
            method, path or f"/.well-known/est/{id}/{operation}", operation, query, headers or {}, body, peer, ORIGIN
        )
        exchange = Exchange(token(self.entropy, 12), self.clock.now(), self.entropy, id)
        response = run(self.service.handle(exchange, request, self._profiles[id]))
        assert exchange.decision.outcome, "every exchange is decided"
        assert exchange.decision.clause, "every decision rests on a clause"
        self.exchange = exchange
        return response

    def post(self, operation, csr, **facts):
        """A CSR in base64 with the code, unless the facts say otherwise."""
        headers = facts.pop("headers", None)
        headers = {**PKCS10, **(basic() if headers is None else headers)}
        return self.ask(operation, b64encode(csr), headers=headers, **facts)

    def enroll(self, profile=None, key=None, names=None, subject=None, **facts):
        """An issued certificate."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        response = self.post("simpleenroll", csr(key, names or [self.name()], subject), profile=profile, **facts)
        return Enrolled(key, only(response))

    def revoke(self, enrolled, reason=RevocationReason.KEY_COMPROMISE):
        run(self.ca.revocation.revoke(enrolled.serial, reason, "operator", self.clock.now()))

    def issued(self):
        """How many certificates there are: for what is refused leaves none."""
        return len(run(self.store.certificates(limit=100_000)))

    def close(self):
        self.store.close()


def name(*attributes):
    """A subject of pairs, as ``("CN", "x")``."""
    oids = {"CN": NameOID.COMMON_NAME, "O": NameOID.ORGANIZATION_NAME, "serialNumber": NameOID.SERIAL_NUMBER}
    return x509.Name([x509.NameAttribute(oids[short], value) for short, value in attributes])


def tlv(tag, *contents):
    content = b"".join(contents)
    length = len(content)
    size = b"" if length < 128 else length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size) if size else length)) + size + content


def oid(dotted):
    first, second, *rest = map(int, dotted.split("."))
    octets = b""
    for number in [40 * first + second, *rest]:
        part = bytes((number & 0x7F,))
        while number := number >> 7:
            part = bytes((0x80 | number & 0x7F,)) + part
        octets += part
    return tlv(0x06, octets)


def attribute(dotted, *values):
    """An Attribute, DER."""
    return tlv(0x30, oid(dotted), tlv(0x31, *sorted(values)))


EXTENSION_REQUEST, CHALLENGE_PASSWORD = "1.2.840.113549.1.9.14", "1.2.840.113549.1.9.7"


def csr(key, names=(), subject=None, password=None, extensions=(), attributes=(), hash=None):
    """A CSR put together by hand; the subject is the first name's unless one is given.

    ``extensions`` are values with their criticality, ``attributes`` whole Attributes in DER.
    """
    if subject is None:
        subject = name(("CN", names[0] if names else "device"))
    if names:
        extensions = [(x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), False), *extensions]
    found = list(attributes)
    if extensions:
        listed = [
            tlv(0x30, oid(value.oid.dotted_string), b"\x01\x01\xff" if critical else b"", tlv(0x04, value.public_bytes()))
            for value, critical in extensions
        ]
        found.append(attribute(EXTENSION_REQUEST, tlv(0x30, *listed)))
    if password is not None:
        found.append(attribute(CHALLENGE_PASSWORD, tlv(0x13, password.encode())))
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    info = tlv(0x30, b"\x02\x01\x00", subject.public_bytes(), spki, tlv(0xA0, *sorted(found)))
    hash = hash or hashes.SHA256()
    if isinstance(key, rsa.RSAPrivateKey):
        algorithm, signature = "1.2.840.113549.1.1.11", key.sign(info, padding.PKCS1v15(), hash)
    else:
        algorithm, signature = _ECDSA[hash.name], key.sign(info, ec.ECDSA(hash))
    null = b"\x05\x00" if isinstance(key, rsa.RSAPrivateKey) else b""
    return tlv(0x30, info, tlv(0x30, oid(algorithm), null), tlv(0x03, b"\0", signature))


_ECDSA = {"sha256": "1.2.840.10045.4.3.2", "sha384": "1.2.840.10045.4.3.3", "sha512": "1.2.840.10045.4.3.4"}


def change_subject_name(subject=None, names=()):
    """The attribute of RFC 6402 section 2.8 with erratum 3943."""
    alternative = [tlv(0x82, one.encode()) for one in names]
    value = tlv(0x30, b"" if subject is None else subject.public_bytes(), tlv(0xA1, *alternative) if names else b"")
    return attribute("1.3.6.1.5.5.7.7.36", value)


def spelled(octets, columns=64, end=b"\n"):
    """Base64 in lines."""
    text = b64encode(octets)
    return end.join([text[at : at + columns] for at in range(0, len(text), columns)]) + end


def certificates(response):
    """The certificates of a certs-only reply, DER."""
    assert response.status == 200, response.body
    return [one.public_bytes(Encoding.DER) for one in load_der_pkcs7_certificates(b64decode(response.body))]


def only(response):
    """The one certificate of an enrollment."""
    assert response.status == 200, response.body
    assert response.header("Content-Type") == "application/pkcs7-mime; smime-type=certs-only"
    (found,) = certificates(response)
    return found


def refused(response, status, clause, *words):
    """A refusal in text that names the clause."""
    assert response.status == status, (response.status, response.body)
    assert response.header("Content-Type") == "text/plain; charset=utf-8"
    text = response.body.decode()
    assert clause in text, text
    for word in words:
        assert word in text, text


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """One for all tests that neither move the clock nor mind each other."""
    made = Lab(tmp_path_factory.mktemp("est"))
    yield made
    made.close()


@pytest.fixture
def own_lab(tmp_path):
    """One for a test that moves the clock or rolls keys over."""
    made = Lab(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="session")
def key():
    return ec.generate_private_key(ec.SECP256R1())
