"""acme-client from npm."""
