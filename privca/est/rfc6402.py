"""A request with the subject and names that its ChangeSubjectName (RFC 6402 section 2.8) asks for in place of its own, which are those of a
certificate that its client has already (RFC 7030 sections 4.2.1 and 4.2.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from privca.base.names import Name
from privca.base.refused import Reason, Refused
from privca.issuance.ports import Requested
from privca.pkix.requested import Extension, names_in, wishes
from privca.pkix.rfc2986 import CertificationRequest
from privca.pkix.rfc6402 import CHANGE_SUBJECT_NAME, read_change_subject_name
from privca.pkix.weak import CertifiedPublicKey

_CLAUSE = "RFC 6402 section 2.8"
_NO_NAME = b"\x30\x00"
_SUBJECT_ALT_NAME = ExtensionOID.SUBJECT_ALTERNATIVE_NAME


@dataclass(frozen=True, slots=True)
class Renamed:
    """A request under its new names (implements :class:`~privca.issuance.ports.Requested`)."""

    der: bytes = field(repr=False)
    subject: x509.Name
    spki: bytes = field(repr=False)
    public_key: CertifiedPublicKey
    names: tuple[Name, ...]
    extensions: tuple[x509.Extension[x509.ExtensionType], ...]


def renamed(csr: CertificationRequest) -> Requested:
    """The request as its ChangeSubjectName has it; the CSR itself if it has none. :raises Refused: as :func:`renamed_by` does."""
    return renamed_by(csr, csr.attributes.get(CHANGE_SUBJECT_NAME.dotted_string))


def renamed_by(csr: Requested, values: Sequence[bytes] | None) -> Requested:
    """A request of any format under the values of a ChangeSubjectName; itself if there is none. What the attribute leaves out, the
    certificate will not have.

    :raises Refused: ``BAD_CSR``, and as names of their kind are refused.
    """
    if values is None:
        return csr
    if len(values) != 1:
        raise Refused(Reason.BAD_CSR, _CLAUSE, "the attribute has exactly one value", got=str(len(values)))
    change = read_change_subject_name(values[0])
    kept = tuple([one for one in csr.extensions if not isinstance(one.value, x509.SubjectAlternativeName)])
    names = [] if change.subject_alt is None else [Extension(id=_SUBJECT_ALT_NAME, critical=False, value=change.subject_alt)]
    subject, extensions = wishes(change.subject or _NO_NAME, names, clause=_CLAUSE)
    return Renamed(csr.der, subject, csr.spki, csr.public_key, names_in(extensions), (*kept, *extensions))
