"""openssl cmp of Debian sid."""
