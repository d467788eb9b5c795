"""Adapters for secrets: private keys in files, the box that seals what the store must recover, and files that others cannot read."""
