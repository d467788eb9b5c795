"""The examiner: judges any enrollment server by its URL, and never imports the server that it lives beside.

It shares no parser and no signature code with ``privca``: JSON Web Keys and signatures come from josepy, certificates are read with
``cryptography.x509``, HTTP is ``http.client``. What both had wrong in the same way, no test would ever show.
"""
