"""Every path of interfaces.md leads where it says, and nothing else leads anywhere."""

from __future__ import annotations

import pytest

from privca.web.urls import Route, find

ROUTES = {
    "/acme/lab-acme/directory": Route("acme", "lab-acme", "directory"),
    "/acme/lab-acme/order/1/finalize": Route("acme", "lab-acme", "order/1/finalize"),
    "/acme/lab-acme": Route("acme", "lab-acme", ""),
    "/.well-known/est/cacerts": Route("est", None, "cacerts"),
    "/.well-known/est/simpleenroll": Route("est", None, "simpleenroll"),
    "/.well-known/est/lab-est/cacerts": Route("est", "lab-est", "cacerts"),
    "/.well-known/est/lab-est/fullcmc": Route("est", "lab-est", "fullcmc"),
    "/.well-known/est/lab-est": Route("est", "lab-est", ""),
    "/scep/lab-scep": Route("scep", "lab-scep", ""),
    "/scep/lab-scep/pkiclient.exe": Route("scep", "lab-scep", "pkiclient.exe"),
    "/scep/lab-scep/cgi-bin/pkiclient.exe": Route("scep", "lab-scep", "cgi-bin/pkiclient.exe"),
    "/.well-known/cmp/p/lab-cmp": Route("cmp", "lab-cmp", ""),
    "/.well-known/cmp/p/lab-cmp/initialization": Route("cmp", "lab-cmp", "initialization"),
    "/.well-known/cmp": Route("cmp", None, ""),
    "/.well-known/cmp/certification": Route("cmp", None, "certification"),
    "/cmp/lab-cmp": Route("cmp", "lab-cmp", ""),
    "/cmp/lab-cmp/keyupdate": Route("cmp", "lab-cmp", "keyupdate"),
    "/certificate-authority/api/v1/scep/lab-scep/cgi-bin/pkiclient.exe": Route("scep", "lab-scep", "cgi-bin/pkiclient.exe"),
    "/certificate-authority/api/v1/cmp/lab-cmp": Route("cmp", "lab-cmp", ""),
    "/certificate-authority/api/v1/acme/directory": Route("acme", None, "directory"),
    "/crl/issuing-p256.crl": Route("status", None, "crl/issuing-p256.crl"),
    "/ca/issuing-p256.cer": Route("status", None, "ca/issuing-p256.cer"),
    "/ca/issuing-p256.2.p7c": Route("status", None, "ca/issuing-p256.2.p7c"),
    "/crl/issuing-p256.2.p3of8.crl": Route("status", None, "crl/issuing-p256.2.p3of8.crl"),
    "/ocsp/issuing-p256": Route("status", None, "ocsp/issuing-p256"),
    "/ocsp/issuing-p256/MEow/x=": Route("status", None, "ocsp/issuing-p256/MEow/x="),
}


@pytest.mark.parametrize("path", ROUTES)
def test_paths(path):
    assert find(path) == ROUTES[path]


NOWHERE = (
    "/ * /acme /acme/ /acme//directory /acme/UPPER/directory /acme/a%2e/x /acme/../x /crl/.crl /crl/a/b.crl /crl/a.cer /ca/../x.cer "
    "/.well-known/est /.well-known/est/ /.well-known/acme-challenge/x /scep /cmp/ /healthz /certificate-authority/api/v1/est/x"
)


@pytest.mark.parametrize("path", [*NOWHERE.split(), f"/acme/{'a' * 64}/directory"])
def test_nothing_else(path):
    assert find(path) is None
