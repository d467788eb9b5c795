"""EST with curl and openssl."""
