"""libest's estclient."""
