"""Evidence: what the client holds, looked at with tools that are neither the client's nor the server's, and what the server recorded."""
