"""Clients: for each a declaration (``client.toml``) and a driver that turns a job into the client's own commands."""
