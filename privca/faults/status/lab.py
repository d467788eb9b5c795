"""What a lab with faults has more than another one: a CA that publishes every kind of CRL, so that faults of each can be seen.

Who has it certified as often as an examiner does need prove nothing: its profile counts every challenge as met.
"""

from __future__ import annotations

from privca.faults import faults
from privca.issuance.options.acme import AcmeOptions
from privca.issuance.options.status import CrlOptions, OcspOptions
from privca.issuance.profile import CertificateAuthority, Profile

CA, PROFILE = "lab-lists", "lab-acme-lists"


def authority(parent: str) -> CertificateAuthority:
    """The CA, below another one. It says revoked of what it never issued, so that the extended definition is seen, too."""
    return CertificateAuthority(
        subject={"CN": "privca lab lists", "O": "privca lab"},
        parent=parent,
        path_length=0,
        crl=CrlOptions(partitions=4, delta=True),
        ocsp=OcspOptions(not_issued="revoked"),
    )


def profile(template: str) -> Profile:
    """The ACME profile by which it issues."""
    return Profile(protocol="acme", issuer=CA, template=template, authentication=("open",), acme=AcmeOptions(retry_after=1))


def entries(http_url: str) -> list[dict[str, object]]:
    """Where each fault of the status services is, as ``endpoints.json`` has it. :param http_url: the lab's, without a slash at the end."""
    found = []
    for fault in faults().values():
        if fault.protocol == "status":
            place = f"{http_url}/faults/{fault.profile_id}"
            entry: dict[str, object] = {"id": fault.profile_id, "protocol": "status", "url": f"{place}/ocsp/{CA}"}
            entry |= {"ocsp": f"{place}/ocsp/{CA}", "crl": f"{place}/crl/{CA}.crl"}
            # What certificates and CRLs of the lab point to is the honest service.
            entry |= {"reached": {f"{http_url}/": f"{place}/"}, "faults": [fault.name]}
            found.append(entry)
    return found
