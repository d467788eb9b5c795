"""sscep."""
