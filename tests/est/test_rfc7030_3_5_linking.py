"""Linking of identity and proof of possession: the challengePassword is the channel binding of this very connection."""

from base64 import b64encode

import pytest

from privca.base.http import ChannelBinding
from tests.est.conftest import RA_TEMPLATE, Session, csr, name, only, refused

UNIQUE, EXPORTER = ChannelBinding.TLS_UNIQUE, ChannelBinding.TLS_EXPORTER
FINISHED, EXPORTED = b"f" * 12, b"e" * 32
TLS12 = Session("TLSv1.2", {UNIQUE: FINISHED})
TLS12_WITHOUT = Session("TLSv1.2", {})
TLS13 = Session("TLSv1.3", {EXPORTER: EXPORTED})


def spelled(octets):
    return b64encode(octets).decode()


@pytest.mark.parametrize("demanded", ["optional", "required"])
@pytest.mark.parametrize(("session", "value"), [(TLS12, FINISHED), (TLS13, EXPORTED)], ids=["tls-unique", "tls-exporter"])
def test_the_value_of_the_connection_is_taken(lab, key, demanded, session, value):
    profile = lab.profile(est={"channel_binding": demanded})
    only(lab.post("simpleenroll", csr(key, [lab.name()], password=spelled(value)), session=session, profile=profile))


WRONG = {
    "of another connection": (TLS12, spelled(b"g" * 12)),
    "of another connection, TLS 1.3": (TLS13, spelled(b"g" * 32)),
    "tls-unique in TLS 1.3": (Session("TLSv1.3", {EXPORTER: EXPORTED, UNIQUE: FINISHED}), spelled(FINISHED)),
    "tls-exporter in TLS 1.2": (Session("TLSv1.2", {UNIQUE: FINISHED, EXPORTER: EXPORTED}), spelled(EXPORTED)),
    "not in base64": (TLS12, FINISHED.decode()),
    "cut": (TLS12, spelled(FINISHED)[:-4]),
    "a password": (TLS12, "secret"),
}


@pytest.mark.parametrize("operation", ["simpleenroll", "serverkeygen"])
@pytest.mark.parametrize("demanded", ["optional", "required"])
@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_value_is_refused_whether_one_is_demanded_or_not(lab, key, case, demanded, operation):
    session, password = WRONG[case]
    profile = lab.profile(est={"channel_binding": demanded, "server_keys": "clear"})
    before = lab.issued()
    response = lab.post(operation, csr(key, [lab.name()], password=password), session=session, profile=profile)
    refused(response, 400, "RFC 7030 section 3.5", "linking of identity and proof of possession")
    assert lab.issued() == before


@pytest.mark.parametrize("operation", ["simpleenroll", "serverkeygen"])
def test_a_missing_value_is_refused_where_it_is_demanded(lab, key, operation):
    profile = lab.profile(est={"channel_binding": "required", "server_keys": "clear"})
    before = lab.issued()
    refused(lab.post(operation, csr(key, [lab.name()]), profile=profile), 400, "RFC 7030 section 3.5", "required")
    assert lab.issued() == before


@pytest.mark.parametrize("which", ["wrong", "missing"])
def test_a_renewal_is_linked_too(lab, which):
    profile = lab.profile(est={"channel_binding": "required"})
    old = lab.enroll(lab.profile(est={"channel_binding": "optional"}))
    profile = lab.profile(est={"channel_binding": "required"}, certificate_profiles=("p0", *lab._ids.values()))
    request = csr(old.key, (), old.certificate.subject, password="x" if which == "wrong" else None)
    response = lab.post("simplereenroll", request, headers={}, certificate=old.der, profile=profile)
    refused(response, 400, "RFC 7030 section 3.5")


def test_rfc7627_a_value_is_worth_nothing_without_the_extended_master_secret(lab, key):
    before = lab.issued()
    request = csr(key, [lab.name()], password=spelled(FINISHED))
    refused(lab.post("simpleenroll", request, session=TLS12_WITHOUT), 400, "RFC 7627", "tls-unique")
    assert lab.issued() == before


def test_ignore_is_for_labs_alone(lab, key):
    profile = lab.profile(est={"channel_binding": "ignore"})
    only(lab.post("simpleenroll", csr(key, [lab.name()], password="nonsense"), session=TLS12, profile=profile))


@pytest.mark.parametrize("trusted", [True, False])
def test_rfc7030_3_7_a_registration_authority_has_linked_already(lab, trusted):
    authority = lab.profile(template=RA_TEMPLATE)
    ra = lab.enroll(authority)
    profile = lab.profile(est={"ra_channel_binding": "trust" if trusted else "verify", "channel_binding": "required"})
    wanted = lab.name()
    request = csr(ra.key, [wanted], name(("CN", wanted)), password=spelled(b"of the RA's client"))
    response = lab.post("simpleenroll", request, headers={}, certificate=ra.der, profile=profile)
    if trusted:
        only(response)
    else:
        refused(response, 400, "RFC 7030 section 3.5")


def test_who_is_no_registration_authority_is_not_trusted(lab, key):
    profile = lab.profile(est={"ra_channel_binding": "trust", "channel_binding": "required"})
    request = csr(key, [lab.name()], password=spelled(b"of somebody's client"))
    refused(lab.post("simpleenroll", request, profile=profile), 400, "RFC 7030 section 3.5")
