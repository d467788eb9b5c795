"""acme-tiny."""
