"""The CA: profile -> policy -> template -> lint -> TBS -> record -> sign -> record; revocation and CRLs."""
