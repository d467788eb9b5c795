"""openssl cmp of Debian trixie."""
