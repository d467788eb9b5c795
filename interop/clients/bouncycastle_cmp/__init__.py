"""BouncyCastle, CMP."""
