"""What a CA issues, looked at as octets (RFC 5280): a lint for each requirement, whatever protocol the thing came by."""
