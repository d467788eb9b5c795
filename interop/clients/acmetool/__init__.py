"""acmetool."""
