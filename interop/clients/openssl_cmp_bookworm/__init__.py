"""openssl cmp of Debian bookworm."""
