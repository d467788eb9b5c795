"""Certificate status: OCSP (RFC 6960, RFC 9654) and CRLs (RFC 5280 section 5), asked for by URL."""
