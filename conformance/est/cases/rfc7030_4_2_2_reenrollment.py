"""RFC 7030 section 4.2.2: certificates renewed and rekeyed by who has them."""

from __future__ import annotations

from dataclasses import replace

from cryptography import x509
from cryptography.x509.oid import NameOID

from conformance.case import case
from conformance.est import csr
from conformance.est.connections import Enrolled
from conformance.est.draft import Draft, Mutation, presenting
from conformance.est.lab import EstLab, denied, names_of, negative, said
from conformance.examination import Inconclusive, Unsupported

_IDENTICAL = "rfc7030:4.2.2#identical"
_CLAUSE = "RFC 7030 section 4.2.2"
_OTHER = "somebody-else.conformance.test"


@case(
    "est.reenroll.renewed",
    covers=["rfc7030:4.2#supported", _IDENTICAL],
    kills=["est.reenroll.old-certificate"],
)
def renewed(lab: EstLab) -> None:
    """Who presents a certificate in TLS gets another one with the same key, subject and names."""
    old = lab.enroll()
    draft = lab.renewing(old)
    new = lab.granted(lab.client.send(draft), draft.key)
    lab.check(new.serial_number != old.certificate.serial_number, "the old certificate came back")
    _check_same(lab, old, new)


@case("est.reenroll.rekeyed", covers=["rfc7030:4.2#supported", _IDENTICAL], kills=["est.reenroll.rekey-refused"])
def rekeyed(lab: EstLab) -> None:
    """The same with a new key, which the CSR alone proves."""
    old = lab.enroll()
    with lab.examination.during("control before"):
        draft = lab.renewing(old)
        if why := denied(lab.client.send(draft), draft.key):
            raise Inconclusive(f"a renewal was refused: {why}")
    draft = lab.renewing(old, csr.new_key())
    reply = lab.client.send(draft)
    why = denied(reply, draft.key)
    lab.require(not why, f"with a new key: {why}")
    _check_same(lab, old, lab.granted(reply, draft.key))


def _check_same(lab: EstLab, old: Enrolled, new: x509.Certificate) -> None:
    before = old.certificate
    lab.check(
        new.subject == before.subject,
        f"{before.subject.rfc4514_string()!r} became {new.subject.rfc4514_string()!r}",
        _IDENTICAL,
    )
    lab.check(set(names_of(new)) == set(names_of(before)), f"{names_of(before)} became {names_of(new)}", _IDENTICAL)


def _asking(name: str, *, other_subject: bool = False, other_names: bool = False) -> Mutation:
    """A CSR of the same key for somebody else."""

    def change(draft: Draft) -> Draft:
        old = draft.presents
        assert old is not None
        subject, names = old.certificate.subject, names_of(old.certificate)
        if other_subject:
            kept = [one for one in subject if one.oid != NameOID.COMMON_NAME]
            subject = x509.Name([*kept, x509.NameAttribute(NameOID.COMMON_NAME, _OTHER)])
        if other_names:
            names = [_OTHER]
        return replace(draft, der=csr.request(old.key, subject, names, attributes=csr.passwords(draft.der)))

    return Mutation(name, _CLAUSE, change)


negative(
    "est.reenroll.other-subject",
    "A re-enrollment for another subject than that of the certificate is refused",
    covers=[_IDENTICAL],
    control=lambda lab: lab.renewing(lab.enrolled),
    mutation=_asking("subject of the CSR: another common name", other_subject=True),
    kills=["est.reenroll.subject-unchecked"],
)
negative(
    "est.reenroll.other-names",
    "A re-enrollment for another subjectAltName than that of the certificate is refused",
    covers=[_IDENTICAL],
    control=lambda lab: lab.renewing(lab.enrolled),
    mutation=_asking("subjectAltName of the CSR: another name", other_names=True),
    kills=["est.reenroll.names-unchecked"],
)
negative(
    "est.reenroll.without-certificate",
    "Who presents no certificate renews none",
    covers=[_IDENTICAL, "rfc7030:4.2#server-authenticates"],
    control=lambda lab: lab.renewing(lab.enrolled),
    mutation=presenting("no client certificate", _CLAUSE, lambda old: None),
    kills=["est.reenroll.without-certificate"],
)


def _with_password(lab: EstLab) -> Mutation:
    password = lab.client.password("POST", "simplereenroll")
    if not password:
        raise Unsupported("the target has no password")
    return Mutation(
        "a password in place of the client certificate",
        _CLAUSE,
        lambda draft: replace(draft, presents=None, headers=(*draft.headers, *password)),
    )


negative(
    "est.reenroll.password-alone",
    "Who has a password and presents no certificate renews none: there is nothing to compare the request with",
    covers=[_IDENTICAL],
    control=lambda lab: lab.renewing(lab.enrolled),
    mutation=_with_password,
    kills=["est.reenroll.password-enough"],
)


@case(
    "est.reenroll.change-subject-name",
    covers=["rfc7030:4.2.2#change-subject"],
    kills=["est.reenroll.change-ignored"],
    feature="change-subject-name",
)
def change_subject_name(lab: EstLab) -> None:
    """ChangeSubjectName in a re-enrollment changes subject and names, or the request is refused; it is not overlooked."""
    old, name = lab.enroll(), lab.shared.name()
    with lab.examination.during("control before"):
        draft = lab.renewing(old)
        if why := denied(lab.client.send(draft), draft.key):
            raise Inconclusive(f"a renewal was refused: {why}")
    subject = lab.subject(name)
    draft = lab.renewing(old, attributes=[csr.change_subject_name(subject, [name])])
    reply = lab.client.send(draft)
    if why := denied(reply, draft.key):
        lab.check(400 <= reply.status < 500, f"expected 200 or 4xx, got {said(reply)}")
        raise Unsupported(f"the server changes no names: {why}")
    new = lab.granted(reply, draft.key)
    lab.check(
        new.subject == subject and names_of(new) == [name],
        f"asked for {name}, and got {new.subject.rfc4514_string()!r} with {names_of(new)}",
    )
