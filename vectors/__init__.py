"""Test vectors: one JSON file per case, exact octets, recorded from real clients or generated, with what a correct CA makes of them.

The files are the product: any language can read them (``schema.json`` describes them; octets are in base64). This module is only a
small loader for Python. Nothing here depends on the server, and the server never reads it.

Kinds, each a folder: ``pkcs10`` (certification requests), ``acme``, ``est`` and ``scep`` (whole HTTP messages), ``cmp`` (PKIMessages)::

    for vector in vectors.requests("scep"):
        message = vectors.http.parse(vector.octets)       # start line, fields, body
        reply = vectors.reply_to(vector)                  # what the server of that day answered, or None
        der = vectors.http.scep_message(message)          # the CMS of a PKIOperation, from body or query
        key = vectors.file("scep-ca.key").read_bytes()    # PKCS #8 PEM; vector.needs names what opens it
    vectors.secrets()["cmp"]["secret"]

``vector.expected`` has the values that can be read from the octets, ``vector.expected["verified"]`` what was checked with other tools,
``vector.tls`` the facts of an EST request's connection. The ID is ``kind.client.case``, of a reply with ``.reply``, and stays as it is.

Everything in ``keys/`` is a throw-away key of a lab. It is public, and must not protect anything.
"""

from vectors import http
from vectors.loader import Vector, file, load, reply_to, requests, schema, secrets

__all__ = ["Vector", "file", "http", "load", "reply_to", "requests", "schema", "secrets"]
