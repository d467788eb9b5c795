"""Options of SCEP profiles."""

from __future__ import annotations

from typing import Literal

from privca.issuance.options import Struct

Digest = Literal["md5", "sha1", "sha224", "sha256", "sha384", "sha512"]
Cipher = Literal["des", "3des", "aes128", "aes192", "aes256"]


class Tolerances(Struct, kw_only=True, frozen=True):
    """Deviations of real clients that are accepted. What is not set follows the profile's ``tolerant``."""

    base64: bool | None = None
    """GET: line breaks, spaces in place of ``+``, the URL-safe alphabet, missing padding (iOS, macOS, scepclient, sscep)."""
    path_tail: bool | None = None
    """Anything behind the profile in the path, not only ``pkiclient.exe`` and ``cgi-bin/pkiclient.exe``."""
    content_type: bool | None = None
    """POST without ``Content-Type: application/x-pki-message`` (sscep, strongSwan)."""
    operation: bool | None = None
    """POST without ``operation=PKIOperation`` (RFC 8894 section 4.3)."""
    message: bool | None = None
    """Any ``message=`` in GetCACaps, GetCACert and GetNextCACert (sscep sends ``CAIdentifier``, certmonger ``0``, Windows ``default``)."""
    short_nonce: bool | None = None
    """A senderNonce of less than 16 octets (Apple: 8), down to 4."""
    old_signer: bool | None = None
    """A self-signed certificate of X.509 version 1 (certmonger), or outside its own validity: devices that have no clock yet."""
    empty_content: bool | None = None
    """FAILURE and PENDING with an empty content in place of none, as section 3.2 has it: certmonger verifies nothing without content."""
    bare_renewal: bool | None = None
    """A renewal without any subjectAltName, which then has those of the certificate that it renews (strongSwan)."""
    other_subject: bool | None = None
    """A self-signed certificate of another subject than the request's (scepclient). Its key is the request's in any case."""


class ScepOptions(Struct, kw_only=True, frozen=True):
    """Options of an SCEP profile (RFC 8894)."""

    digests: tuple[Digest, ...] = ("sha1", "sha224", "sha256", "sha384", "sha512")
    """Accepted, for message digest and signature. MD5 must not be supported (section 2.9): only where it is listed here."""
    ciphers: tuple[Cipher, ...] = ("3des", "aes128", "aes192", "aes256")
    """Accepted. The same holds for single DES, which Debian's scepclient always sends."""
    reply_digest: Literal["request"] | Digest = "request"
    """What replies are signed with: the digest of the request, or always this one."""
    reply_cipher: Literal["request"] | Cipher = "request"
    ra: Literal["auto", "always"] = "auto"
    """``auto``: the CA's own key signs and deciphers if it is RSA and its certificate allows that (``key_encipherment`` of the CA), else a
    registration authority's, which the CA certifies by itself. ``always``: that one."""
    ca_chain: bool = True
    """Whether GetCACert shows all certificates up to the root where there are several (section 4.2.1.2), or that of the CA alone."""
    ca_in_reply: bool = True
    """Whether replies hold the CA's certificate beside the client's: Cisco's VPN wants it, Juniper forbids it."""
    signing_time: str = ""
    """How far a signingTime may be off, as ``1h``; empty: it is not looked at."""
    password_recipients: bool = False
    """Whether requests and replies of clients whose key cannot decipher (EC) are encrypted under a password (section 3.1)."""
    password_reference: str = ""
    """Name of the code that is this password, unless the transaction ID is the name of a code or passcode itself."""
    password_iterations: int = 20_000
    """Of PBKDF2: the most that are done for a request, and what replies have."""
    tolerances: Tolerances = Tolerances()
