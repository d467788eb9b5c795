"""PKIX formats, one RFC a module, all behind the one codec seam ``pkix.der``."""
