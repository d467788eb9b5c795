"""Full CMC (RFC 5272, 5273, 5274 and 6402) as the operation ``/fullcmc`` of EST (RFC 7030 section 4.3).

From a message to the answer: ``message`` (what was sent), ``signer`` (whose key signed it), ``party`` (who that is), ``certification``
(what is asked for), ``linkage`` (that both belong together), ``authority`` (what a registration authority may say), ``layer`` (one PKIData
from its octets to its outcome, and those inside it), ``granting``, ``pending``, ``revoking`` and ``retrieving`` (what is done), ``outcome``
and ``response`` (what is answered), ``failures`` (the one table from a reason to CMCFailInfo).
"""
