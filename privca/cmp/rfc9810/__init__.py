"""RFC 9810: message types, and what the server answers to each of them."""
