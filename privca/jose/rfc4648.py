"""base64url without padding (RFC 4648 section 5, as RFC 7515 section 2 profiles it), one spelling for each octet string.

Only the canonical spelling is accepted: a second spelling of the same octets would let two texts carry the same signature, nonce or key.
"""

from __future__ import annotations

import binascii

from privca.base.refused import Reason, Refused

_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_TO_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def encode(octets: bytes) -> str:
    """``octets`` in base64url, no padding."""
    return _encode(octets).decode("ascii")


def _encode(octets: bytes) -> bytes:
    return binascii.b2a_base64(octets, newline=False).rstrip(b"=").translate(_TO_URL_SAFE)


def decode(text: str, what: str, reason: Reason = Reason.MALFORMED) -> bytes:
    """The octets that ``text`` spells.

    :param what: what the text is, for the refusal: ``the payload``.
    :raises Refused: ``reason`` for padding, white space, any other character, an impossible length, bits set after the last octet.
    """
    try:
        spelled = text.encode("ascii")
        octets = binascii.a2b_base64(spelled.translate(_TO_STANDARD) + b"==")
    except (UnicodeEncodeError, binascii.Error):
        raise _refused(text, what, reason) from None
    # a2b_base64 skips what it does not know; to spell the result again finds that, and every other deviation.
    if _encode(octets) != spelled:
        raise _refused(text, what, reason)
    return octets


def _refused(text: str, what: str, reason: Reason) -> Refused:
    if "=" in text:
        return Refused(reason, "RFC 7515 section 2", f"{what} is base64url with padding; the final '=' are left out")
    if not all(character.isascii() and (character.isalnum() or character in "-_") for character in text):
        return Refused(reason, "RFC 7515 section 2", f"{what} has characters that are not in the base64url alphabet")
    if len(text) % 4 == 1:
        return Refused(reason, "RFC 4648 section 4", f"{what} has a length that no base64url text has")
    return Refused(reason, "RFC 4648 section 3.5", f"{what} has bits set after its last octet")
