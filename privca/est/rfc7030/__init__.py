"""Enrollment over Secure Transport (RFC 7030): one module for each operation, and what they have in common."""
