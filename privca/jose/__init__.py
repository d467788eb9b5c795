"""JSON object signing as ACME uses it: RFC 7515 (JWS), RFC 7517 and 7518 (keys, algorithms), RFC 7638 (thumbprint), RFC 8037 (EdDSA)."""
