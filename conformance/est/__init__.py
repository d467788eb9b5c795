"""Examines EST servers (RFC 7030, 8951, 9908): client, bench and cases, on codecs of its own."""
