"""Object identifiers of CMC (RFC 5272 section 6 table 1, RFC 6402 section 2.2)."""

from __future__ import annotations

from cryptography.x509 import ObjectIdentifier

_CMC = "1.3.6.1.5.5.7.7"

PKI_DATA = ObjectIdentifier("1.3.6.1.5.5.7.12.2")
PKI_RESPONSE = ObjectIdentifier("1.3.6.1.5.5.7.12.3")
NO_SIGNATURE = ObjectIdentifier("1.3.6.1.5.5.7.6.2")
CMC_CA = ObjectIdentifier("1.3.6.1.5.5.7.3.27")
CMC_RA = ObjectIdentifier("1.3.6.1.5.5.7.3.28")

STATUS_INFO = ObjectIdentifier(f"{_CMC}.1")
IDENTIFICATION = ObjectIdentifier(f"{_CMC}.2")
IDENTITY_PROOF = ObjectIdentifier(f"{_CMC}.3")
DATA_RETURN = ObjectIdentifier(f"{_CMC}.4")
TRANSACTION_ID = ObjectIdentifier(f"{_CMC}.5")
SENDER_NONCE = ObjectIdentifier(f"{_CMC}.6")
RECIPIENT_NONCE = ObjectIdentifier(f"{_CMC}.7")
ADD_EXTENSIONS = ObjectIdentifier(f"{_CMC}.8")
ENCRYPTED_POP = ObjectIdentifier(f"{_CMC}.9")
DECRYPTED_POP = ObjectIdentifier(f"{_CMC}.10")
LRA_POP_WITNESS = ObjectIdentifier(f"{_CMC}.11")
GET_CERT = ObjectIdentifier(f"{_CMC}.15")
GET_CRL = ObjectIdentifier(f"{_CMC}.16")
REVOKE_REQUEST = ObjectIdentifier(f"{_CMC}.17")
REG_INFO = ObjectIdentifier(f"{_CMC}.18")
RESPONSE_INFO = ObjectIdentifier(f"{_CMC}.19")
QUERY_PENDING = ObjectIdentifier(f"{_CMC}.21")
POP_LINK_RANDOM = ObjectIdentifier(f"{_CMC}.22")
POP_LINK_WITNESS = ObjectIdentifier(f"{_CMC}.23")
CONFIRM_CERT_ACCEPTANCE = ObjectIdentifier(f"{_CMC}.24")
STATUS_INFO_V2 = ObjectIdentifier(f"{_CMC}.25")
TRUSTED_ANCHORS = ObjectIdentifier(f"{_CMC}.26")
AUTH_DATA = ObjectIdentifier(f"{_CMC}.27")
BATCH_REQUESTS = ObjectIdentifier(f"{_CMC}.28")
BATCH_RESPONSES = ObjectIdentifier(f"{_CMC}.29")
PUBLISH_CERT = ObjectIdentifier(f"{_CMC}.30")
MOD_CERT_TEMPLATE = ObjectIdentifier(f"{_CMC}.31")
CONTROL_PROCESSED = ObjectIdentifier(f"{_CMC}.32")
POP_LINK_WITNESS_V2 = ObjectIdentifier(f"{_CMC}.33")
IDENTITY_PROOF_V2 = ObjectIdentifier(f"{_CMC}.34")
RA_IDENTITY_WITNESS = ObjectIdentifier(f"{_CMC}.35")
CHANGE_SUBJECT_NAME = ObjectIdentifier(f"{_CMC}.36")
RESPONSE_BODY = ObjectIdentifier(f"{_CMC}.37")
