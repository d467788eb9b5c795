"""What relying parties ask: revocation lists and CA certificates by URL (RFC 5280 sections 4.2.1.13 and 4.2.2.1). No credentials, no profile."""
