"""The examiner of CMP servers: messages of its own (RFC 9810, 4211), on pyasn1, and the cases."""
