"""certbot of PyPI: a declaration alone, the driver is certbot's."""
