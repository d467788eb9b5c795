"""uacme."""
