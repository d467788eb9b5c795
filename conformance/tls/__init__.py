"""TLS of the listeners that a target's HTTPS endpoints are behind, judged by RFC 9325."""
