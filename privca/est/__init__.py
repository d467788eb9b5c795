"""Enrollment over Secure Transport: RFC 7030 with RFC 8951 and RFC 9908, one module for each RFC."""
