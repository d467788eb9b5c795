"""Faults of requests for certificates, and of updates (RFC 9810 sections 5.3.1 to 5.3.6)."""

from __future__ import annotations

from privca.faults.cmp.naming import fault
from privca.faults.edits import instead, unchecked

_READ = "cmp.rfc9810.enroll:_read"
_CRMF = "cmp.rfc9810.enroll:crmf"
_OLD = "cmp.rfc9810.renewal:old_certificate"
_NO_RECORD = "if record is None:"

FAULTS = (
    fault(
        "enroll.pkcs10-id-zero",
        "The cp that answers a p10cr has the certReqId 0",
        "5.3.4",
        instead("cmp.rfc9810.certrep:CertResponse.encode", "der.integer(self.id)", "der.integer(max(self.id, 0))"),
    ),
    fault(
        "enroll.ids-swapped",
        "Answers have the certReqId of another request",
        "C.4",
        instead("cmp.rfc9810.certrep:CertResponse.encode", "der.integer(self.id)", "der.integer(1 - self.id)"),
    ),
    fault(
        "enroll.first-request-only",
        "Of several requests the first is answered",
        "C.4",
        instead(_READ, "rfc4211.parse(call.message.content)", "rfc4211.parse(call.message.content)[:1]"),
    ),
    fault(
        "enroll.ids-unchecked",
        "Two requests may have the same certReqId",
        "RFC 4211 section 5",
        unchecked(_READ, "a certReqId occurs more than once"),
    ),
    fault(
        "enroll.subject-ignored",
        "Every certificate is for somebody else",
        "RFC 4211 section 5",
        instead(
            _CRMF,
            "subject=subject",
            "subject=x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, 'somebody')]).public_bytes()",
        ),
    ),
    fault(
        "enroll.names-ignored",
        "The extensions of a template are left out",
        "RFC 4211 section 5",
        instead(_CRMF, "extensions=extensions", "extensions=()"),
    ),
    fault(
        "enroll.issuer-unchecked",
        "A template may name any CA as issuer",
        "RFC 4211 section 5",
        unchecked("cmp.rfc9810.enroll:_check_issuer", "names another issuer"),
    ),
    fault(
        "enroll.version-unchecked",
        "A template may ask for any version",
        "RFC 4211 section 5",
        unchecked(_CRMF, "the version of a certificate is 2"),
    ),
    fault(
        "enroll.any-profile",
        "A certProfile that there is not is the endpoint's own",
        "5.1.1.4",
        instead(
            "cmp.rfc9810.profiles:chosen",
            "await call.core.profiles.profile(name) if name in call.options.cert_profiles else None",
            "call.profile",
        ),
    ),
    fault(
        "enroll.kur-refused",
        "Every certificate is too far gone to be updated",
        "5.3.5",
        instead(_OLD, "record.status is not CertificateStatus.ISSUED", "True"),
    ),
    fault(
        "enroll.kur-answered-by-cp",
        "A kur is answered by a cp",
        "5.3.6",
        instead("cmp.rfc9810.enroll:answer", "ANSWERS[kind]", "Body.CP if kind is Body.KUR else ANSWERS[kind]"),
    ),
    fault(
        "enroll.old-certificate-unchecked",
        "A certificate that there is not is updated",
        "5.3.5",
        instead(_OLD, _NO_RECORD, f"{_NO_RECORD}\n        return own\n    {_NO_RECORD}"),
    ),
    fault(
        "enroll.old-issuer-unchecked",
        "A certificate of another CA is updated if its serial number is one of ours",
        "5.3.5",
        instead(
            _OLD,
            "await find(call, named.issuer, named.serial)",
            "await call.core.door.certificate(named.serial.to_bytes(20, 'big'))",
        ),
    ),
    fault(
        "enroll.old-owner-unchecked",
        "Everybody updates every certificate",
        "5.3.5",
        unchecked(_OLD, "names a certificate of somebody else"),
        # Whoever issues would look at it, too.
        instead(_CRMF, "renews=old", "renews=None"),
    ),
    fault(
        "enroll.old-status-unchecked",
        "A certificate that was revoked is updated",
        "5.3.5",
        instead(_OLD, "record.status is not CertificateStatus.ISSUED", "False"),
    ),
    fault(
        "enroll.old-certificate-optional",
        "A kur need not say what it updates",
        "5.3.5",
        instead(
            _OLD,
            "raise _unknown('an update names the certificate that it updates (oldCertID), or is signed with it')",
            "return None",
        ),
    ),
)
