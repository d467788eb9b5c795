"""acme.sh."""
