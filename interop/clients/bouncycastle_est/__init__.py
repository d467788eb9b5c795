"""BouncyCastle, EST."""
