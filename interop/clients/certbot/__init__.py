"""certbot, of Debian and of PyPI."""
