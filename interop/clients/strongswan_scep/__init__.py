"""strongSwan's pki --scep."""
