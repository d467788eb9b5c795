"""ACME, one RFC a module: RFC 8555 (a package), RFC 8737, RFC 8738, RFC 8659 with RFC 8657."""
