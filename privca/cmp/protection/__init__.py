"""How a PKIMessage is protected (RFC 9810 section 5.1.3, RFC 9481): by a MAC under a shared secret, a KEM, or a signature."""
