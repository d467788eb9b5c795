"""RFC 8737 (tls-alpn-01), RFC 8738 (IP identifiers) and RFC 9773 (renewal information)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from cryptography import x509

from conformance.acme import enrollment
from conformance.acme.client import Account, Identifier, dns, ip
from conformance.acme.draft import Draft
from conformance.acme.enrollment import poll, prove
from conformance.acme.keys import b64, unb64
from conformance.acme.lab import AcmeLab, negative, said
from conformance.acme.mutations import member
from conformance.acme.responders import HttpResponder, TlsAlpnResponder, reverse_name, validation_certificate
from conformance.case import case
from conformance.examination import Inconclusive, NotApplicable, Unsupported

_ALPN = "tls-alpn-01"
_TLS_1_2 = 0x0303
_PATIENCE = 10.0
"""Seconds that a connection may last whose handshake is all that it is for."""
_ADDRESS = "127.0.0.1"


def _alpn(lab: AcmeLab) -> TlsAlpnResponder:
    responder = lab.shared.responders.get(_ALPN)
    if not isinstance(responder, TlsAlpnResponder):
        raise NotApplicable("the run can meet no tls-alpn-01")
    return responder


@case(
    "acme.tls-alpn.validated",
    covers=["rfc8737:3#alpn-and-sni", "rfc8737:4#no-data", "rfc8737:4#tls-version"],
    kills=["acme.tls-alpn.without-sni"],
    needs=[_ALPN, "validates"],
    feature=_ALPN,
)
def alpn_validated(lab: AcmeLab) -> None:
    """The server connects with ALPN acme-tls/1 and the name in SNI, and believes the right certificate."""
    responder, name = _alpn(lab), lab.shared.name()
    _, order = lab.order(name)
    before = len(responder.seen)
    try:
        prove(lab.client, lab.account, order["authorizations"][0], responder)
    except enrollment.Failed as failure:
        asked = [one.hello.server_name for one in responder.seen[before:]]
        lab.require(not asked or name in asked, f"the server asked for {asked}, not for {name}")
        raise Inconclusive(str(failure)) from None
    asked = [one.hello.server_name for one in responder.seen[before:]]
    lab.check(name in asked, f"the server asked for {asked}, not for {name}")
    for one in responder.seen[before:]:
        offered, versions = one.hello.protocols, one.hello.versions
        lab.check(offered == ("acme-tls/1",), f"the protocols offered are {offered}")
        lab.check(min(versions, default=0) >= _TLS_1_2, f"the versions offered are {versions}", "rfc8737:4#tls-version")
        one.ended.wait(_PATIENCE)
        lab.check(not one.data, f"after the handshake came {one.data[:40]!r}", "rfc8737:4#no-data")
        lab.check(one.closed, f"the connection was still open after {_PATIENCE} s", "rfc8737:4#no-data")


@case(
    "acme.tls-alpn.upper-case",
    covers=["rfc8737:3#case-insensitive", "rfc8737:3#certificate-extensions"],
    kills=["acme.tls-alpn.case-sensitive"],
    needs=[_ALPN, "validates"],
    feature=_ALPN,
)
def alpn_upper_case(lab: AcmeLab) -> None:
    """A validation certificate that has the name in capitals proves it."""
    responder = _alpn(lab)
    at = lab.order()[1]["authorizations"][0]
    found = lab.read(at)
    challenge = next((one for one in found["challenges"] if one["type"] == _ALPN), None)
    if challenge is None:
        raise Unsupported("no tls-alpn-01 is offered")
    capitals = {"type": "dns", "value": found["identifier"]["value"].upper()}
    responder.serve(found["identifier"], validation_certificate(capitals, lab.account.key.key_authorization(challenge["token"])))
    try:
        lab.sure(lambda: lab.client.perform(lab.client.respond(lab.account, challenge["url"])))
        done = lab.sure(lambda: poll(lab.client, lab.account, at, lambda one: one["status"] != "pending"))
    finally:
        responder.withdraw(found["identifier"], challenge["token"])
    lab.check(done["status"] == "valid", f"the authorization became {done['status']}")


def _refused_certificate(name: str, title: str, requirement: str, spoil: str, fault: str) -> None:
    """A validation certificate that is wrong in one way does not prove the name."""

    def body(lab: AcmeLab) -> None:
        responder = _alpn(lab)
        with lab.examination.during("control before"):
            lab.sure(lambda: prove(lab.client, lab.account, lab.order()[1]["authorizations"][0], responder))
        with lab.examination.during("spoilt"):
            url, order = lab.order()
            at = order["authorizations"][0]
            found = lab.read(at)
            challenge = next((one for one in found["challenges"] if one["type"] == _ALPN), None)
            if challenge is None:
                raise Unsupported("no tls-alpn-01 is offered")
            identifier, proof = found["identifier"], lab.account.key.key_authorization(challenge["token"])
            named = {"type": "dns", "value": lab.shared.name()} if spoil == "name" else identifier
            said_proof = f"{proof}x" if spoil == "digest" else proof
            pair = validation_certificate(named, said_proof, critical=spoil != "critical")
            responder.serve(identifier, pair)
            try:
                lab.sure(lambda: lab.client.perform(lab.client.respond(lab.account, challenge["url"])))
                done = lab.sure(lambda: poll(lab.client, lab.account, at, lambda one: one["status"] != "pending"))
            finally:
                responder.withdraw(identifier, challenge["token"])
        lab.check(done["status"] == "invalid", f"the authorization became {done['status']} ({url})")

    body.__doc__ = title
    case(f"acme.tls-alpn.{name}", covers=[f"rfc8737:3#{requirement}"], kills=[fault], needs=[_ALPN, "validates"], feature=_ALPN)(
        body
    )


_refused_certificate(
    "other-name", "A validation certificate for another name proves nothing", "one-name", "name", "acme.tls-alpn.name-unchecked"
)
_refused_certificate(
    "other-digest",
    "A validation certificate with another digest proves nothing",
    "digest",
    "digest",
    "acme.tls-alpn.digest-unchecked",
)
_refused_certificate(
    "not-critical",
    "A validation certificate whose acmeIdentifier is not critical proves nothing",
    "critical",
    "critical",
    "acme.tls-alpn.critical-unchecked",
)


@case(
    "acme.tls-alpn.incomplete",
    covers=["rfc8737:3#certificate-extensions", "rfc8737:3#one-name"],
    kills=["acme.tls-alpn.digest-not-needed", "acme.tls-alpn.name-not-needed", "acme.tls-alpn.one-of-several-names"],
    needs=[_ALPN, "validates"],
    feature=_ALPN,
)
def incomplete(lab: AcmeLab) -> None:
    """A validation certificate without acmeIdentifier, without subjectAltName, or with a second name proves nothing."""
    responder = _alpn(lab)
    with lab.examination.during("control before"):
        lab.sure(lambda: prove(lab.client, lab.account, lab.order()[1]["authorizations"][0], responder))
    wrong: dict[str, Callable[[Identifier, str], tuple[bytes, bytes]]] = {
        "without acmeIdentifier": lambda one, proof: validation_certificate(one, proof, digest=False),
        "without subjectAltName": lambda one, proof: validation_certificate(one, proof, names=[]),
        "with a second name": lambda one, proof: validation_certificate(one, proof, names=[one, *dns(lab.shared.name())]),
    }
    with lab.examination.during("spoilt"):
        # All at once: a server may take its time before it gives up.
        tried = {what: _try(lab, lab.order()[1]["authorizations"][0], make) for what, make in wrong.items()}
        for what, at in tried.items():
            done = lab.sure(partial(poll, lab.client, lab.account, at, lambda one: one["status"] != "pending"))
            requirement = "rfc8737:3#one-name" if "second" in what else "rfc8737:3#certificate-extensions"
            lab.check(done["status"] == "invalid", f"{what} the authorization became {done['status']}", requirement)


def _try(lab: AcmeLab, at: str, make: Callable[[Identifier, str], tuple[bytes, bytes]]) -> str:
    """Answer tls-alpn-01 of an authorization with a certificate of one's own; the authorization's URL."""
    found = lab.read(at)
    challenge = next((one for one in found["challenges"] if one["type"] == _ALPN), None)
    if challenge is None:
        raise Unsupported("no tls-alpn-01 is offered")
    # It stays there: nobody asks for this name again.
    _alpn(lab).serve(found["identifier"], make(found["identifier"], lab.account.key.key_authorization(challenge["token"])))
    lab.sure(lambda: lab.client.perform(lab.client.respond(lab.account, challenge["url"])))
    return at


# -- IP identifiers -----------------------------------------------------------------------------------------------------


@case(
    "acme.ip.http-01",
    covers=[
        "rfc8738:3#type-ip",
        "rfc8738:4#no-resolution",
        "rfc8738:5#host-header",
        "rfc8738:5#host-form",
        "rfc8738:7#no-dns-01",
    ],
    kills=["acme.ip.type-dns", "acme.ip.dns-01-offered"],
    needs=["http-01", "validates"],
    feature="ip",
)
def ip_http(lab: AcmeLab) -> None:
    """An IP address is authorized as type ip, by http-01 at that very address, never by dns-01."""
    responder = lab.shared.responders["http-01"]
    assert isinstance(responder, HttpResponder)
    reply = lab.client.send(lab.client.new_order(lab.account, ip(_ADDRESS)))
    if reply.error in ("unsupportedIdentifier", "rejectedIdentifier"):
        raise Unsupported(f"IP identifiers: {said(reply)}")
    lab.require(reply.status == 201, f"newOrder for an IP address gives {said(reply)}")
    at = reply.object["authorizations"][0]
    found = lab.read(at)
    lab.check(found["identifier"] == {"type": "ip", "value": _ADDRESS}, f"the authorization is for {found['identifier']}")
    kinds = [one["type"] for one in found["challenges"]]
    lab.check("dns-01" not in kinds, f"offered: {kinds}", "rfc8738:7#no-dns-01")
    if found["status"] == "valid":
        return
    before = len(responder.seen)
    lab.sure(lambda: prove(lab.client, lab.account, at, responder))
    hosts = {host.rpartition(":")[0] or host for _, host in responder.seen[before:]}
    lab.check(hosts <= {_ADDRESS}, f"the Host was {hosts}", "rfc8738:5#host-header")


@case(
    "acme.ip.tls-alpn-01",
    covers=["rfc8738:6#reverse-sni", "rfc8738:6#one-address"],
    kills=["acme.ip.sni-address"],
    needs=[_ALPN, "validates"],
    feature="ip",
)
def ip_alpn(lab: AcmeLab) -> None:
    """An IP address is asked for by its reverse name in SNI."""
    responder, account = _alpn(lab), lab.new_account()
    reply = lab.client.send(lab.client.new_order(account, ip(_ADDRESS)))
    if reply.error in ("unsupportedIdentifier", "rejectedIdentifier"):
        raise Unsupported(f"IP identifiers: {said(reply)}")
    lab.require(reply.status == 201, f"newOrder for an IP address gives {said(reply)}")
    before, failed = len(responder.seen), ""
    try:
        prove(lab.client, account, reply.object["authorizations"][0], responder)
    except enrollment.Failed as failure:
        failed = str(failure)
    names = {one.hello.server_name for one in responder.seen[before:]}
    lab.require(names == {reverse_name(_ADDRESS)}, f"SNI was {names}")
    if failed:
        raise Inconclusive(failed)


@case(
    "acme.ip.tls-alpn-01-other-address",
    covers=["rfc8738:6#one-address"],
    kills=["acme.tls-alpn.name-unchecked"],
    needs=[_ALPN, "validates"],
    feature="ip",
)
def ip_alpn_other(lab: AcmeLab) -> None:
    """A validation certificate for another address proves nothing; the right one does."""
    responder = _alpn(lab)

    def authorization() -> tuple[Account, str]:
        """A pending one, of an account that has proven nothing."""
        account = lab.new_account()
        reply = lab.client.send(lab.client.new_order(account, ip(_ADDRESS)))
        if reply.error in ("unsupportedIdentifier", "rejectedIdentifier"):
            raise Unsupported(f"IP identifiers: {said(reply)}")
        lab.require(reply.status == 201, f"newOrder for an IP address gives {said(reply)}")
        return account, str(reply.object["authorizations"][0])

    with lab.examination.during("control before"):
        account, at = authorization()
        lab.sure(lambda: prove(lab.client, account, at, responder))
    with lab.examination.during("spoilt"):
        account, at = authorization()
        found = lab.read(at, account)
        challenge = next((one for one in found["challenges"] if one["type"] == _ALPN), None)
        if challenge is None:
            raise Unsupported("no tls-alpn-01 is offered")
        proof = account.key.key_authorization(challenge["token"])
        responder.serve(found["identifier"], validation_certificate(found["identifier"], proof, names=ip("192.0.2.1")))
        try:
            lab.sure(lambda: lab.client.perform(lab.client.respond(account, challenge["url"])))
            done = lab.sure(lambda: poll(lab.client, account, at, lambda one: one["status"] != "pending"))
        finally:
            responder.withdraw(found["identifier"], challenge["token"])
    lab.check(done["status"] == "invalid", f"the authorization became {done['status']}")


for _value, _why in (("127.0.0.01", "zero"), ("0:0:0:0:0:0:0:1", "long-ipv6"), ("127.0.0.1/32", "block"), ("localhost", "name")):
    negative(
        f"acme.ip.not-canonical-{_why}",
        f"An IP identifier that is {_why.replace('-', ' ')} is refused",
        covers=["rfc8738:3#textual-form"],
        control=lambda lab: _ip_order(lab),
        mutation=member("identifiers", [{"type": "ip", "value": _value}], "RFC 8738 section 3", f"payload.identifiers.{_why}"),
        status=(400, 403),
        errors={"malformed", "rejectedIdentifier", "unsupportedIdentifier"},
        kills=["acme.order.name-error"],
        feature="ip",
    )


def _ip_order(lab: AcmeLab) -> Draft:
    return lab.client.new_order(lab.account, ip(_ADDRESS))


# -- renewal information ------------------------------------------------------------------------------------------------


def certificate_id(certificate: x509.Certificate) -> str:
    """RFC 9773 section 4.1: key identifier of the issuer and serial number, base64url without padding."""
    identifier = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier or b""
    serial = certificate.serial_number.to_bytes(certificate.serial_number.bit_length() // 8 + 1, "big")
    return f"{b64(identifier)}.{b64(serial)}"


@case(
    "acme.renewal.window",
    covers=["rfc9773:3#directory", "rfc9773:4.2#window-order"],
    kills=["acme.renewal.window-reversed"],
    feature="renewal-info",
)
def window(lab: AcmeLab) -> None:
    """The suggested window of a certificate ends after it begins, and there is a Retry-After."""
    base = lab.needs_resource("renewalInfo")
    leaf = lab.enrolled.certificates[0]
    reply = lab.client.get(f"{base.rstrip('/')}/{certificate_id(leaf)}")
    lab.require(reply.status == 200, f"renewalInfo gives {said(reply)}")
    found = reply.object.get("suggestedWindow", {})
    try:
        start, end = (datetime.fromisoformat(str(found[name]).replace("Z", "+00:00")) for name in ("start", "end"))
    except (KeyError, ValueError) as error:
        lab.require(False, f"suggestedWindow is {found!r}: {error}", "rfc9773:4.2#window-order")
        return
    lab.check(start < end, f"the window is {start} to {end}", "rfc9773:4.2#window-order")
    lab.check(reply.header("Retry-After"), "renewalInfo has no Retry-After")


@case("acme.renewal.padding", covers=["rfc9773:4.1#padding"], kills=["acme.renewal.padding-accepted"], feature="renewal-info")
def padding(lab: AcmeLab) -> None:
    """An identifier with padding is no identifier."""
    base = lab.needs_resource("renewalInfo").rstrip("/")
    leaf = lab.enrolled.certificates[0]
    with lab.examination.during("control before"):
        right = lab.client.get(f"{base}/{certificate_id(leaf)}")
    lab.require(right.status == 200, f"renewalInfo gives {said(right)}")
    issuer, _, serial = certificate_id(leaf).partition(".")
    padded = ".".join(part + "=" * (-len(part) % 4 or 1) for part in (issuer, serial))
    with lab.examination.during("spoilt"):
        reply = lab.client.get(f"{base}/{padded}")
    lab.check(reply.status >= 400, f"with padding renewalInfo gives {said(reply)}")


@case(
    "acme.renewal.replaces",
    covers=["rfc9773:5#replaces-reflected", "rfc9773:5#already-replaced"],
    kills=["acme.renewal.replaces-ignored", "acme.renewal.replaced-twice"],
    feature="renewal-info",
)
def replaces(lab: AcmeLab) -> None:
    """Replaces is reflected by the order, and a certificate is replaced once."""
    lab.needs_resource("renewalInfo")
    enrolled = lab.enroll()
    names = enrolled.certificates[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    identifiers = dns(*names.get_values_for_type(x509.DNSName))
    id = certificate_id(enrolled.certificates[0])
    first = lab.client.send(lab.client.new_order(enrolled.account, identifiers, replaces=id))
    lab.require(first.status == 201, f"newOrder with replaces gives {said(first)}")
    lab.check(first.object.get("replaces") == id, f"replaces is {first.object.get('replaces')!r}")
    second = lab.client.send(lab.client.new_order(enrolled.account, identifiers, replaces=id))
    lab.refused(second, status=409, errors={"alreadyReplaced"}, requirement="rfc9773:5#already-replaced")


def _named(lab: AcmeLab, enrolled: enrollment.Enrolled) -> list[Identifier]:
    names = enrolled.certificates[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return dns(*names.get_values_for_type(x509.DNSName))


def _replacing(name: str, title: str, spoil: Callable[[AcmeLab, enrollment.Enrolled], str], fault: str) -> None:
    """An order that says that it replaces what it cannot."""

    def body(lab: AcmeLab) -> None:
        lab.needs_resource("renewalInfo")
        enrolled = lab.enrolled
        identifiers = _named(lab, enrolled)
        with lab.examination.during("control before"):
            control = lab.client.send(lab.client.new_order(lab.account, identifiers))
        if control.status >= 400:
            raise Inconclusive(f"the control was refused: {said(control)}")
        wrong = spoil(lab, enrolled)
        with lab.examination.during("spoilt"):
            reply = lab.client.send(lab.client.new_order(lab.account, identifiers, replaces=wrong))
        lab.check(reply.status != 201, f"newOrder that replaces {wrong} gives {said(reply)}")
        refused = 400 <= reply.status < 500 and reply.error
        lab.check(reply.status == 201 or refused, f"expected a refusal, got {said(reply)}", "rfc9773:5#replaces-rejected")

    body.__doc__ = title
    case(
        f"acme.renewal.{name}",
        covers=["rfc9773:5#replaces-checked", "rfc9773:5#replaces-rejected"],
        kills=[fault],
        feature="renewal-info",
    )(body)


def _unknown(lab: AcmeLab, enrolled: enrollment.Enrolled) -> str:
    issuer, _, serial = certificate_id(enrolled.certificates[0]).partition(".")
    octets = unb64(serial)
    return f"{issuer}.{b64(octets[:-1] + bytes([octets[-1] ^ 1]))}"


def _of_another(lab: AcmeLab, enrolled: enrollment.Enrolled) -> str:
    return certificate_id(lab.enroll(_named(lab, enrolled), account=lab.new_account()).certificates[0])


_replacing(
    "replaces-unknown",
    "An order that replaces a certificate that nobody issued is refused",
    _unknown,
    "acme.renewal.unknown-error",
)
_replacing(
    "replaces-of-another",
    "An order that replaces the certificate of another account is refused",
    _of_another,
    "acme.renewal.replaces-of-others",
)
