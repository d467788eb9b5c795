"""certmonger."""
