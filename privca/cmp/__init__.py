"""CMP (RFC 9810, 9811, 9481, 9483): certificate management by protected messages."""
