"""Apache's mod_md."""
