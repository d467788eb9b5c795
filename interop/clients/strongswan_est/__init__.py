"""strongSwan's pki --est."""
