"""RFC 8555, ACME: one module a resource or rule, each naming its section; ``acme.service`` has the table of routes that joins them."""
