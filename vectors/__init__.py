"""Test vectors: one JSON file per case, exact octets, recorded from real clients or generated, with what a correct CA makes of them.

The files are the product: any language can read them (``schema.json`` describes them; octets are in base64). This module is only a
small loader for Python. Nothing here depends on the server, and the server never reads it.
"""

from vectors.loader import Vector, load, schema

__all__ = ["Vector", "load", "schema"]
