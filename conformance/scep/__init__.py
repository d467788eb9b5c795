"""The examiner's side of SCEP (RFC 8894): codec, client, lab and cases. It shares no code with any server."""
