"""Faults of support messages (RFC 9483 section 4.3)."""

from __future__ import annotations

from privca.faults.cmp.rules import fault
from privca.faults.edits import instead, unchecked

_GENERAL = "cmp.rfc9810.general"
_INFORM = f"{_GENERAL}:inform"
_TEMPLATE = "cmp.rfc9810.reqtemplate:_template"
_KEY_SPEC = "cmp.rfc9810.reqtemplate:_key_spec"
_CRLS = "cmp.rfc9810.crl:status_list"
_NEWER = "wish.this_update is None or record.this_update > wish.this_update"
_ANSWERED = "answers.append(await answer(call, information, profile))"

FAULTS = (
    fault(
        "support.ca-certs-empty",
        "There are no CA certificates",
        "4.3.1",
        instead(f"{_GENERAL}:_ca_certificates", "der.tlv(48, *dict.fromkeys(found))", "None"),
    ),
    fault(
        "support.other-type",
        "A genp has the type of unknown questions",
        "4.3",
        instead(
            _INFORM, _ANSWERED, "answers.append(Information(UNSUPPORTED_OIDS, (await answer(call, information, profile)).value))"
        ),
    ),
    fault(
        "support.two-pieces",
        "A genp says everything twice",
        "4.3",
        instead(_INFORM, "for answer in answers", "for answer in answers * 2"),
    ),
    fault(
        "support.value-ignored",
        "A question may have a value where it has none",
        "4.3.1",
        unchecked(f"{_GENERAL}:absent", "infoValue must be absent"),
    ),
    fault(
        "support.root-update-other-type",
        "That there is no update of the root is said under another type",
        "4.3.2",
        instead(f"{_GENERAL}:_root_update", "Information(ROOT_CA_KEY_UPDATE)", "Information(ROOT_CA_CERT)"),
    ),
    fault(
        "support.root-update-empty",
        "That there is no update of the root is said by an empty one",
        "4.3.2",
        instead(f"{_GENERAL}:_root_update", "Information(ROOT_CA_KEY_UPDATE)", "Information(ROOT_CA_KEY_UPDATE, b'0\\x00')"),
    ),
    fault(
        "support.template-with-key",
        "A certificate request template has a public key",
        "4.3.3",
        instead(_TEMPLATE, "der.tlv(48, subject,", "der.tlv(48, subject, b'\\xa6\\x00',"),
    ),
    fault(
        "support.template-with-serial",
        "A certificate request template has a serial number",
        "4.3.3",
        instead(_TEMPLATE, "der.tlv(48, subject,", "der.tlv(48, b'\\x81\\x01\\x01', subject,"),
    ),
    fault(
        "support.rsa-by-alg-id",
        "RSA is offered by its algorithm in place of key lengths",
        "4.3.3",
        instead(
            _KEY_SPEC,
            "der.tlv(48, der.oid(rfc4211.RSA_KEY_LEN), der.integer(size))",
            "der.tlv(48, der.oid(rfc4211.ALG_ID), bytes.fromhex('300d06092a864886f70d0101010500'))",
        ),
    ),
    fault(
        "support.rsa-of-no-length",
        "The length of RSA keys is 0",
        "4.3.3",
        instead(_KEY_SPEC, "der.integer(size)", "der.integer(0)"),
    ),
    fault(
        "support.crls-other-type",
        "CRLs come under the type of the question",
        "4.3.4",
        instead(_CRLS, "Information(CRLS,", "Information(information.type,"),
    ),
    fault("support.crl-always", "The CRL comes also to who has it", "4.3.4", instead(_CRLS, _NEWER, "True")),
    fault("support.crl-never", "The CRL comes to nobody", "4.3.4", instead(_CRLS, _NEWER, "False")),
    fault(
        "support.crl-twice",
        "The CRL comes twice",
        "4.3.4",
        instead(_CRLS, "newer.append(record.der)", "newer += [record.der] * 2"),
    ),
    fault(
        "support.crls-of-nothing",
        "Who asks for the CRL of nobody gets an answer",
        "4.3.4",
        unchecked("cmp.rfc9810.crl:parse", "a wrong number of CRLs"),
    ),
)
