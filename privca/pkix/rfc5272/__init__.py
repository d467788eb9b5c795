"""Certificate Management over CMS (CMC, RFC 5272 as updated by RFC 6402, with the errata of both): messages as values.

One module a concern: ``pki_data`` the request, ``controls`` what it tells us to do, ``proofs`` the MACs under a shared secret,
``modification`` what a registration authority changes, ``revocation`` and ``retrieval`` the requests that ask for no new certificate,
``possession`` what is said of proof of possession, ``status`` and ``pki_response`` the answer. Nothing here verifies a signature: that
is CMS (:mod:`privca.pkix.rfc5652`), over the octets that were received.

PKIData and its controls are DER, also where the CMS around them is BER: the proofs are computed over octets as they stand in it.
"""
