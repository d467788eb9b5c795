"""RFC 8894, by section: ``transport`` (4.1), ``capabilities`` (3.5), ``ca_certificates`` (4.2, 4.7), ``attributes`` (3.2.1), ``pki_message``
(3.2), ``envelope`` (3.2.2), ``enrollment`` (4.3), ``polling`` (4.4), ``queries`` (4.5, 4.6), ``cert_rep`` (3.3.2), ``failure`` (3.2.1.4).

No decryption oracle: the SignedData is verified before anything is decrypted, and whatever is wrong from there to the end of parsing the
content is one failure with one text, after the same steps (``envelope``).
"""
