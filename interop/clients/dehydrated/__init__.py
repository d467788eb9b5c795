"""dehydrated."""
