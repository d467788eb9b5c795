"""What a reply says, read from its octets alone: whether it grants what was asked, and with which error it does not.

``granted``: a certificate, or whatever else was asked for. ``informed``: what anybody may know. ``waits``: ask again. ``refused``: with
the protocol's own error where it has one: ``badMessageCheck`` of SCEP, the failInfo of CMP, the type of an ACME problem.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from vectors import der

FAIL_INFO = ("badAlg", "badMessageCheck", "badRequest", "badTime", "badCertId")
"""RFC 8894 section 3.2.1.4.5."""
PKI_FAILURE_INFO = (
    "badAlg badMessageCheck badRequest badTime badCertId badDataFormat wrongAuthority incorrectData missingTimeStamp badPOP certRevoked "
    "certConfirmed wrongIntegrity badRecipientNonce timeNotAvailable unacceptedPolicy unacceptedExtension addInfoNotAvailable "
    "badSenderNonce badCertTemplate signerNotTrusted transactionIdInUse unsupportedVersion notAuthorized systemUnavail systemFailure "
    "duplicateCertReq"
).split()
"""RFC 9810 section 5.2.3, bit by bit."""
_PKI_STATUS = der.oid("2.16.840.1.113733.1.9.3")
_FAIL_INFO = der.oid("2.16.840.1.113733.1.9.4")
_PROBLEM = "urn:ietf:params:acme:error:"
_MESSAGE_TYPE = der.oid("2.16.840.1.113733.1.9.2")
MESSAGE_TYPES = {"3": "CertRep", "17": "RenewalReq", "19": "PKCSReq", "20": "CertPoll", "21": "GetCert", "22": "GetCRL"}
"""RFC 8894 section 3.2.1.2."""
PKI_BODY = (
    "ir ip cr cp p10cr popdecc popdecr kur kup krr krp rr rp ccr ccp ckuann cann rann crlann pkiconf nested genm genp error certConf "
    "pollReq pollRep"
).split()
"""The choices of PKIBody by their tags (RFC 9810 section 5.1.2)."""
_ACME_INFORMS = ("directory", "new-nonce", "renewal-info")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reply says. ``error`` is empty where nothing is refused, or the protocol has no name for it."""

    outcome: str
    status: int
    error: str = ""


def read(kind: str, target: str, status: int, body: bytes) -> Answer:
    """The answer that a reply is. :param target: path and query of the request. :raises ValueError: if it cannot be read."""
    if kind == "scep":
        return _scep(target, status, body)
    if kind == "cmp":
        return _cmp(status, body)
    if kind == "acme":
        return _acme(target, status, body)
    return _est(target, status)


def message_type(message: bytes) -> str:
    """The name of a SCEP message. :raises ValueError: if it is none."""
    number = _printable_attributes(message).get(_MESSAGE_TYPE, "")
    return MESSAGE_TYPES.get(number, f"messageType {number}")


def body_name(message: bytes) -> str:
    """The name of a PKIMessage's body. :raises ValueError: if it is none."""
    return PKI_BODY[der.one(message).parts[1].tag & 0x1F]


def _est(target: str, status: int) -> Answer:
    if status == 202:
        return Answer("waits", status)
    if status >= 400:
        return Answer("refused", status)
    operation = target.partition("?")[0].rpartition("/")[2]
    return Answer("informed" if operation in ("cacerts", "csrattrs") else "granted", status)


def _acme(target: str, status: int, body: bytes) -> Answer:
    if status >= 400:
        return Answer("refused", status, str(json.loads(body).get("type", "")).removeprefix(_PROBLEM))
    return Answer("informed" if any(f"/{name}" in target for name in _ACME_INFORMS) else "granted", status)


def _scep(target: str, status: int, body: bytes) -> Answer:
    if "operation=PKIOperation" not in target:
        return Answer("informed" if status == 200 else "refused", status)
    if status != 200:
        return Answer("refused", status)
    said = _printable_attributes(body)
    match said.get(_PKI_STATUS):
        case "0":
            return Answer("granted", status)
        case "3":
            return Answer("waits", status)
        case "2":
            number = int(said.get(_FAIL_INFO, "-1"))
            return Answer("refused", status, FAIL_INFO[number] if 0 <= number < len(FAIL_INFO) else "")
    raise ValueError(f"pkiStatus is {said.get(_PKI_STATUS)!r}")


def _printable_attributes(body: bytes) -> dict[bytes, str]:
    """The signed attributes of the one signer, those that are text, by OID as DER."""
    signed = der.one(body).parts[1].parts[0].parts  # ContentInfo: contentType, [0] SignedData
    signer = signed[-1].parts[0]
    attributes = signer.tagged(0)
    if attributes is None:
        raise ValueError("the signer has no signed attributes")
    found = {}
    for attribute in attributes.parts:
        name, value = attribute.parts[0].octets, attribute.parts[1].parts[0]
        if value.tag == 0x13:
            found[name] = value.content.decode("ascii")
    return found


def _cmp(status: int, body: bytes) -> Answer:
    message = der.one(body).parts
    choice = message[1]
    number, content = choice.tag & 0x1F, choice.parts[0]
    match number:
        case 1 | 3 | 8 | 14:  # ip, cp, kup, ccp: CertRepMessage
            response = next(part for part in content.parts if part.tag == 0x30).parts[0]
            return _status(response.parts[1], status)
        case 10:  # krp: KeyRecRepContent
            return _status(content.parts[0], status)
        case 12:  # rp: RevRepContent
            return _status(content.parts[0].parts[0], status)
        case 19:
            return Answer("granted", status)
        case 22:
            return Answer("informed", status)
        case 23:  # error: ErrorMsgContent
            return _status(content.parts[0], status)
        case 26:
            return Answer("waits", status)
    raise ValueError(f"[{number}] is no reply")


def _status(info: der.Value, status: int) -> Answer:
    parts = info.parts
    match parts[0].number:
        case 0 | 1 | 4 | 5 | 6:
            return Answer("granted", status)
        case 3:
            return Answer("waits", status)
    bits = next((part.content for part in parts if part.tag == 0x03), b"\0")
    value, unused = bits[1:], bits[0]
    named = [
        PKI_FAILURE_INFO[at]
        for at in range(min(len(value) * 8 - unused, len(PKI_FAILURE_INFO)))
        if value[at // 8] & (0x80 >> (at % 8))
    ]
    return Answer("refused", status, " ".join(named))
