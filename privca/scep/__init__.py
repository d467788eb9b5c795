"""SCEP (RFC 8894): a protocol core without I/O. It awaits the ports that are declared in ``ports`` and in the layers below."""
