"""Faults of what is told about the PKI (RFC 9810 sections 5.3.19 and 6.5), and of nested messages (section 5.1.3.5)."""

from __future__ import annotations

from privca.faults.cmp.naming import fault
from privca.faults.edits import instead

_GENERAL = "cmp.rfc9810.general:"
_INFORM = _GENERAL + "inform"
_ASKED = "asked = informations(call.message.content, _CLAUSE)"
_UNSPOKEN = "if chosen is None:"

FAULTS = (
    fault("general.unknown-ignored", "What is not known is left out", "5.3.19.7", instead(_INFORM, "if unknown:", "if False:")),
    fault(
        "general.unknown-refused",
        "One question that is not known spoils them all",
        "5.3.19.7",
        instead(
            _INFORM,
            "unknown.append(information.type)",
            "raise Refused(Reason.UNSUPPORTED_INFORMATION, _CLAUSE, 'unknown')",
        ),
    ),
    fault(
        "general.first-question-only", "The first question alone is answered", "6.5", instead(_INFORM, _ASKED, f"{_ASKED}[:1]")
    ),
    fault(
        "general.empty-refused",
        "Who asks nothing is refused",
        "6.5",
        instead(_INFORM, _ASKED, f"{_ASKED}\n    if not asked:\n        raise Refused(Reason.MALFORMED, _CLAUSE, 'nothing')"),
    ),
    fault(
        "general.value-ignored",
        "A value that comes with a question is not looked at",
        "5.3.19.14",
        instead(_GENERAL + "absent", "information.value not in (None, b'\\x05\\x00')", "False"),
    ),
    fault(
        "general.protocol-encryption-garbled",
        "caProtEncCert is a certificate in a SEQUENCE",
        "5.3.19.1",
        instead(_GENERAL + "_protocol_encryption", "delegate.certificate", "der.tlv(48, delegate.certificate)"),
    ),
    fault(
        "general.key-types-are-names",
        "Kinds of keys are told as text",
        "5.3.19.2",
        instead(_GENERAL + "_list", "*elements", "*(der.tlv(12, one) for one in elements)"),
    ),
    fault(
        "general.symmetric-bare",
        "preferredSymmAlg is an OBJECT IDENTIFIER",
        "5.3.19.4",
        instead(_GENERAL + "_symmetric", "der.tlv(48, der.oid(_AES_256_CBC))", "der.oid(_AES_256_CBC)"),
    ),
    fault(
        "general.crl-absent",
        "currentCRL has no value",
        "5.3.19.6",
        instead(_GENERAL + "_current_crl", "Information(information.type, record.der)", "Information(information.type)"),
    ),
    fault(
        "general.ca-certificates-empty",
        "caCerts is empty",
        "5.3.19.14",
        instead(_GENERAL + "_ca_certificates", "der.tlv(48, *dict.fromkeys(found))", "der.tlv(48)"),
    ),
    fault(
        "general.root-update-under-another-type",
        "rootCaCert is answered by rootCaCert",
        "5.3.19.15",
        instead(_GENERAL + "_root_update", "Information(ROOT_CA_KEY_UPDATE)", "Information(ROOT_CA_CERT)"),
    ),
    fault(
        "general.any-language",
        "Who offers no language that is spoken is answered by English",
        "5.3.19.13",
        instead(_GENERAL + "_languages", _UNSPOKEN, f"{_UNSPOKEN}\n        chosen = _LANGUAGE\n    {_UNSPOKEN}"),
    ),
    fault(
        "general.template-with-key",
        "The template for requests has a publicKey",
        "5.3.19.16",
        instead(
            "cmp.rfc9810.reqtemplate:_template",
            "der.tlv(48, subject,",
            "der.tlv(48, subject, der.tlv(166, der.tlv(48), der.tlv(3, b'\\x00')),",
        ),
    ),
    fault(
        "general.template-rsa-by-algorithm",
        "RSA is told by its algorithm in place of its sizes",
        "5.3.19.16",
        instead(
            "cmp.rfc9810.reqtemplate:_key_spec",
            "der.oid(rfc4211.RSA_KEY_LEN), der.integer(size)",
            "der.oid(rfc4211.ALG_ID), algorithms.RSA",
        ),
    ),
    fault(
        "general.crls-always",
        "A CRL is sent to who has it",
        "5.3.19.17",
        instead("cmp.rfc9810.crl:status_list", "wish.this_update is None or record.this_update > wish.this_update", "True"),
    ),
    fault(
        "nested.by-anybody",
        "Everybody vouches for others",
        "5.1.3.5",
        instead("cmp.rfc9810.nested:unwrap", "not call.sender.ra", "False"),
    ),
    fault(
        "nested.refused",
        "No registration authority passes messages on",
        "5.1.3.5",
        instead("cmp.rfc9810.nested:unwrap", "not call.sender.ra", "True"),
    ),
    fault(
        "nested.first-only",
        "Of a batch the first message is answered",
        "5.1.3.5",
        instead("cmp.rfc9810.nested:unwrap", "for one in found]", "for one in found[:1]]"),
    ),
    fault(
        "nested.in-nested",
        "Nested messages go as deep as they like",
        "5.1.3.5",
        instead("cmp.service:CmpService.answer", "inside and message.body is Body.NESTED", "False"),
    ),
)
