"""Devices that enroll at a lab's door: profiles, credentials and requests, each fresh, so that a test can run on one lab again and again."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from privca.base.entropy import SystemEntropy
from privca.base.exchange import Exchange
from privca.base.names import Name, dns_name
from privca.base.refused import Reason, Refused
from privca.enrollment.door import Identity, Issued, Pending, Submission
from privca.enrollment.ports import Code, Passcode
from privca.issuance.ports import Certificate
from privca.issuance.profile import Profile, Revisioned, SubjectRule, Template
from tests.support.issuance_lab import IssuanceLab, csr, run

_numbers = itertools.count(1)
DEVICE = Template(subject={"CN": SubjectRule(), "serialNumber": SubjectRule(), "O": SubjectRule()}, names_required=False)
UNAUTHENTICATED = "no valid credential of this profile was presented (profile: authentication)"


def fresh(word: str) -> str:
    return f"{word}-{next(_numbers)}"


def name() -> Name:
    return dns_name(f"{fresh('d')}.example.test")


def device_profile(lab: IssuanceLab, template: Template = DEVICE, *, id: str = "", **settings: Any) -> Revisioned:
    """A profile of the store; with the ID of one that is there, its next revision."""
    id = id or fresh("p")
    keys: dict[str, Any] = {
        "protocol": "est",
        "issuer": "issuing",
        "template": "device",
        "authentication": ("code", "otp", "certificate"),
        "renewal_window": "90d",
        **settings,
    }
    run(lab.store.save_profile(id, Profile(**keys), template))
    found = run(lab.store.profile(id))
    assert found is not None
    return found


def set_code(lab: IssuanceLab, profile: Revisioned, reference: str = "floor", value: bytes = b"correct horse battery") -> bytes:
    run(lab.store.save_code(Code(profile.id, reference, value, lab.clock.now())))
    return value


def issue_passcode(
    lab: IssuanceLab, profile: Revisioned, reference: str = "device", life: timedelta = timedelta(hours=1)
) -> Passcode:
    value = fresh("a-passcode-that-nobody-guesses").encode()
    now = lab.clock.now()
    made = Passcode(fresh("otp"), profile.id, reference, value, now, now + life)
    run(lab.store.add_passcode(made))
    return made


def exchange(lab: IssuanceLab, profile_id: str = "lab") -> Exchange:
    return Exchange(fresh("x"), lab.clock.now(), SystemEntropy(), profile_id)


def password(lab: IssuanceLab, profile: Revisioned, reference: str | None, value: bytes) -> Identity:
    return run(lab.credentials.password(exchange(lab), profile, reference, value))


def refused_password(lab: IssuanceLab, profile: Revisioned, reference: str | None, value: bytes) -> None:
    """It is refused, in the words of every such refusal."""
    with pytest.raises(Refused) as refused:
        password(lab, profile, reference, value)
    assert refused.value.reason is Reason.UNAUTHENTICATED
    assert str(refused.value) == UNAUTHENTICATED


def request(names: Sequence[Name] = (), cn: str = "", serial: str = "", **facts: Any) -> Any:
    subject = [(NameOID.COMMON_NAME, cn), (NameOID.SERIAL_NUMBER, serial)]
    return csr(names, subject=[(oid, value) for oid, value in subject if value], **facts)


def ask(
    lab: IssuanceLab, profile: Revisioned, identity: Identity, requested: Any = None, request_id: str = "", **facts: Any
) -> Issued | Pending:
    submission = Submission(request_id or fresh("r"), identity, requested or request([name()]), **facts)
    return run(lab.door.submit(exchange(lab), profile, submission))


def enroll(
    lab: IssuanceLab, profile: Revisioned, requested: Any = None, who: Identity | None = None, **facts: Any
) -> Certificate:
    """A certificate that is there: by a code, unless somebody else is named."""
    issued = ask(lab, profile, who or Identity("code", "code:floor"), requested, **facts)
    assert isinstance(issued, Issued)
    return issued.certificate


def holder(lab: IssuanceLab, profile: Revisioned, certificate: Certificate) -> Identity:
    """Who authenticates with a certificate of ours."""
    assert certificate.der is not None
    return run(lab.credentials.certificate(exchange(lab), profile, certificate.der))


def refusal(call: Any, *arguments: Any, **keys: Any) -> Refused:
    with pytest.raises(Refused) as refused:
        call(*arguments, **keys)
    return refused.value


def extension(certificate: Certificate, kind: type[x509.ExtensionType]) -> Any:
    assert certificate.der is not None
    return x509.load_der_x509_certificate(certificate.der).extensions.get_extension_for_class(kind).value  # type: ignore[type-var]
