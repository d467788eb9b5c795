"""A private CA and enrollment server: ACME, EST, SCEP and CMP, one RFC a module.

The layers, from the ground up (imports point down only; ``tests/test_layers.py`` holds them):

``base`` (refusals, clock, names, HTTP messages) -> ``pkix`` and ``jose`` (formats) -> ``issuance`` (the CA)
-> ``enrollment`` (the one door into the CA) -> ``acme`` and its sibling protocols -> ``web``, ``store``, ``keys``
(all I/O) -> ``server`` (composition) -> ``cli``.
"""

__version__ = "0.1.0"
